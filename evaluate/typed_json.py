"""Checks that plain JSON has the shape that a TypedDict says."""

import math
import types
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict


def problems_of(value: object, kind: Any, at: str) -> Iterator[str]:
    """What keeps the value from being of this type, each with its place.

    Args:
        value: parsed JSON.
        kind: built of TypedDict, list, dict[str, ...], tuple, Literal, unions, str, int, float.
            Its TypedDicts must not come from a module with postponed annotations, which hide
            NotRequired from Python 3.11. A number of JSON may be an int where float is said.
        at: the place of the value, for the messages.
    """
    origin, args = get_origin(kind), get_args(kind)
    if is_typeddict(kind):
        if not isinstance(value, dict):
            yield f"{at} is {_name(value)}, not an object"
            return
        hints = get_type_hints(kind)
        for key in sorted(kind.__required_keys__ - value.keys()):
            yield f"{at}.{key} is missing"
        for key in sorted(value.keys() - hints.keys(), key=str):
            yield f"{at}.{key} is not known (known: {', '.join(hints)})"
        for key in hints.keys() & value.keys():
            yield from problems_of(value[key], hints[key], f"{at}.{key}")
    elif origin in (Union, types.UnionType):
        if not any(next(problems_of(value, arg, at), None) is None for arg in args):
            fits = [arg for arg in args if arg is not types.NoneType]
            yield from problems_of(value, fits[0], at)
    elif origin is Literal:
        if value not in args:
            yield f"{at} is {value!r}, not one of {', '.join(map(repr, args))}"
    elif origin is tuple:
        if not isinstance(value, (list, tuple)) or len(value) != len(args):
            yield f"{at} is {_name(value)}, not {len(args)} values"
            return
        for i, (item, arg) in enumerate(zip(value, args, strict=True)):
            yield from problems_of(item, arg, f"{at}[{i}]")
    elif origin is list:
        if not isinstance(value, list):
            yield f"{at} is {_name(value)}, not a list"
            return
        for i, item in enumerate(value):
            yield from problems_of(item, args[0], f"{at}[{i}]")
    elif origin is dict:
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
            yield f"{at} is {_name(value)}, not an object"
            return
        for key, item in value.items():
            yield from problems_of(item, args[1], f"{at}.{key}")
    elif kind is float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            yield f"{at} is {_name(value)}, not a number"
        elif not math.isfinite(value):
            yield f"{at} is {value}, which JSON cannot hold"
    elif not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        yield f"{at} is {_name(value)}, not {kind.__name__}"


def _name(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}"
    return "an object" if isinstance(value, Mapping) else repr(value)

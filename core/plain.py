"""Settings as plain JSON: what keys and hashes are made of."""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass
from typing import Any, cast

from trimix.core.contracts import Json


def plain(value: Any) -> Json:
    """The value as JSON gives it back: dataclasses become objects, tuples become lists.

    Raises:
        TypeError: something in it has no place in JSON.
        ValueError: a number in it is not finite.
    """
    return cast(Json, json.loads(json.dumps(value, default=_fields, allow_nan=False)))


def _fields(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} has no place in JSON")

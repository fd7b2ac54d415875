"""Distributions as plain JSON or YAML: one key and its numbers.

{loguniform: [0.7, 1.4]}, {uniform: [[-1, 0], [1, 0]]}, {normal: [mean, std]} or [mean, std, cut],
{constant: 3}, {choice: [a, b]}; {textures: heldout} is a choice of a pool's names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from trimix.core.contracts import Json
from trimix.core.errors import ConfigError, unknown
from trimix.randomization.distributions import (
    Choice,
    Constant,
    Distribution,
    LogUniform,
    Normal,
    Uniform,
)

Textures = Callable[[str], tuple[str, ...]]
"""From the name of a pool to its textures."""


def to_json(value: Distribution) -> dict[str, Json]:
    """A distribution, to be read by `from_json`.

    Raises:
        ConfigError: one of a user's own, which only Python can make.
    """
    match value:
        case Constant():
            said: Json = list(value.value) if isinstance(value.value, tuple) else value.value
            return {"constant": said}
        case Uniform():
            return {"uniform": [_plain(value.low), _plain(value.high)]}
        case LogUniform():
            return {"loguniform": [_plain(value.low), _plain(value.high)]}
        case Normal():
            return {"normal": [_plain(value.mean), _plain(value.std), value.cut]}
        case Choice():
            return {"choice": list(value.options)}
    raise ConfigError(
        f"a {type(value).__name__} cannot be written",
        do="use constant, uniform, loguniform, normal or choice",
    )


def from_json(raw: Any, textures: Textures | None = None) -> Distribution:
    """A distribution as `to_json` or a user wrote it.

    Args:
        raw: what the file holds.
        textures: None where no pool may be named.

    Raises:
        ConfigError: what is wrong with it, and what is known.
    """
    makers: dict[str, Callable[[Any], Distribution]] = {
        "constant": _constant,
        "uniform": lambda v: Uniform(*_pair(v)),
        "loguniform": lambda v: LogUniform(*_pair(v)),
        "normal": _normal,
        "choice": _choice,
    }
    if textures is not None:
        makers["textures"] = lambda v: Choice(textures(str(v)))
    if not isinstance(raw, Mapping) or len(raw) != 1:
        raise ConfigError(
            f"value {raw!r} is not one distribution",
            do=f"e.g. {{loguniform: [0.7, 1.4]}}; known: {', '.join(makers)}",
        )
    ((name, said),) = raw.items()
    if name not in makers:
        raise unknown("distribution", str(name), makers)
    return makers[name](said)


def _number(raw: Any) -> float:
    if isinstance(raw, bool) or not isinstance(raw, (int, float)):
        raise ConfigError(f"{raw!r} is not a number")
    return float(raw)


def _number_or_tuple(raw: Any) -> float | tuple[float, ...]:
    if isinstance(raw, list):
        if not raw:
            raise ConfigError("a list of no numbers")
        return tuple(_number(v) for v in raw)
    return _number(raw)


def _pair(raw: Any, more: int = 0) -> tuple[Any, Any]:
    """Two numbers or equally long lists of them, which up to `more` others may follow."""
    if not isinstance(raw, list) or not 2 <= len(raw) <= 2 + more:
        count = "2 or 3" if more else "2"
        raise ConfigError(f"{raw!r} is not a list of {count}", do="e.g. [low, high]")
    first, second = _number_or_tuple(raw[0]), _number_or_tuple(raw[1])
    if isinstance(first, tuple) != isinstance(second, tuple):
        raise ConfigError(f"{raw!r} mixes a number and a list")
    return first, second


def _constant(raw: Any) -> Constant:
    return Constant(raw if isinstance(raw, str) else _number_or_tuple(raw))


def _normal(raw: Any) -> Normal:
    mean, std = _pair(raw, more=1)
    return Normal(mean, std, *(_number(cut) for cut in raw[2:]))


def _choice(raw: Any) -> Choice:
    if not isinstance(raw, list):
        raise ConfigError(f"{raw!r} is not a list of options")
    return Choice(tuple(v if isinstance(v, str) else _number(v) for v in raw))


def _plain(value: float | tuple[float, ...]) -> Json:
    return [float(v) for v in value] if isinstance(value, tuple) else float(value)

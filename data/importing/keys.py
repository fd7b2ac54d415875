"""Which features of a recording are the state, the action and the cameras.

Recorders name them differently: LeRobot writes `observation.state`, `action` and
`observation.images.<camera>`; openpi and LIBERO's conversions write `state`, `actions`, `image`,
`wrist_image`, or `observation/state` and `observation/image`. What can only be meant one way is
taken; where there is a choice, it is the user's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trimix.core.errors import ConfigError, DataError
from trimix.data.lerobot import layout
from trimix.data.lerobot.folder import LeRobotFolder

_STATES, _ACTIONS = ("state", "states"), ("action", "actions")
_FIXED = (*layout.COUNTERS, layout.REWARD, layout.SUCCESS, layout.DONE)
_TEXT = ("string", "language", "object")


def vectors(source: LeRobotFolder) -> list[str]:
    """The 1-D features that could be a state or an action."""
    return [
        key
        for key, feature in source.features.items()
        if len(feature["shape"]) == 1 and feature["dtype"] not in _TEXT and key not in _FIXED
    ]


def action_key(given: str | None, source: LeRobotFolder) -> str:
    """The feature that holds the actions.

    Raises:
        DataError: the given one does not exist, or none or several could be meant.
    """
    if given is not None:
        _require([given], source, "action_key")
        return given
    return _recognised(source, "action", _ACTIONS, layout.ACTION, "action_key=")


def state_keys(given: Sequence[str] | None, source: LeRobotFolder) -> tuple[str, ...]:
    """The features that make up the state, joined in this order.

    Raises:
        DataError: a given one does not exist, or none or several could be meant.
    """
    if given is not None:
        _require(given, source, "state_keys")
        return tuple(given)
    return (_recognised(source, "state", _STATES, layout.STATE, "state_keys="),)


def cameras(given: Mapping[str, str] | None, source: LeRobotFolder) -> dict[str, str]:
    """Image feature -> name of the camera.

    Raises:
        ConfigError: a given camera does not exist, or two would have one name.
    """
    where = str(source.root / layout.INFO)
    keys = list(source.camera_keys)
    short = {layout.camera_name(k): k for k in keys}
    if given is None:
        if len(short) < len(keys):
            raise ConfigError(
                f"two of the cameras {', '.join(keys)} have one short name",
                where=where,
                do="name them with cameras=",
            )
        return {key: name for name, key in short.items()}
    chosen = {}
    for old, new in given.items():
        key = old if old in keys else short.get(old)
        if key is None:
            raise ConfigError(
                f"camera {old!r} is not in the data set",
                where=where,
                do=f"available: {', '.join(short) or 'none'}",
            )
        chosen[key] = new
    if len(set(chosen.values())) < len(chosen):
        raise ConfigError("two cameras get the same name", where=where)
    return chosen


def _require(keys: Sequence[str], source: LeRobotFolder, setting: str) -> None:
    for key in keys:
        if key not in source.features:
            raise DataError(
                f"feature {key!r} is missing",
                where=str(source.root / layout.INFO),
                do=f"available: {', '.join(vectors(source)) or 'none'}; choose with {setting}",
            )


def _recognised(
    source: LeRobotFolder, kind: str, names: Sequence[str], standard: str, setting: str
) -> str:
    found = vectors(source)
    if standard in found:
        return standard
    candidates = [key for key in found if layout.last_name(key).lower() in names]
    if len(candidates) == 1:
        return candidates[0]
    which = "several features could be" if candidates else "no feature is known to be"
    raise DataError(
        f"{which} the {kind}",
        where=str(source.root / layout.INFO),
        do=f"choose with {setting}; candidates: {', '.join(candidates or found) or 'none'}",
    )

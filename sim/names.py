"""Names of a compiled model, looked up once."""

from __future__ import annotations

import mujoco

from trimix.core.errors import unknown

_COUNT = {
    "body": "nbody",
    "geom": "ngeom",
    "site": "nsite",
    "joint": "njnt",
    "actuator": "nu",
    "sensor": "nsensor",
    "camera": "ncam",
}


class Names:
    """kind, name -> id.

    Args:
        model: the compiled model.
    """

    def __init__(self, model: mujoco.MjModel) -> None:
        self._ids: dict[str, dict[str, int]] = {}
        for kind, count in _COUNT.items():
            obj = getattr(mujoco.mjtObj, f"mjOBJ_{kind.upper()}")
            names = ((mujoco.mj_id2name(model, obj, i), i) for i in range(getattr(model, count)))
            self._ids[kind] = {name: i for name, i in names if name}

    def find(self, kind: str, name: str, where: str = "scene") -> int:
        """The id.

        Raises:
            ConfigError: no such name; the error lists what there is.
        """
        try:
            return self._ids[kind][name]
        except KeyError:
            known = [n for n in self._ids[kind] if not n.startswith("contact:")]
            raise unknown(kind, name, known, where=where) from None

    def has(self, kind: str, name: str) -> bool:
        """Whether there is one."""
        return name in self._ids[kind]

    def of(self, kind: str) -> list[str]:
        """All names of a kind, in the order of ids."""
        return list(self._ids[kind])

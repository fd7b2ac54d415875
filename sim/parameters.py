"""Randomization targets: from "kind/name/attribute" to fields of the compiled model.

Every change starts from the nominal value, so changing twice equals changing once.
Axes: N rows; model fields have their MuJoCo shape behind the row.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import mujoco
import mujoco.batch
import numpy as np
import numpy.typing as npt

from trimix.core.contracts import Json
from trimix.core.errors import ConfigError, unknown

Array = npt.NDArray[np.float64]

# kind -> attribute -> model field that holds it, where a target is just that field.
_DIRECT: dict[str, dict[str, str]] = {
    "geom": {"friction": "geom_friction", "solref": "geom_solref", "rgba": "geom_rgba"},
    "body": {"pos": "body_pos"},
    "camera": {"pos": "cam_pos"},
    "light": {"pos": "light_pos", "dir": "light_dir", "diffuse": "light_diffuse"},
    "material": {"rgba": "mat_rgba", "shininess": "mat_shininess", "specular": "mat_specular"},
    "joint": {"damping": "dof_damping", "frictionloss": "dof_frictionloss"},
}
# Fields that the computed targets below write.
_COMPUTED: dict[str, dict[str, tuple[str, ...]]] = {
    "body": {
        "mass": ("body_mass", "body_inertia"),
        "scale": ("geom_size", "geom_pos", "geom_rbound", "geom_aabb", "body_inertia"),
    },
    "camera": {"rotation": ("cam_quat",), "fovy": ("cam_fovy", "cam_intrinsic")},
    "material": {"texture": ("mat_texid",)},
    "actuator": {"gain": ("actuator_gainprm", "actuator_biasprm")},
}
# Not MuJoCo's: what happens between the simulator and the policy. Attribute -> nominal value; the
# kind's one name stands for all cameras, or the whole robot.
_SIGNALS: dict[str, dict[str, float]] = {
    "action": {"latency_s": 0.0, "noise_std": 0.0},
    "image": {"noise_std": 0.0, "gain": 1.0},
    "state": {"noise_std": 0.0},
}
_SIGNAL_NAMES = {"action": ["robot"], "image": ["camera"], "state": ["robot"]}
_OBJECT = {
    "geom": mujoco.mjtObj.mjOBJ_GEOM,
    "body": mujoco.mjtObj.mjOBJ_BODY,
    "camera": mujoco.mjtObj.mjOBJ_CAMERA,
    "light": mujoco.mjtObj.mjOBJ_LIGHT,
    "material": mujoco.mjtObj.mjOBJ_MATERIAL,
    "joint": mujoco.mjtObj.mjOBJ_JOINT,
    "actuator": mujoco.mjtObj.mjOBJ_ACTUATOR,
}
_COUNT = {
    "geom": "ngeom",
    "body": "nbody",
    "camera": "ncam",
    "light": "nlight",
    "material": "nmat",
    "joint": "njnt",
    "actuator": "nu",
}


@dataclass
class _Expanded:
    live: npt.NDArray[np.generic]
    nominal: npt.NDArray[np.generic]


class Parameters:
    """The adjustable parameters of a batch's rows: randomization.Adjustable.

    Args:
        model, batch: a compiled model and the batch that runs it.
        targets: the targets that may be adjusted; fields are expanded per row only for these.
    """

    def __init__(
        self, model: mujoco.MjModel, batch: mujoco.batch.Batch, targets: Sequence[str] = ()
    ) -> None:
        self._model, self._batch = model, batch
        self._names = {
            kind: [
                mujoco.mj_id2name(model, obj, i) or "" for i in range(getattr(model, _COUNT[kind]))
            ]
            for kind, obj in _OBJECT.items()
        }
        self._names |= _SIGNAL_NAMES
        self._names["texture"] = [
            mujoco.mj_id2name(model, mujoco.mjtObj.mjOBJ_TEXTURE, i) or ""
            for i in range(model.ntex)
        ]
        n = batch.nsim
        self.signals: dict[str, Array] = {
            f"{kind}/{attribute}": np.full(n, nominal)
            for kind, attributes in _SIGNALS.items()
            for attribute, nominal in attributes.items()
        }
        self.fields: dict[str, _Expanded] = {}
        self._constants = False
        for target in targets:
            self._expand(target)

    @property
    def expanded(self) -> bool:
        """Whether rows' models differ from the compiled one."""
        return bool(self.fields)

    def restore(self, rows: Sequence[int]) -> None:
        """Give these rows the nominal value of every parameter."""
        ids = list(rows)
        for field in self.fields.values():
            field.live[ids] = field.nominal
        for name, values in self.signals.items():
            kind, attribute = name.split("/")
            values[ids] = _SIGNALS[kind][attribute]

    def adjust(self, row: int, target: str, how: str, value: Json) -> None:
        """Change one parameter of one row; call `commit` when a row's are all changed.

        Raises:
            ConfigError: unknown target, name or texture, or a value that does not fit.
        """
        kind, name, attribute = self._parse(target)
        ids = self._match(kind, name, target)
        self._expand(target)
        if kind in _SIGNALS:
            nominal = _SIGNALS[kind][attribute]
            self.signals[f"{kind}/{attribute}"][row] = _combine(
                np.array(nominal), how, value, target
            )
            return
        if attribute in _DIRECT.get(kind, {}):
            field = self.fields[_DIRECT[kind][attribute]]
            for i in self._dofs(ids) if kind == "joint" else ids:
                field.live[row, i] = _combine(field.nominal[i], how, value, target)
            return
        change: Callable[[int, list[int], str, Json, str], None] = getattr(
            self, f"_{kind}_{attribute}"
        )
        change(row, ids, how, value, target)

    def commit(self, rows: Sequence[int]) -> None:
        """Recompute the constants that follow from changed fields (mujoco #1607)."""
        if self._constants:
            self._batch.set_const(list(rows))

    def check(self, target: str) -> None:
        """Raise ConfigError unless the target exists in this model."""
        kind, name, _ = self._parse(target)
        self._match(kind, name, target)

    def row_field(self, name: str, row: int) -> Array:
        """A model field as the row has it, with the shape that MuJoCo gives it."""
        if name in self.fields:
            return np.asarray(self.fields[name].live[row])
        return np.asarray(getattr(self._model, name))

    def _parse(self, target: str) -> tuple[str, str, str]:
        parts = target.split("/")
        if len(parts) != 3:
            raise ConfigError(f"target {target!r} is not kind/name/attribute")
        kind, name, attribute = parts
        known = {
            k: sorted({*_DIRECT.get(k, {}), *_COMPUTED.get(k, {}), *_SIGNALS.get(k, {})})
            for k in {*_DIRECT, *_COMPUTED, *_SIGNALS}
        }
        if kind not in known:
            raise unknown("kind of target", kind, known, where=target)
        if attribute not in known[kind]:
            raise unknown(f"attribute of a {kind}", attribute, known[kind], where=target)
        return kind, name, attribute

    def _match(self, kind: str, name: str, target: str) -> list[int]:
        ids = [i for i, n in enumerate(self._names[kind]) if n and fnmatch.fnmatchcase(n, name)]
        if not ids:
            raise unknown(kind, name, [n for n in self._names[kind] if n], where=target)
        return ids

    def _dofs(self, joints: Sequence[int]) -> list[int]:
        width = {0: 6, 1: 3, 2: 1, 3: 1}
        return [
            int(self._model.jnt_dofadr[j]) + k
            for j in joints
            for k in range(width[int(self._model.jnt_type[j])])
        ]

    def _expand(self, target: str) -> None:
        kind, _, attribute = self._parse(target)
        if kind in _SIGNALS:
            return
        direct = _DIRECT.get(kind, {}).get(attribute)
        for name in (direct,) if direct else _COMPUTED[kind][attribute]:
            if name in self.fields:
                continue
            live = self._batch.expand(name)
            nominal = np.array(getattr(self._model, name)).reshape(live.shape[1:])
            self.fields[name] = _Expanded(live, nominal)
            self._constants |= name in mujoco.MjModel._setconst_inputs

    def _body_mass(self, row: int, ids: list[int], how: str, value: Json, target: str) -> None:
        mass = self.fields["body_mass"]
        for i in ids:
            new = float(_combine(mass.nominal[i], how, value, target))
            if new <= 0:
                raise ConfigError(f"mass becomes {new:g} kg", where=target)
            mass.live[row, i] = new
            self._inertia(row, i)

    def _body_scale(self, row: int, ids: list[int], how: str, value: Json, target: str) -> None:
        """Size of the body's geoms, at unchanged mass; only for primitive geoms."""
        fields = self.fields
        for body in ids:
            first, count = int(self._model.body_geomadr[body]), int(self._model.body_geomnum[body])
            factor = float(_combine(np.array(1.0), how, value, target))
            if factor <= 0:
                raise ConfigError(f"scale becomes {factor:g}", where=target)
            for g in range(first, first + count):
                for name in ("geom_size", "geom_pos", "geom_rbound", "geom_aabb"):
                    fields[name].live[row, g] = fields[name].nominal[g] * factor
            self._inertia(row, body)

    def _inertia(self, row: int, body: int) -> None:
        """A body's inertia follows its mass and the square of its size, whichever changed first."""
        inertia, ratio = self.fields["body_inertia"], 1.0
        if "body_mass" in self.fields:
            mass = self.fields["body_mass"]
            ratio *= float(mass.live[row, body] / mass.nominal[body])
        geom = int(self._model.body_geomadr[body])
        if "geom_size" in self.fields and geom >= 0:
            size = self.fields["geom_size"]
            ratio *= float(size.live[row, geom].max() / size.nominal[geom].max()) ** 2
        inertia.live[row, body] = np.asarray(inertia.nominal[body]) * ratio

    def _camera_rotation(
        self, row: int, ids: list[int], how: str, value: Json, target: str
    ) -> None:
        """A rotation vector in rad, in the camera's own axes."""
        if how != "add":
            raise ConfigError(f"a rotation is added, not {how}", where=target)
        vector = _combine(np.zeros(3), how, value, target)
        turn, out = np.empty(4), np.empty(4)
        angle = float(np.linalg.norm(vector))
        mujoco.mju_axisAngle2Quat(
            turn, vector / angle if angle > 0 else np.array([0, 0, 1.0]), angle
        )
        for i in ids:
            mujoco.mju_mulQuat(out, np.asarray(self.fields["cam_quat"].nominal[i]), turn)
            self.fields["cam_quat"].live[row, i] = out

    def _camera_fovy(self, row: int, ids: list[int], how: str, value: Json, target: str) -> None:
        """Vertical field of view in degrees, also of cameras given by focal length."""
        fovy, intrinsic = self.fields["cam_fovy"], self.fields["cam_intrinsic"]
        for i in ids:
            new = float(_combine(fovy.nominal[i], how, value, target))
            if not 1 <= new <= 170:
                raise ConfigError(f"field of view becomes {new:g} degrees", where=target)
            fovy.live[row, i] = new
            ratio = np.tan(np.radians(fovy.nominal[i]) / 2) / np.tan(np.radians(new) / 2)
            intrinsic.live[row, i, :2] = np.asarray(intrinsic.nominal[i, :2]) * ratio

    def _material_texture(
        self, row: int, ids: list[int], how: str, value: Json, target: str
    ) -> None:
        if how != "set":
            raise ConfigError(f"a texture is set, not {how}", where=target)
        if value not in self._names["texture"]:
            raise unknown("texture", str(value), self._names["texture"], where=target)
        role = int(mujoco.mjtTextureRole.mjTEXROLE_RGB)
        for i in ids:
            self.fields["mat_texid"].live[row, i, role] = self._names["texture"].index(str(value))

    def _actuator_gain(self, row: int, ids: list[int], how: str, value: Json, target: str) -> None:
        """Stiffness and damping of a position servo, scaled together."""
        for i in ids:
            factor = float(_combine(np.array(1.0), how, value, target))
            for name in ("actuator_gainprm", "actuator_biasprm"):
                field = self.fields[name]
                field.live[row, i] = np.asarray(field.nominal[i]) * factor


def _combine(nominal: npt.ArrayLike, how: str, value: Json, target: str) -> Array:
    """Nominal, changed by value: set | scale | add, broadcast to nominal's shape."""
    base = np.asarray(nominal, float)
    if isinstance(value, bool) or not isinstance(value, (int, float, list)):
        raise ConfigError(f"value {value!r} is not a number or a list of numbers", where=target)
    number = np.asarray(value, float)
    if number.shape not in ((), base.shape) or not np.isfinite(number).all():
        raise ConfigError(
            f"value {value!r} does not fit shape {base.shape}", where=target, do="give that many"
        )
    if how == "set":
        return np.broadcast_to(number, base.shape).copy()
    if how == "scale":
        return np.asarray(base * number)
    if how == "add":
        return np.asarray(base + number)
    raise unknown("how", how, ("set", "scale", "add"), where=target)

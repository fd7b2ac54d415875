"""Tasks in MuJoCo, and their scripted experts."""

from __future__ import annotations

from dataclasses import dataclass, field

from trimix.core.contracts import Json, Policy, World
from trimix.core.errors import ConfigError
from trimix.core.plain import plain
from trimix.policy.labelled import DisturbanceConfig, Disturbed
from trimix.randomization import choose
from trimix.sim.axes import AXES
from trimix.sim.cameras import renderer
from trimix.sim.robots import ROBOTS, is_file, load
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks import TASKS

_DEFAULT = MujocoConfig()


@dataclass(frozen=True)
class MujocoSpec:
    """A task in MuJoCo under a preset of randomization; it is called "mujoco:<preset>".

    Args:
        task: registered task, or "module:class" of your own.
        randomization: a preset, or a YAML file of axes.
        cameras, image_hw, control_mode, control_dt_s: see sim.world.MujocoConfig.
        draw_images: False for a world without cameras.
        robot: registered robot, "module:attribute", or an MJCF's YAML; "" for the task's own.
    """

    task: str = "banana_on_plate"
    randomization: str = "none"
    cameras: tuple[str, ...] = _DEFAULT.cameras
    image_hw: tuple[int, int] = _DEFAULT.image_hw
    control_mode: str = _DEFAULT.control_mode
    control_dt_s: float = _DEFAULT.control_dt_s
    draw_images: bool = True
    robot: str = ""

    @property
    def name(self) -> str:
        """With the preset, which decides what is met in it."""
        return f"mujoco:{self.randomization}"

    @property
    def robot_type(self) -> str:
        """The robot, or else the task's own."""
        return self.robot or str(TASKS[self.task]().robot)

    def make(self, rows: int) -> MujocoWorld:
        """The world; see MujocoWorld.

        Raises:
            ConfigError: an unknown task, preset, camera or control mode.
        """
        config = MujocoConfig(
            cameras=self.cameras,
            image_hw=self.image_hw,
            control_mode=self.control_mode,
            control_dt_s=self.control_dt_s,
            draw_images=self.draw_images,
        )
        return MujocoWorld(
            TASKS[self.task](),
            rows,
            robot=self.robot,
            randomization=self.randomization,
            config=config,
            name=self.name,
        )

    def reads(self) -> Json:
        """Its settings, what its names stand for, and what draws its images."""
        return [
            "mujoco",
            plain(self),
            TASKS.where(self.task),
            load(self.robot_type).digest() if is_file(self.robot_type) else self._robot_code()[0],
            choose.digest(self.randomization),
            renderer() if self.draw_images else "",
        ]

    def code(self) -> tuple[str, ...]:
        """This module, the task's, its robot's, and those of the axes of randomization."""
        axes = {AXES.where(name) for name in AXES}
        named = (TASKS.where(self.task), *self._robot_code(), *sorted(axes))
        return (__name__, *dict.fromkeys(where.partition(":")[0] for where in named))

    def _robot_code(self) -> tuple[str, ...]:
        """The "module:attribute" of its robot, if it is not a file's."""
        return () if is_file(self.robot_type) else (ROBOTS.where(self.robot_type),)


@dataclass(frozen=True)
class ExpertSpec:
    """The scripted expert of a MuJoCo world's task, which sees the simulator's state.

    Args:
        name: what data sets call it.
        disturbance: of its actions, while its labels stay clean; with std 0 there is none.
    """

    name: str = "expert"
    disturbance: DisturbanceConfig = field(default_factory=DisturbanceConfig)

    def load(self, world: World) -> Policy:
        """The task's own expert.

        Raises:
            ConfigError: the world is not a MuJoCo one.
        """
        if not isinstance(world, MujocoWorld):
            raise ConfigError(
                "a scripted expert needs the simulator's state",
                where=type(world).__name__,
                do="let it act in world=mujoco",
            )
        expert = world.task.expert(world.physics, world.goals, world.interface)
        return Disturbed(expert, self.disturbance) if self.disturbance.std else expert

    def reads(self) -> Json:
        """Its settings: the world says which task."""
        return plain(self)

    def code(self) -> tuple[str, ...]:
        """This module; the world names the task's."""
        return (__name__,)

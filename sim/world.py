"""MuJoCo as a world: N rows of one task under randomization.

Axes: N rows, H x W pixels, D state channels, A action channels, S simulator state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.vector import AutoresetMode

from trimix.core.contracts import (
    F32,
    F64,
    U8,
    BoolArray,
    Draw,
    Goal,
    Obs,
    PolicyInterface,
    Start,
    World,
)
from trimix.core.errors import ConfigError
from trimix.core.limits import require_view
from trimix.core.seeds import stream
from trimix.core.spaces import observation_space
from trimix.randomization.choose import randomizer
from trimix.randomization.vary import Randomizer
from trimix.sim.axes.roles import find_roles
from trimix.sim.begin import begin
from trimix.sim.cameras import Cameras
from trimix.sim.control import Control
from trimix.sim.identity import checksums, model_hash, versions
from trimix.sim.lasting import lasting
from trimix.sim.link import Link
from trimix.sim.physics import POSE, Physics
from trimix.sim.robots import load
from trimix.sim.robots.robot import Robot
from trimix.sim.scene import Scene, SceneConfig
from trimix.sim.task import Task
from trimix.sim.witness import Witness


@dataclass(frozen=True)
class MujocoConfig:
    """How a task is simulated.

    Args:
        cameras: which cameras the policy sees; empty for the task's first.
        image_hw: their size in px.
        control_mode: joint_velocity | joint_position | ee_delta.
        control_dt_s: control period.
        threads: of the physics.
        draw_images: False simulates without cameras, e.g. to replay where there is no OpenGL.
        scene: how fine physics and pictures are.
    """

    cameras: tuple[str, ...] = ()
    image_hw: tuple[int, int] = (64, 64)
    control_mode: str = "joint_velocity"
    control_dt_s: float = 0.1
    threads: int = 1
    draw_images: bool = True
    scene: SceneConfig = field(default_factory=SceneConfig)

    def __post_init__(self) -> None:
        require_view(self.image_hw, self.control_dt_s)


class MujocoWorld(World):
    """N rows of a task, stepped together, each with a randomization draw of its own.

    Args:
        task: what happens in it.
        n: rows.
        robot: registered robot, "module:attribute", a YAML file or a robot; "" for the task's own.
        randomization: a preset, a YAML file of axes or a randomizer of your own; it draws what a
            Start leaves open.
        config: cameras, control, physics.
        name: recorded as the episodes' world.

    Raises:
        ConfigError: a camera, control mode or randomization target that does not exist.
    """

    metadata = {"autoreset_mode": AutoresetMode.DISABLED, "render_modes": []}  # noqa: RUF012
    origin = "sim"

    def __init__(
        self,
        task: Task,
        n: int = 1,
        *,
        robot: str | Robot = "",
        randomization: str | Randomizer = "none",
        config: MujocoConfig | None = None,
        name: str = "mujoco",
    ) -> None:
        self.config = config = config or MujocoConfig()
        self.task, self.num_envs, self.name = task, n, name
        if n < 1:
            raise ConfigError(f"a world needs at least one row, not {n}")
        robot = robot if isinstance(robot, Robot) else load(robot or task.robot)
        _require_able(task, robot)
        scene = Scene(robot, config.scene)
        task.compose(scene)
        self.model = scene.compile()
        cameras = (config.cameras or task.cameras[:1]) if config.draw_images else ()
        things = scene.inventory
        self.roles = find_roles(
            self.model,
            props=things.props,
            fixtures=things.fixtures,
            tables=things.tables,
            cameras=cameras,
            joints=robot.joints,
            tool=robot.tool,
            planar=robot.planar,
            pads=[body for finger in robot.fingers for body in finger],
            own=task.axes(),
        )
        if isinstance(randomization, str):
            randomization = randomizer(randomization, self.roles)
        self.randomizer = randomization
        self.physics = Physics(
            self.model,
            robot,
            n,
            threads=config.threads,
            targets=[axis.target for axis in self.randomizer.axes],
        )
        for axis in self.randomizer.axes:
            self.physics.parameters.check(axis.target)
        self._cameras = Cameras(self.physics, dict.fromkeys(cameras, config.image_hw))
        self.interface = PolicyInterface(
            cameras=dict.fromkeys(cameras, config.image_hw),
            state=robot.state_channels(),
            action=robot.action_channels(
                config.control_mode, self.physics.joint_limits, config.control_dt_s
            ),
            control_mode=config.control_mode,
            control_dt_s=config.control_dt_s,
        )
        self._things = things
        self._witness = Witness(self.physics, things, self.interface.cameras)
        self._control = Control(self.physics, config.control_mode, config.control_dt_s)
        self._link = Link(
            self.physics,
            config.control_mode,
            config.control_dt_s,
        )
        self.time_limit_s = task.time_limit_s
        self._max_steps = round(task.time_limit_s / config.control_dt_s)
        self._hold_steps = max(1, round(task.hold_s / config.control_dt_s))
        self.model_hash = model_hash(self.model)
        self._low = np.array([-np.inf if c.low is None else c.low for c in self.interface.action])
        self._high = np.array([np.inf if c.high is None else c.high for c in self.interface.action])
        self.single_action_space = gym.spaces.Box(
            self._low.astype(np.float32), self._high.astype(np.float32), dtype=np.float32
        )
        self.single_observation_space = observation_space(self.interface)
        self.action_space = gym.vector.utils.batch_space(self.single_action_space, n)
        self.observation_space = gym.vector.utils.batch_space(self.single_observation_space, n)
        self._starts: list[Start] = [Start(0, i) for i in range(n)]
        self._draws: list[Draw] = [{} for _ in range(n)]
        self.goals: list[Goal] = [Goal("")] * n
        self._steps = np.zeros(n, int)
        self._held = np.zeros(n, int)
        self._finished = np.ones(n, bool)
        self._abstained = np.zeros(n, bool)
        self._success, self._lasts = np.zeros(n, bool), np.zeros(n, bool)
        self._images: dict[str, U8] = {
            c: np.zeros((n, *config.image_hw, 3), np.uint8) for c in cameras
        }
        self._state = np.zeros((n, len(self.interface.state)), np.float32)
        # When the pictures that the policy sees were taken, and all poses then.
        self._seen_at = np.zeros(n, int)
        self._seen: F64 | None = None
        # Rows that nobody began have a goal all the same: predicates are asked of all rows.
        self.physics.reset(range(n))
        begin(task, self.physics, self._things, self._starts, self.goals, range(n))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Obs, dict[str, Any]]:
        """Begin episodes in the rows of options["reset_mask"], at options["starts"]."""
        options = options or {}
        mask = np.asarray(options.get("reset_mask", np.ones(self.num_envs, bool)), bool)
        starts: Sequence[Start | None] = options.get("starts") or [None] * self.num_envs
        if mask.shape != (self.num_envs,) or len(starts) != self.num_envs:
            raise ConfigError(f"starts and reset_mask must have one entry for {self.num_envs} rows")
        rows = [int(i) for i in np.flatnonzero(mask)]
        if not rows:
            return self._obs(), self._info()
        self.physics.reset(rows)
        for i in rows:
            start = starts[i] or Start(0 if seed is None else seed, i)
            self._starts[i] = start
            draw = self.draw(start.seed, start.episode) if start.draw is None else start.draw
            self._draws[i] = draw
            Randomizer.apply(draw, i, self.physics.parameters)
        self.physics.parameters.commit(rows)
        begin(self.task, self.physics, self._things, self._starts, self.goals, rows)
        self._control.reset(mask)
        self._steps[mask], self._held[mask] = 0, 0
        self._finished[mask], self._abstained[mask] = False, False
        self._success[mask], self._lasts[mask] = False, False
        for i in rows:
            self._link.reset(i, self._starts[i], self.physics.joints()[i])
        self._observe(rows)
        return self._obs(), self._info()

    def step(self, action: F32) -> tuple[Obs, F32, BoolArray, BoolArray, dict[str, Any]]:
        """One control period; finished rows stay frozen."""
        action = np.asarray(action, np.float32)
        if action.shape != (self.num_envs, len(self.interface.action)):
            raise ConfigError(
                f"action is {action.shape}, expected {(self.num_envs, len(self.interface.action))}"
            )
        active = ~self._finished
        rows = [int(i) for i in np.flatnonzero(active)]
        if not np.isfinite(action[active]).all():
            bad = next(i for i in rows if not np.isfinite(action[i]).all())
            raise ConfigError(f"action of row {bad} is not finite: {action[bad].tolist()}")
        executed = np.clip(action, self._low, self._high).astype(np.float32)
        reward = np.zeros(self.num_envs, np.float32)
        terminated = np.zeros(self.num_envs, bool)
        truncated = np.zeros(self.num_envs, bool)
        if rows:
            arrived = self.physics.robot.command_of(
                executed.astype(np.float64), self.config.control_mode
            )
            lost = self._link.command(arrived, rows, self._steps)
            diverged = self.physics.step(rows, self._control.ramp(arrived, active, lost))
            self._steps[active] += 1
            sound = active & ~diverged
            reward[sound] = self.task.reward(self.physics, self.goals)[sound]
            good = self.task.success(self.physics, self.goals) & sound
            self._held = np.where(good, self._held + 1, np.where(active, 0, self._held))
            self._success |= active & (self._held >= self._hold_steps)
            self._abstained |= diverged
            terminated = active & self._success
            if terminated.any():
                ended = [int(i) for i in np.flatnonzero(terminated)]
                self._lasts |= lasting(self.task, self.physics, self.goals, ended)
            truncated = active & ~terminated & (diverged | (self._steps >= self._max_steps))
            self._finished |= terminated | truncated
            self._observe([i for i in rows if not diverged[i]])
        info = self._info()
        info["action"] = executed
        return self._obs(), reward, terminated, truncated, info

    @property
    def action_range(self) -> tuple[F64, F64]:
        """(A,) and (A,): the least and the most of each action channel."""
        return self._low, self._high

    @property
    def props(self) -> tuple[str, ...]:
        """Props, then fixtures: the order of frame()["props"]."""
        return self._witness.props

    def draw(self, seed: int, episode: int) -> Draw:
        """What this world's randomizer draws for an episode."""
        return self.randomizer.draw(stream(seed, episode, "draw"))

    def snapshot(self) -> F64:
        """(N, S) float64: all that a row's future follows from, beside its start and actions."""
        return np.concatenate(self._parts(), axis=1)

    def _parts(self) -> tuple[F64, ...]:
        """Of a snapshot: the physics now, control's and link's, counts, the reading, and the
        poses when the pictures that the policy sees were taken."""
        now, pose = self.physics.state(), self.physics.state(POSE)
        counts = np.stack([self._steps, self._held, self._seen_at], axis=1).astype(np.float64)
        late = (self._seen_at < self._steps)[:, None]
        seen = pose if self._seen is None else np.where(late, self._seen, pose)
        reading = self._state.astype(np.float64)
        return now, self._control.state(), self._link.state(), counts, reading, seen

    def restore(self, starts: Sequence[Start | None], snapshot: F64) -> tuple[Obs, dict[str, Any]]:
        """Go on from states that `snapshot` gave, in this world or another of its model.

        Args:
            starts: N; of the episodes that the states are from; None leaves a row as it is.
            snapshot: (N, S).

        Raises:
            ConfigError: states of another model or control.
        """
        if snapshot.shape != (expected := self.snapshot().shape):
            raise ConfigError(
                f"states are {snapshot.shape}, expected {expected}",
                where=f"task {self.task.name!r}",
                do="restore them in a world of the same task, robot and control mode",
            )
        mask = np.array([start is not None for start in starts])
        self.reset(options={"starts": list(starts), "reset_mask": mask})
        rows = [int(i) for i in np.flatnonzero(mask)]
        if rows:
            widths = [part.shape[1] for part in self._parts()]
            parts = np.split(snapshot[rows], np.cumsum(widths)[:-1], axis=1)
            now, targets, commands, counts, reading, seen = parts
            self._steps[rows], self._held[rows], seen_at = counts.T.astype(int)
            self._state[rows] = reading.astype(np.float32)
            self.physics.set_state(rows, seen, POSE)
            self._look(rows, seen_at)
            self._keep_seen(rows, seen)
            self.physics.set_state(rows, now)
            self._control.set_state(rows, targets)
            self._link.set_state(rows, commands, self.physics.joints())
        return self._obs(), self._info()

    def frame(self) -> Mapping[str, npt.NDArray[Any]]:
        """Poses (x, y, z, then the rotation's first two columns) of tool, props and cameras.

        "tool" (N, 9), "props" (N, P, 9) in the order of `props`, "opening" (N,) of the gripper,
        "camera/<name>" (N, 9) and "lens/<name>" (N, 4): focal lengths and middle in pixels;
        "checksum/<name>" (N,) of the pictures as the policy sees them (CRC-32).
        """
        sums = {f"checksum/{c}": checksums(images) for c, images in self._images.items()}
        return self._witness.frame() | sums

    @property
    def gl(self) -> str:
        """What draws its pictures; "" if it draws none."""
        return self._cameras.canvas.gl if self._images else ""

    def provenance(self, row: int) -> Mapping[str, Any]:
        """Task, start, draw, model and versions of the row's episode."""
        return {
            "origin": self.origin,
            "task": self.task.name,
            "seed": self._starts[row].seed,
            "episode": self._starts[row].episode,
            "draw": self._draws[row],
            "goal": dict(self.goals[row].params),
            "robot": self.physics.robot.name,
            "world": self.name,
            "model_hash": self.model_hash,
            "versions": versions() | ({"gl": self.gl} if self._images else {}),
        }

    def close(self, **kwargs: Any) -> None:
        """Free the OpenGL context."""
        self._cameras.close()

    def _observe(self, rows: Sequence[int]) -> None:
        """New readings of rows, and pictures where they come in time."""
        if not rows:
            return
        ids, link = list(rows), self._link
        joints = link.readings(ids, self._steps[ids], self.physics.joints())
        self._state[ids] = self.physics.robot.state_of(joints, self.physics.finger_opening()[ids])
        seen = [i for i in ids if link.arrives(i, int(self._steps[i]))]
        self._look(seen, self._steps[seen])
        if link.may_be_late(ids):
            self._keep_seen(seen, self.physics.state(POSE)[seen])

    def _keep_seen(self, rows: Sequence[int], state: F64) -> None:
        """Of which poses (len(rows), S) these rows' pictures are."""
        self._seen = self.physics.state(POSE) if self._seen is None else self._seen
        self._seen[list(rows)] = state

    def _look(self, rows: Sequence[int], steps: npt.NDArray[np.int64]) -> None:
        """Pictures of rows as they are now, numbered by (len(rows),) steps."""
        self._seen_at[list(rows)] = steps
        for c, (camera, images) in enumerate(self._cameras.draw_rows(rows).items()):
            for i, step, image in zip(rows, steps, images, strict=True):
                self._images[camera][i] = self._link.picture(i, int(step), c, image)

    def _obs(self) -> Obs:
        return {
            "images": {c: v.copy() for c, v in self._images.items()},
            "state": self._state.copy(),
            "instruction": [goal.instruction for goal in self.goals],
        }

    def _info(self) -> dict[str, Any]:
        return {
            "success": self._lasts.astype(np.float32),
            "held": self._success.copy(),
            "trust": np.ones(self.num_envs, np.float32),
            "abstained": self._abstained.copy(),
        }


def _require_able(task: Task, robot: Robot) -> None:
    if task.gripper and robot.gripper is None:
        raise ConfigError(
            f"robot {robot.name!r} has no gripper, and the task needs one",
            where=f"task {task.name!r}",
            do="choose a robot with one: robot=cr5",
        )

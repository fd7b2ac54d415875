"""MuJoCo as a world: N rows of one task under randomization.

Axes: N rows, H x W pixels, D state channels, A action channels, S simulator state.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
from gymnasium.vector import AutoresetMode

from trimix.core.contracts import F32, F64, U8, BoolArray, Draw, Obs, PolicyInterface, Start, World
from trimix.core.errors import ConfigError
from trimix.core.limits import require_view
from trimix.core.seeds import stream
from trimix.core.spaces import observation_space
from trimix.core.version import release
from trimix.randomization.presets import Parts, preset
from trimix.randomization.vary import Randomizer
from trimix.sim.cameras import Cameras, degrade
from trimix.sim.control import Control
from trimix.sim.physics import Physics
from trimix.sim.robots import ROBOTS
from trimix.sim.scene import Scene, SceneConfig
from trimix.sim.task import Task


@dataclass(frozen=True)
class MujocoConfig:
    """How a task is simulated.

    Args:
        cameras: which cameras the policy sees; empty for the task's first.
        image_hw: their size in px.
        control_mode: joint_velocity | joint_position.
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
        randomization: a preset's name or a randomizer of your own; it draws what a Start leaves
            open.
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
        randomization: str | Randomizer = "none",
        config: MujocoConfig | None = None,
        name: str = "mujoco",
    ) -> None:
        self.config = config = config or MujocoConfig()
        self.task, self.num_envs, self.name = task, n, name
        if n < 1:
            raise ConfigError(f"a world needs at least one row, not {n}")
        robot = ROBOTS[task.robot]
        scene = Scene(robot, config.scene)
        task.compose(scene)
        self.model = scene.compile()
        cameras = (config.cameras or task.cameras[:1]) if config.draw_images else ()
        if isinstance(randomization, str):
            parts = Parts(tuple(scene.props), cameras, task.axes())
            randomization = preset(randomization, parts)
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
            action=robot.action_channels(config.control_mode, self.physics.joint_limits),
            control_mode=config.control_mode,
            control_dt_s=config.control_dt_s,
        )
        self._control = Control(self.physics, config.control_mode, config.control_dt_s)
        self.time_limit_s = task.time_limit_s
        self._max_steps = round(task.time_limit_s / config.control_dt_s)
        self._hold_steps = max(1, round(task.hold_s / config.control_dt_s))
        self.model_hash = _model_hash(self.model)
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
        self._instruction = [""] * n
        self._steps = np.zeros(n, int)
        self._held = np.zeros(n, int)
        self._finished = np.ones(n, bool)
        self._abstained = np.zeros(n, bool)
        self._success = np.zeros(n, bool)
        self._images: dict[str, U8] = {
            c: np.zeros((n, *config.image_hw, 3), np.uint8) for c in cameras
        }
        self._state = np.zeros((n, len(self.interface.state)), np.float32)

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
        for i in rows:
            start = self._starts[i]
            self.task.start(self.physics.row(i), stream(start.seed, start.episode, "start"))
            words = self.task.instructions
            pick = stream(start.seed, start.episode, "instruction").integers(len(words))
            self._instruction[i] = words[int(pick)]
        self.physics.forward(rows)
        self._control.reset(mask)
        self._steps[mask], self._held[mask] = 0, 0
        self._finished[mask], self._abstained[mask], self._success[mask] = False, False, False
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
            noisy = self._action_noise(executed, rows)
            diverged = self.physics.step(rows, self._control.ramp(noisy, active))
            self._steps[active] += 1
            sound = active & ~diverged
            reward[sound] = self.task.reward(self.physics)[sound]
            good = self.task.success(self.physics) & sound
            self._held = np.where(good, self._held + 1, np.where(active, 0, self._held))
            self._success |= active & (self._held >= self._hold_steps)
            self._abstained |= diverged
            terminated = active & self._success
            truncated = active & ~terminated & (diverged | (self._steps >= self._max_steps))
            self._finished |= terminated | truncated
            self._observe([i for i in rows if not diverged[i]])
        info = self._info()
        info["action"] = executed
        return self._obs(), reward, terminated, truncated, info

    def draw(self, seed: int, episode: int) -> Draw:
        """What this world's randomizer draws for an episode."""
        return self.randomizer.draw(stream(seed, episode, "draw"))

    def snapshot(self) -> F64:
        """(N, S) float64: time, positions, velocities, activations."""
        return self.physics.state()

    def provenance(self, row: int) -> Mapping[str, Any]:
        """Task, start, draw, model and versions of the row's episode."""
        start = self._starts[row]
        return {
            "origin": self.origin,
            "task": self.task.name,
            "seed": start.seed,
            "episode": start.episode,
            "draw": self._draws[row],
            "world": self.name,
            "model_hash": self.model_hash,
            "versions": _versions(),
        }

    def close(self, **kwargs: Any) -> None:
        """Free the OpenGL context."""
        self._cameras.close()

    def _observe(self, rows: Sequence[int]) -> None:
        signals = self.physics.parameters.signals
        joints = self.physics.joints()
        for i in rows:
            self._state[i] = joints[i]
            noise = signals["state/noise_std"][i]
            if noise:
                rng = self._stream(i, "state")
                self._state[i] += rng.normal(0.0, noise, joints.shape[1]).astype(np.float32)
            gain, grain = signals["image/gain"][i], signals["image/noise_std"][i]
            for camera, image in self._cameras.draw(i).items():
                if gain != 1.0 or grain:
                    image = degrade(image, gain, grain, self._stream(i, f"image/{camera}"))
                self._images[camera][i] = image

    def _action_noise(self, action: F32, rows: Sequence[int]) -> F32:
        """What the robot makes of a command when its randomization says that it is imprecise."""
        noise = self.physics.parameters.signals["action/noise_std"]
        if not noise.any():
            return action
        out, d = action.copy(), len(self.interface.state)
        for i in rows:
            if noise[i]:
                unit = self._stream(i, "action").standard_normal(d)
                out[i, :d] += (noise[i] * np.array(self.physics.robot.speed_limit) * unit).astype(
                    np.float32
                )
        return out

    def _stream(self, row: int, purpose: str) -> np.random.Generator:
        start = self._starts[row]
        return stream(start.seed, start.episode, purpose, int(self._steps[row]))

    def _obs(self) -> Obs:
        return {
            "images": {c: v.copy() for c, v in self._images.items()},
            "state": self._state.copy(),
            "instruction": list(self._instruction),
        }

    def _info(self) -> dict[str, Any]:
        return {
            "success": self._success.astype(np.float32),
            "trust": np.ones(self.num_envs, np.float32),
            "abstained": self._abstained.copy(),
        }


@functools.cache
def _versions() -> dict[str, str]:
    return {"trimix": release(), **{p: version(p) for p in ("mujoco", "numpy")}}


def _model_hash(model: mujoco.MjModel) -> str:
    """Hash of the compiled model, byte for byte."""
    buffer = np.empty(mujoco.mj_sizeModel(model), np.uint8)
    mujoco.mj_saveModel(model, None, buffer)
    return hashlib.blake2b(buffer.tobytes(), digest_size=16).hexdigest()

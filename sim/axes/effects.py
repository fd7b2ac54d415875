"""What an axis does: the same actions with and without it, in motion and in pixels.

An axis that writes a field proves nothing: stiff servos reject damping, a directional light has no
place, the larger of two frictions counts. So the effect is measured where it matters.
Axes: N rows, T steps, A action channels, D joints, B bodies, H x W pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from trimix.core.contracts import F32, F64, U8, BoolArray, Draw, Json, Obs, Policy, Start
from trimix.core.errors import ConfigError
from trimix.randomization.vary import Vary


class Simulated(Protocol):
    """What is asked of a world: MujocoWorld, and whatever keeps its ways."""

    num_envs: int
    model: Any
    physics: Any

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Obs, dict[str, Any]]: ...

    def step(self, action: F32) -> tuple[Obs, F32, BoolArray, BoolArray, dict[str, Any]]: ...


@dataclass(frozen=True)
class Threshold:
    """From here on an axis acts: more than rounding, less than anyone would care to argue about.

    Args:
        things_mm, joints_milli, state_milli: largest difference, in mm, and mrad or mm.
        pixels: part of the pixels of some frame that differ by more than 1 level.
    """

    things_mm: float = 0.2
    joints_milli: float = 0.5
    state_milli: float = 0.5
    pixels: float = 0.005


THRESHOLD = Threshold()


@dataclass(frozen=True)
class Effect:
    """The largest differences that one axis made, over both ends of its range and all frames.

    Args:
        target: of the axis.
        ends: the two values that were tried.
        things_mm: how far any point of anything but the robot was elsewhere.
        joints_milli: how far any of the robot's joints was elsewhere, in mrad or mm.
        state_milli: the same of what the policy is told.
        pixels: part of a frame's pixels that differ by more than 1 level in some colour.
        levels: mean absolute difference over a frame, in levels of 255.
        words: whether the instruction differs.
        diverged: whether the simulation broke at an end.
    """

    target: str
    ends: tuple[Json, Json]
    things_mm: float = 0.0
    joints_milli: float = 0.0
    state_milli: float = 0.0
    pixels: float = 0.0
    levels: float = 0.0
    words: bool = False
    diverged: bool = False

    def acts(self, threshold: Threshold = THRESHOLD) -> bool:
        """Whether anything that a policy could notice differs."""
        return (
            self.words
            or self.things_mm >= threshold.things_mm
            or self.joints_milli >= threshold.joints_milli
            or self.state_milli >= threshold.state_milli
            or self.pixels >= threshold.pixels
        )


@dataclass
class _Trace:
    """One row's episode. Poses (T, B, 3) m and (T, B, 9), joints and state (T, D), pictures."""

    pos: list[F64] = field(default_factory=list)
    mat: list[F64] = field(default_factory=list)
    joints: list[F64] = field(default_factory=list)
    state: list[F32] = field(default_factory=list)
    images: list[dict[str, U8]] = field(default_factory=list)
    instruction: str = ""
    diverged: bool = False


def record(world: Simulated, policy: Policy, start: Start, steps: int) -> F32:
    """(T, A) actions of a policy in row 0 without randomization, until the episode ends.

    Args:
        world: its own randomization does not matter.
        policy: e.g. the task's expert.
        start: its draw is replaced by none.
        steps: T at most.
    """
    n = world.num_envs
    obs, _ = world.reset(options=_starts(n, [replace(start, draw={})]))
    policy.reset(np.ones(n, bool), np.arange(n, dtype=np.int64))
    taken = []
    for _ in range(steps):
        action = policy.act(obs)
        taken.append(action[0].copy())
        obs, _, terminated, truncated, _ = world.step(action)
        if terminated[0] or truncated[0]:
            break
    return np.array(taken, np.float32)


def measure(
    world: Simulated,
    axes: Sequence[Vary],
    actions: F32,
    start: Start,
    *,
    base: Draw | None = None,
) -> list[Effect]:
    """What each axis does alone, at the two ends of its distribution.

    Args:
        world: any rows; as many draws run at a time.
        axes: each compared with the base.
        actions: (T, A), taken by all; `record` makes some that matter.
        start: how the episode begins; its own draw does not matter.
        base: what is drawn beside the axis; an axis may need it to show, as a texture's
            repeats need a texture.

    Returns:
        One effect an axis, in order.

    Raises:
        ConfigError: an axis that the world does not know, or no actions.
    """
    if len(actions) == 0:
        raise ConfigError("an effect needs at least one action")
    base = dict(base or {})
    ends = [axis.value.ends() for axis in axes]
    draws: list[Draw] = [base]
    for axis, pair in zip(axes, ends, strict=True):
        draws += [base | {axis.target: {"how": axis.how, "value": value}} for value in pair]
    traces = _traces(world, draws, actions, start)
    nominal = next(traces)
    radius = _radii(world)
    effects = []
    for axis, pair in zip(axes, ends, strict=True):
        found = [_difference(nominal, next(traces), radius) for _ in pair]
        most = {name: max(f[name] for f in found) for name in found[0]}
        effects.append(Effect(axis.target, pair, **most))
    return effects


def _starts(n: int, starts: Sequence[Start]) -> dict[str, Any]:
    idle = [None] * (n - len(starts))
    return {"starts": [*starts, *idle], "reset_mask": np.arange(n) < len(starts)}


def _traces(
    world: Simulated, draws: Sequence[Draw], actions: F32, start: Start
) -> Iterator[_Trace]:
    """Each draw's episode, as many at a time as the world has rows."""
    n, others = world.num_envs, _others(world)
    xpos, xmat = world.physics.batch.bind("xpos"), world.physics.batch.bind("xmat")
    for first in range(0, len(draws), n):
        some = draws[first : first + n]
        out = [_Trace() for _ in some]
        obs, info = world.reset(options=_starts(n, [replace(start, draw=d) for d in some]))
        running = np.ones(n, bool)
        for t in range(len(actions) + 1):
            if t:
                step = np.repeat(actions[t - 1][None], n, axis=0)
                obs, _, terminated, truncated, info = world.step(step)
            for i, trace in enumerate(out):
                if not running[i]:
                    continue
                trace.diverged |= bool(info["abstained"][i])
                trace.pos.append(np.array(xpos[i, others]))
                trace.mat.append(np.array(xmat[i, others]).reshape(-1, 9))
                trace.joints.append(np.array(world.physics.joints()[i]))
                trace.state.append(np.array(obs["state"][i]))
                trace.images.append({c: v[i].copy() for c, v in obs["images"].items()})
                trace.instruction = obs["instruction"][i]
            if t:
                running &= ~(terminated | truncated)
        yield from out


def _difference(a: _Trace, b: _Trace, radius: F64) -> dict[str, Any]:
    """Effect's fields, over the frames that both episodes have."""
    shares, means = [0.0], [0.0]
    frames = min(len(a.pos), len(b.pos))
    apart = np.linalg.norm(np.array(a.pos[:frames]) - np.array(b.pos[:frames]), axis=-1)
    # Frobenius' |R_a - R_b| is 2 sqrt(2) sin(angle / 2), and a point at r moves 2 r sin(angle / 2).
    unlike = np.linalg.norm(np.array(a.mat[:frames]) - np.array(b.mat[:frames]), axis=-1)
    turned = unlike / np.sqrt(2) * radius
    joints = np.abs(np.array(a.joints[:frames]) - np.array(b.joints[:frames]))
    state = np.abs(np.array(a.state[:frames]) - np.array(b.state[:frames]))
    for one, other in zip(a.images[:frames], b.images[:frames], strict=True):
        for camera, image in one.items():
            levels = np.abs(image.astype(np.int16) - other[camera])
            shares.append(float((levels.max(-1) > 1).mean()))
            means.append(float(levels.mean()))
    return {
        "things_mm": 1e3 * float(np.max(apart + turned, initial=0.0)),
        "joints_milli": 1e3 * float(joints.max(initial=0.0)),
        "state_milli": 1e3 * float(state.max(initial=0.0)),
        "pixels": max(shares),
        "levels": max(means),
        "words": a.instruction != b.instruction,
        "diverged": b.diverged,
    }


def _others(world: Simulated) -> list[int]:
    """Bodies that move and are not the robot's."""
    model, physics = world.model, world.physics
    joints = [j for j in range(model.njnt) if int(model.jnt_qposadr[j]) in set(physics.joint_qpos)]
    roots = {int(model.body_rootid[model.jnt_bodyid[j]]) for j in joints}
    return [
        b
        for b in range(1, model.nbody)
        if model.body_weldid[b] and int(model.body_rootid[b]) not in roots
    ]


def _radii(world: Simulated) -> F64:
    """(B,) m from each body's origin to its farthest point, at least."""
    model, out = world.model, []
    for b in _others(world):
        geoms = range(model.body_geomadr[b], model.body_geomadr[b] + model.body_geomnum[b])
        reach = [float(np.linalg.norm(model.geom_pos[g]) + model.geom_rbound[g]) for g in geoms]
        out.append(max(reach, default=0.0))
    return np.array(out)


def dead(effects: Sequence[Effect], threshold: Threshold = THRESHOLD) -> list[str]:
    """Targets that act nowhere among these effects, which may be of several worlds."""
    alive: dict[str, bool] = {}
    for effect in effects:
        alive[effect.target] = alive.get(effect.target, False) or effect.acts(threshold)
    return [target for target, acts in alive.items() if not acts]

"""THE loop: a policy acts in a world, and episodes come out.

Collection and evaluation share it, so that what is trained on and what is scored are made alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from trimix.core.contracts import F32, F64, U8, LabellingPolicy, Obs, Policy, Start, World
from trimix.core.episode import Episode, Provenance
from trimix.core.seeds import seed63


@dataclass
class _Rows:
    """What one row of the world has gathered of its running episode."""

    index: int
    start: Start
    images: dict[str, list[U8]] = field(default_factory=dict)
    state: list[F32] = field(default_factory=list)
    action: list[F32] = field(default_factory=list)
    reward: list[float] = field(default_factory=list)
    success: list[bool] = field(default_factory=list)
    done: list[bool] = field(default_factory=list)
    trust: list[float] = field(default_factory=list)
    sim_state: list[F64] = field(default_factory=list)
    frames: dict[str, list[npt.NDArray[Any]]] = field(default_factory=dict)
    instruction: str = ""
    abstained: bool = False
    reward_known: bool = True
    success_known: bool = True


def rollout(
    world: World,
    policy: Policy,
    starts: Sequence[Start],
    *,
    policy_name: str = "",
    keep_images: bool = True,
) -> Iterator[tuple[int, Episode]]:
    """Run one episode for every start; rows that finish take the next start.

    Args:
        world: N rows; len(starts) need not be a multiple of N.
        policy: shares the world's interface.
        starts: where the episodes begin.
        policy_name: recorded as the episodes' policy.
        keep_images: False drops images as soon as the policy has seen them (evaluation).

    Yields:
        (index into starts, episode) in the order in which episodes finish. With equal starts
        the episodes do not depend on N, as long as the policy's rows do not.

    Raises:
        InterfaceError: the policy's interface is not the world's.
    """
    world.interface.require_same(policy.interface, where="rollout of a policy in a world")
    n = world.num_envs
    queue = list(enumerate(starts))[::-1]
    rows: list[_Rows | None] = [None] * n

    def begin(mask: np.ndarray) -> tuple[Obs, np.ndarray]:
        """Fill the masked rows from the queue and reset them."""
        seeds = np.zeros(n, np.int64)
        options: list[Start | None] = [None] * n
        fresh = np.zeros(n, bool)
        for i in np.flatnonzero(mask):
            if not queue:
                rows[i] = None
                continue
            index, start = queue.pop()
            rows[i] = _Rows(index, start)
            options[i], fresh[i] = start, True
            seeds[i] = seed63(start.seed, start.episode, "policy")
        obs, _ = world.reset(options={"starts": options, "reset_mask": fresh})
        policy.reset(fresh, seeds)
        return obs, fresh

    obs, _ = begin(np.ones(n, bool))
    while any(row is not None for row in rows):
        sim_state, frame = world.snapshot(), world.frame()
        action = np.asarray(policy.act(obs), np.float32)
        labels = policy.labels.copy() if isinstance(policy, LabellingPolicy) else None
        # Before the step: a world may write its next observation into the same arrays.
        for i, row in enumerate(rows):
            if row is None:
                continue
            if keep_images:
                for name, image in obs["images"].items():
                    row.images.setdefault(name, []).append(image[i].copy())
            row.state.append(obs["state"][i].copy())
            row.instruction = obs["instruction"][i]
            if sim_state is not None:
                row.sim_state.append(sim_state[i].copy())
            for name, values in frame.items():
                row.frames.setdefault(name, []).append(values[i].copy())
        obs, reward, terminated, truncated, info = world.step(action)
        finished = np.zeros(n, bool)
        for i, row in enumerate(rows):
            if row is None:
                continue
            taken = info["action"][i].copy() if "action" in info else action[i].copy()
            row.action.append(taken if labels is None else labels[i])
            if labels is not None:
                row.frames.setdefault("executed", []).append(taken)
            row.reward.append(float(reward[i]))
            row.success.append(bool(info["success"][i] >= 0.5))
            row.done.append(bool(terminated[i] or truncated[i]))
            row.trust.append(float(info["trust"][i]))
            row.abstained = bool(info["abstained"][i])
            row.reward_known = bool(info["reward_known"][i]) if "reward_known" in info else True
            row.success_known = bool(info["success_known"][i]) if "success_known" in info else True
            finished[i] = row.done[-1]
        if finished.any():
            done_rows = [(int(i), rows[i]) for i in np.flatnonzero(finished)]
            ended = [
                (r.index, _episode(world, i, r, policy_name)) for i, r in done_rows if r is not None
            ]
            obs, _ = begin(finished)
            yield from ended


def _episode(world: World, row: int, gathered: _Rows, policy_name: str) -> Episode:
    provenance = Provenance(
        **{**world.provenance(row), "policy": policy_name},
        success=any(gathered.success) if gathered.success_known else None,
        abstained=gathered.abstained,
    )
    return Episode(
        interface=world.interface,
        instruction=gathered.instruction,
        images={k: np.stack(v) for k, v in gathered.images.items()},
        state=np.stack(gathered.state),
        action=np.stack(gathered.action),
        provenance=provenance,
        reward=np.asarray(gathered.reward, np.float32) if gathered.reward_known else None,
        success=np.asarray(gathered.success, bool) if gathered.success_known else None,
        done=np.asarray(gathered.done, bool),
        trust=np.asarray(gathered.trust, np.float32),
        sim_state=np.stack(gathered.sim_state) if gathered.sim_state else None,
        frames={k: np.stack(v) for k, v in gathered.frames.items()},
    )

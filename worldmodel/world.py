"""DreamWorld: the world model as a World, batched like any other.

Axes: N rows, C cameras, H x W pixels, D state channels, A action channels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch

from trimix.core.contracts import F32, BoolArray, Info, Obs, Parent, Start, World
from trimix.core.episode import HELDOUT
from trimix.core.errors import ConfigError
from trimix.core.seeds import stream
from trimix.core.spaces import observation_space
from trimix.data.dataset import Dataset, with_split
from trimix.data.fingerprint import FingerprintSet
from trimix.data.lineage import recordings
from trimix.worldmodel.clips import Clips
from trimix.worldmodel.lineage import require_unseen
from trimix.worldmodel.pipeline import Belief, WorldModelPipeline, image_layout
from trimix.worldmodel.starts import StartFrames
from trimix.worldmodel.trust import to_levels


@dataclass(frozen=True)
class DreamConfig:
    """How dreams run.

    Args:
        time_limit_s: a dream is truncated there.
        abstain_below: a dream is cut where its trust falls below this.
        end_above: a dream terminates where the probability of the end or of success exceeds this.
        sampler_steps: of the residual; None: the model's default. See WorldModelPipeline.
        split: of the episodes from which starts are drawn when none is given.
        device: of the computation; "cpu" repeats bit for bit on one machine and batch size.
    """

    time_limit_s: float = 3.0
    abstain_below: float = 0.1
    end_above: float = 0.5
    sampler_steps: int | None = None
    split: str = "train"
    device: str = "cpu"

    def __post_init__(self) -> None:
        if not self.time_limit_s > 0:
            raise ConfigError(f"time_limit_s is {self.time_limit_s}", do="give more than 0")
        for name in ("abstain_below", "end_above"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} is {getattr(self, name)}", do="give 0 to 1")


# Rows that the network computes on together, whatever N is.
_TILE = 16


@dataclass
class _Row:
    """One running dream."""

    start: Start
    parent: Parent
    steps: int = 0


class DreamWorld(World):
    """N dreams that begin at recorded frames.

    A row's noise is keyed by (seed, episode, step) and the network computes on tiles of a fixed
    size, so an episode does not depend on its neighbours or on N.

    A dream terminates when the model says that the episode ends or succeeds, and is truncated at
    the time limit or where trust falls below `abstain_below` (info["abstained"]).
    info["trust"] is of the whole row: the lower of the frame acted on and the one that followed.
    info["success"] is the model's probability of success. If no training data had success labels,
    it is 0 and info["success_known"] is False: nobody may count such a dream as a failure.

    Args:
        pipeline: a trained world model.
        datasets: where dreams begin; their interfaces are the model's.
        num_envs: N.
        cache_dir: of decoded frames, see open_cache.

    Raises:
        InterfaceError: a data set has another interface.
        DataError: no episode of the split is in the data sets; the model learned from one of the
            held-out episodes that dreams are to begin in.
    """

    origin = "dream"

    def __init__(
        self,
        pipeline: WorldModelPipeline,
        datasets: Sequence[Dataset],
        num_envs: int = 1,
        config: DreamConfig | None = None,
        cache_dir: Path | None = None,
    ) -> None:
        self.config = config or DreamConfig()
        self.pipeline = pipeline.to(self.config.device)
        self.interface = pipeline.interface
        self.cameras, self.image_hw = image_layout(self.interface)
        self.time_limit_s = self.config.time_limit_s
        self.limit = max(1, round(self.time_limit_s / self.interface.control_dt_s))
        for dataset in datasets:
            self.interface.require_same(
                dataset.interface, where=str(dataset.root), do="train a world model on such data"
            )
        clips = [Clips(dataset, cache_dir=cache_dir) for dataset in datasets]
        self.starts = StartFrames(clips, self.config.split, self.limit)
        self.model_hash = pipeline.weights_hash()
        learned = pipeline.learned_from()
        self.models = {name: m for d in datasets for name, m in d.models.items()}
        if learned is not None:
            self.models[self.model_hash] = learned
        if self.config.split == HELDOUT:
            for dataset in datasets:
                require_unseen(pipeline, dataset, with_split(dataset, HELDOUT))
        self._held = FingerprintSet(f for d in datasets for f in recordings(d, HELDOUT))
        self._learned_held_out = any(f in self._held for f in learned or ())
        self._make_spaces(num_envs)
        self._rows: list[_Row | None] = [None] * num_envs
        self._belief = self._blank(num_envs)
        self._trust = np.ones(num_envs, np.float32)
        self._success = np.zeros(num_envs, np.float32)
        self._abstained = np.zeros(num_envs, bool)
        self._finished = np.ones(num_envs, bool)

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Obs, Info]:
        """Begin the masked rows; see World.

        Raises:
            ConfigError: a start asks for a randomization draw: a dream has no physics to draw.
            DataError: a start's parent is not a frame of the data sets.
        """
        options = options or {}
        n = self.num_envs
        mask = np.asarray(options.get("reset_mask", np.ones(n, bool)), bool)
        starts = options.get("starts") or [None] * n
        seeds = list(seed) if isinstance(seed, Sequence) else [seed] * n
        begun = []
        for i in np.flatnonzero(mask):
            start = starts[i] or Start(int(seeds[i] or 0), int(i))
            if start.draw:
                raise ConfigError(
                    "a dream cannot apply a randomization draw", do="give starts without one"
                )
            parent = start.parent or self.starts.draw(start)
            self.starts.require(parent)
            self._rows[i] = _Row(start, parent)
            begun.append(i)
        self._begin(np.asarray(begun, np.int64))
        return self._obs(), self._info(self._trust)

    def step(self, action: np.ndarray) -> tuple[Obs, F32, BoolArray, BoolArray, Info]:
        """One control period of every row that has not finished; see World.

        Args:
            action: (N, A) in physical units; clipped to declared limits, as info["action"].

        Raises:
            ConfigError: the action has another shape or is not finite.
        """
        action = self._checked(action)
        live = np.flatnonzero(~self._finished)
        n = self.num_envs
        reward, terminated, truncated = (
            np.zeros(n, np.float32),
            np.zeros(n, bool),
            np.zeros(n, bool),
        )
        trust = self._trust.copy()
        if len(live):
            tiles = [live[i : i + _TILE] for i in range(0, len(live), _TILE)]
            found = np.concatenate([self._advance(tile, action) for tile in tiles], axis=1)
            reward[live], success, end, trusted = found
            self._success[live] = success
            terminated[live] = np.maximum(success, end) > self.config.end_above
            trust[live] = np.minimum(self._trust[live], trusted)
            self._trust[live] = trusted
            self._abstained[live] = trusted < self.config.abstain_below
            late = np.array([self._row(int(i)).steps >= self.limit for i in live])
            truncated[live] = (late | self._abstained[live]) & ~terminated[live]
            self._finished[live] = terminated[live] | truncated[live]
        info = self._info(trust)
        info["action"] = action
        return self._obs(), reward, terminated, truncated, info

    def _advance(self, rows: np.ndarray, action: F32) -> F32:
        """One step of at most a tile of rows; the tile is filled up with repeats of them.

        The network thus always computes on the same shapes, and the bits of a row do not depend
        on how many others there are.

        Returns:
            (4, len(rows)): reward, success, end, trust.
        """
        b, filled = len(rows), np.resize(rows, _TILE)
        noise = np.stack([self._noise(self._row(int(i))) for i in filled])
        device = self._belief.last.device
        prediction = self.pipeline(
            self._belief.take(torch.from_numpy(filled).to(device)),
            torch.from_numpy(action[filled]).to(device),
            torch.from_numpy(noise).to(device),
            self.config.sampler_steps,
        )
        first = torch.arange(b, device=device)
        index = torch.from_numpy(rows).to(device)
        self._belief = self._belief.put(index, prediction.belief.take(first))
        for i in rows:
            self._row(int(i)).steps += 1
        parts = (prediction.reward, prediction.success, prediction.end, prediction.trust)
        found: F32 = torch.stack(parts)[:, :b].float().cpu().numpy()
        return found

    def _row(self, i: int) -> _Row:
        row = self._rows[i]
        assert row is not None, "a live row was reset"
        return row

    def parent(self, row: int) -> Parent | None:
        """The recorded frame that the row's dream began from; None before its first reset."""
        held = self._rows[row]
        return None if held is None else held.parent

    def provenance(self, row: int) -> Mapping[str, Any]:
        """See World.

        The split is held-out if the start frame's episode or one that the model learned from is,
        in any of the data sets.
        """
        held = self._rows[row]
        if held is None:
            raise ValueError(f"row {row} was never reset")
        root = self.starts.fingerprint(held.parent)
        leaks = self._learned_held_out or root in self._held
        return {
            "origin": "dream",
            "seed": held.start.seed,
            "episode": held.start.episode,
            "draw": {},
            "task": self.starts.episode(held.parent).provenance.task,
            "world": "dream",
            "model_hash": self.model_hash,
            "versions": {name: version(name) for name in ("diffusers", "torch")},
            "parent": held.parent,
            "split": HELDOUT if leaks else held.parent.split,
            "fingerprint": root,
            "models": (self.model_hash, *self.starts.episode(held.parent).provenance.models),
        }

    def _begin(self, begun: np.ndarray) -> None:
        """Put the recorded frames of these rows into the belief."""
        for i in begun:
            row = self._rows[i]
            assert row is not None
            belief = self.starts.clip(row.parent).belief().to(self._belief.last.device)
            index = torch.tensor([int(i)], device=belief.last.device)
            self._belief = self._belief.put(index, belief)
        self._trust[begun] = 1
        self._success[begun] = 0
        self._abstained[begun] = False
        self._finished[begun] = False

    def _checked(self, action: np.ndarray) -> F32:
        action = np.asarray(action, np.float32)
        if action.shape != (self.num_envs, len(self.interface.action)):
            raise ConfigError(
                f"the action is {action.shape}",
                do=f"give {(self.num_envs, len(self.interface.action))}",
            )
        if not np.isfinite(action).all():
            raise ConfigError("the action has values that are not finite")
        clipped: F32 = np.clip(action, self._low, self._high)
        return clipped

    def _noise(self, row: _Row) -> F32:
        rng = stream(row.start.seed, row.start.episode, "dream noise", row.steps)
        return rng.standard_normal(self.pipeline.noise_shape(), dtype=np.float32)

    def _obs(self) -> Obs:
        levels = to_levels(self._belief.last).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
        return {
            "images": {
                camera: np.ascontiguousarray(levels[..., 3 * i : 3 * i + 3])
                for i, camera in enumerate(self.cameras)
            },
            "state": self._belief.state.cpu().numpy().copy(),
            "instruction": [self._instruction(row) for row in self._rows],
        }

    def _instruction(self, row: _Row | None) -> str:
        if row is None:
            return ""
        tasks = self.starts.episode(row.parent).tasks
        return tasks[0] if tasks else ""

    def _info(self, trust: F32) -> Info:
        heads, n = self.pipeline.heads, self.num_envs
        return {
            "success": self._success.copy(),
            "success_known": np.full(n, heads.knows_success),
            "reward_known": np.full(n, heads.knows_reward),
            "trust": trust.copy(),
            "abstained": self._abstained.copy(),
        }

    def _blank(self, n: int) -> Belief:
        h, w = self.image_hw
        device = self.config.device
        frame = torch.full((n, 3 * len(self.cameras), h, w), -1.0, device=device)
        state = torch.zeros((n, len(self.interface.state)), device=device)
        return Belief.recorded(frame, frame.clone(), state, state.clone())

    def _make_spaces(self, n: int) -> None:
        self.num_envs = n
        self.metadata = {"autoreset_mode": gym.vector.AutoresetMode.DISABLED}
        channels = self.interface.action
        low = [-np.inf if c.low is None else c.low for c in channels]
        high = [np.inf if c.high is None else c.high for c in channels]
        self._low, self._high = np.asarray(low, np.float32), np.asarray(high, np.float32)
        self.single_action_space = gym.spaces.Box(self._low, self._high, dtype=np.float32)
        self.single_observation_space = observation_space(self.interface)
        self.action_space = gym.vector.utils.batch_space(self.single_action_space, n)
        self.observation_space = gym.vector.utils.batch_space(self.single_observation_space, n)

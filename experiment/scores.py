"""What policies are scored on: units of rollouts and predictions, and what is made of them.

Axes: S scenes, n windows, K actions of a chunk, A action channels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np

from trimix.core.contracts import F32, Json, Start
from trimix.core.plain import plain
from trimix.core.workers import Tick
from trimix.data.cache import open_cache
from trimix.data.dataset import Dataset
from trimix.data.windows import WindowBatch, Windows, WindowSpec
from trimix.evaluate.closed_loop import gathered
from trimix.evaluate.evaluation import Evaluation
from trimix.evaluate.offline import OfflineConfig, evaluate_offline, scored_windows
from trimix.evaluate.schema import BASELINES
from trimix.evaluate.suites import Suite
from trimix.experiment.arms import Trained
from trimix.experiment.config import Scoring
from trimix.experiment.film import block_name, load_film, save_film
from trimix.experiment.store import Entry
from trimix.experiment.work import Work
from trimix.policy.predict import predict_chunks
from trimix.policy.store import from_pretrained
from trimix.rollout.learned import LearnedSpec
from trimix.rollout.policies import PolicySpec
from trimix.rollout.scenes import Outcome, run_scenes
from trimix.rollout.worlds import WorldSpec
from trimix.train.device import pick_device, torch_threads

BLOCK = 50
"""Scenes of a suite that are run together; a longer suite has more blocks of the same scenes."""


@dataclass(frozen=True)
class RolloutsUnit:
    """One policy on one block of scenes.

    Args:
        label: for people.
        world, policy: who acts where.
        scenes: the block.
        rows: of the world.
        film: keep the images of the first success and the first failure.
    """

    kind: ClassVar[str] = "rollouts"

    label: str
    world: WorldSpec
    policy: PolicySpec
    scenes: tuple[Start, ...]
    rows: int
    film: bool

    def reads(self) -> Json:
        """Who acts where, and the scenes, whatever suite they are of."""
        return {
            "world": self.world.reads(),
            "policy": self.policy.reads(),
            "scenes": plain([asdict(scene) for scene in self.scenes]),
            "film": self.film,
            "threads": 1,
        }

    def code(self) -> tuple[str, ...]:
        """Of the world and the policy."""
        return (*self.world.code(), *self.policy.code())

    def make(self, folder: Path, tick: Tick) -> Json:
        """Run every scene."""
        world = self.world.make(min(self.rows, len(self.scenes)))
        try:
            with torch_threads(1):
                policy = self.policy.load(world)
                outcomes, filmed = run_scenes(world, policy, self.scenes, film=self.film, tick=tick)
        finally:
            world.close()
        for scene, episode in filmed.items():
            save_film(folder, scene, episode)
        return plain([asdict(outcome) for outcome in outcomes])


@dataclass(frozen=True)
class PredictionsUnit:
    """What one policy predicts at held-out windows.

    Args:
        label: for people.
        policy: which.
        data: the data set.
        episodes: its held-out ones.
        window: what a window spans.
        most: evenly spaced windows at most; None for all.
    """

    kind: ClassVar[str] = "predictions"

    label: str
    policy: LearnedSpec
    data: str
    episodes: tuple[int, ...]
    window: WindowSpec
    most: int | None

    def reads(self) -> Json:
        """The policy, the data and which windows."""
        return {
            "policy": self.policy.reads(),
            "data": Dataset.open(self.data).content_hash,
            "episodes": list(self.episodes),
            "window": plain(self.window),
            "most": self.most,
            "threads": 1,
        }

    def code(self) -> tuple[str, ...]:
        """Of the policy."""
        return self.policy.code()

    def make(self, folder: Path, tick: Tick) -> Json:
        """Predict, window by window."""
        policy = from_pretrained(Path(self.policy.path), device=pick_device(self.policy.device))
        dataset = Dataset.open(self.data)
        windows = windows_of(dataset, list(policy.interface.cameras), self.window, self.episodes)
        chunks = []
        with torch_threads(1):
            for ids in scored_windows(len(windows), OfflineConfig(max_windows=self.most)):
                chunks.append(predict_chunks(policy, windows.gather(ids)))
        np.save(folder / CHUNKS, np.concatenate(chunks), allow_pickle=False)
        tick()
        return {"windows": sum(map(len, chunks))}


CHUNKS = "chunks.npy"


def windows_of(
    dataset: Dataset, cameras: Sequence[str], window: WindowSpec, episodes: Sequence[int]
) -> Windows:
    """The windows of some episodes, as policies see them."""
    return Windows(dataset, open_cache(dataset, list(cameras)), window, list(episodes))


class _Stored:
    """Predictions that were made before, given again in the same order."""

    def __init__(self, path: Path) -> None:
        self._chunks: F32 = np.load(path, mmap_mode="r", allow_pickle=False)
        self._next = 0

    def __call__(self, batch: WindowBatch) -> F32:
        first, self._next = self._next, self._next + len(batch.frame)
        return np.asarray(self._chunks[first : self._next])


def closed_loop(
    work: Work,
    stage: str,
    world: WorldSpec,
    suite: Suite,
    policies: Sequence[tuple[str, int, PolicySpec]],
    *,
    rows: int,
    film: Sequence[tuple[str, int]] = (),
    show: Callable[[str, Entry], object] | None = None,
) -> list[Evaluation]:
    """Every policy on every scene of a suite.

    Args:
        stage: what to call it.
        policies: (arm, training seed, policy) of each.
        film: the (arm, training seed) whose first success and failure keep their images.
        show: called with a name (see film.block_name) for each entry that keeps images.

    Returns:
        an evaluation for each policy, in their order.
    """
    spans = [(i, min(i + BLOCK, len(suite))) for i in range(0, len(suite), BLOCK)]
    units = [
        RolloutsUnit(
            f"{arm} seed {seed}, {suite.name} scenes {start} to {stop - 1}",
            world,
            policy,
            suite.scenes[start:stop],
            rows,
            (arm, seed) in film,
        )
        for arm, seed, policy in policies
        for start, stop in spans
    ]
    entries = work.many(stage, units, [len(unit.scenes) for unit in units], "scene")
    found = []
    for i, (arm, seed, _) in enumerate(policies):
        mine = entries[i * len(spans) : (i + 1) * len(spans)]
        blocks = [
            ([Outcome(**o) for o in cast(list[Any], entry.result)], load_film(entry.folder))
            for entry in mine
        ]
        found.append(gathered(arm, seed, suite, blocks))
        if show is not None and (arm, seed) in film:
            for (start, _), entry in zip(spans, mine, strict=True):
                show(block_name(arm, start), entry)
    return found


def offline(
    work: Work,
    dataset: Dataset,
    trained: Sequence[Trained],
    *,
    cameras: Sequence[str],
    window: WindowSpec,
    scoring: Scoring,
) -> dict[str, Any]:
    """Every arm's policies on held-out recorded episodes, beside the trivial predictors.

    Args:
        dataset: whose held-out episodes.
        cameras, window: what the policies see of them.
        scoring: how many windows, and where policies compute.

    Returns:
        arm -> its `offline` in the report.
    """
    heldout = tuple(e.index for e in dataset.episodes if e.provenance.split == "heldout")
    train = [e.index for e in dataset.episodes if e.provenance.split == "train"]
    most = scoring.offline_windows or None
    units = [
        PredictionsUnit(
            f"{t.arm} seed {t.seed} on held-out episodes",
            t.spec(scoring.device),
            str(dataset.root),
            heldout,
            window,
            most,
        )
        for t in trained
    ]
    entries = work.many("offline", units, [1] * len(units), "policy")
    scored: dict[str, Any] = {}
    arms = list(dict.fromkeys(t.arm for t in trained))
    for arm in arms:
        mine = [e for e, t in zip(entries, trained, strict=True) if t.arm == arm]
        scored[arm] = evaluate_offline(
            dataset,
            windows_of(dataset, cameras, window, heldout),
            [_Stored(entry.folder / CHUNKS) for entry in mine],
            train_episodes=train,
            learned=[f for t in trained if t.arm == arm for f in t.learned_from()],
            config=OfflineConfig(max_windows=most, margins=len(arms) * len(BASELINES)),
        )
    return scored

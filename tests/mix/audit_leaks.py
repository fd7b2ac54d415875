"""Does anything held out get into a mix? Does anything else get kept out of it?

usage: python tests/mix/audit_leaks.py [trials] [seed]

Every trial records some episodes and brings them in several times: other splits, rates, formats,
keys and numbers; cut, brought in again, stripped of what trimix kept. It trains world models on
some of that, dreams, trains on the dreams and dreams again, and draws a random mix. What is in a
window is read off the instruction, which names the recording and which nothing else looks at; what
may be drawn follows from these names alone. Prints what was drawn and refused against that.

Not among it, for nobody can tell: jittery episodes that were resampled and then lost what trimix
kept of their source, be it by an earlier version of it or by a tool that drops columns.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from audit_recordings import FPS, Recording, as_before, record, strip, write_v21

from trimix.core.contracts import Start
from trimix.core.errors import DataError
from trimix.core.rollout import rollout
from trimix.core.seeds import key
from trimix.data.dataset import Dataset
from trimix.data.importing.importer import ImportConfig, import_dataset
from trimix.data.writing.writer import DatasetWriter
from trimix.mix.compile import compile_recipe
from trimix.mix.loader import MixLoader
from trimix.mix.recipe import Recipe, Source
from trimix.train.loop import LoopConfig
from trimix.train.worldmodel import WorldModelConfig, run_worldmodel
from trimix.worldmodel.architecture import ArchitectureConfig
from trimix.worldmodel.perturbed_replay import PerturbedReplay
from trimix.worldmodel.world import DreamConfig, DreamWorld


@dataclass
class Tally:
    """Counts over trials."""

    mixes: int = 0
    drawn: int = 0
    leaked: int = 0
    allowed: int = 0
    refused_wrongly: int = 0
    excluded: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)


class Trial:
    """One story of recordings, imports, models and dreams, and a mix of them."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root, self.seed = root, seed
        self.rng = np.random.default_rng(key("leaks", seed))
        self.learned: dict[str, set[str]] = {}
        self.made = 0

    def place(self, what: str) -> Path:
        self.made += 1
        return self.root / f"{self.made:02d}-{what}"

    def run(self, tally: Tally) -> None:
        """Make everything, draw one mix, compare with what should have been drawn."""
        rng = self.rng
        jitter = self.flip()
        pool = [record(f"rec {self.seed} {i}", rng, jitter) for i in range(12)]
        source = self.recorded(pool)
        sets = {
            "plain": self.imported(source),
            "other": self.imported(self.other_form(pool, jitter)),
            "again": self.imported(self.imported(source, fps=7.0).root, stand_in=self.flip()),
        }
        if not jitter and self.flip():
            sets["plain"] = Dataset.open(as_before(sets["plain"].root))
        aside = [self.imported(source, state_keys=("effort",), fps=4.0, image_hw=(8, 8))]
        recorded = list(sets.values())
        # A model of another import often learned from what this one holds out: then all its dreams
        # are held out, and there is little left to dream on.
        trained = recorded[int(rng.random() < 0.25)]
        first = self.dreams([trained], self.some(recorded) if self.flip() else [trained])
        sets["dreams"] = first
        begun = [first, recorded[int(rng.integers(2))]]
        try:
            sets["dreams of dreams"] = self.dreams([recorded[0], first], begun)
        except DataError as fault:  # every dream is held out from the second model's training
            assert "no episode to learn from" in str(fault)
            tally.excluded.update(["no second model"])
        self.mixed(sets, aside, tally)

    def flip(self) -> bool:
        return bool(self.rng.integers(2))

    def some(self, items: Sequence[Any]) -> list[Any]:
        kept = [item for item in items if self.flip()]
        return kept or [items[int(self.rng.integers(len(items)))]]

    def recorded(self, pool: Sequence[Recording], **changes: Any) -> Path:
        numbers = range(len(pool))
        given = {"numbers": numbers, "keys": {}, "dtype": "float32", **changes}
        return write_v21(self.place("recorded"), pool, **given)

    def other_form(self, pool: Sequence[Recording], jitter: bool) -> Path:
        """Some of the recordings, as another program or person passes them on."""
        rng = self.rng
        picked = [pool[i] for i in rng.permutation(len(pool))[: int(rng.integers(6, 11))]]
        picked += [record(f"new {self.seed} {i}", rng, True) for i in range(2)]
        form = int(rng.integers(4))
        if form == 0:  # cut at both ends
            lengths = [len(r.action) for r in picked]
            picked = [r.part(n // 10, n - n // 10) for r, n in zip(picked, lengths, strict=True)]
        numbers = np.sort(rng.choice(40, len(picked), replace=False)).tolist()
        if form == 1:  # openpi's names, in double precision
            keys = {"observation.state": "state", "action": "actions"}
            return self.recorded(picked, numbers=numbers, keys=keys, dtype="float64")
        path = self.recorded(picked, numbers=numbers)
        if form < 2:
            return path
        kept = self.imported(path, heldout=0.0)
        return strip(kept.root, columns=form == 3 and not jitter)

    def imported(self, path: Path, **options: Any) -> Dataset:
        given = {
            "fps": FPS,
            "heldout": float(self.rng.choice([0.1, 0.25])),
            "seed": int(self.rng.integers(1000)),
            "control_mode": "joint_velocity",
            **options,
        }
        return import_dataset(ImportConfig(str(path), str(self.place("import")), **given))

    def dreams(self, trained: Sequence[Dataset], begun: Sequence[Dataset]) -> Dataset:
        """A world model of these, and dreams that begin in those."""
        pipeline = run_worldmodel(trained, MODEL, self.place("model"), False).pipeline
        name = pipeline.weights_hash()
        self.learned[name] = set()
        for data in trained:
            for part in pipeline.card["training"]:
                if part["dataset"] == data.content_hash:
                    self.learned[name] |= {root_of(data, i) for i in part["episodes"]}
                    for i in part["episodes"]:
                        for through in data.episodes[i].provenance.models:
                            self.learned[name] |= self.learned[through]
        config = DreamConfig(time_limit_s=0.5, abstain_below=0.0, end_above=1.0)
        world = DreamWorld(pipeline, begun, 4, config)
        starts = [Start(self.seed, i) for i in range(10)]
        out = self.place("dreams")
        with DatasetWriter(out, world.interface, models=world.models) as writer:
            for i, episode in rollout(world, PerturbedReplay(world), starts):
                writer.add(i, episode)
            return writer.finalize()

    def mixed(self, sets: dict[str, Dataset], aside: Sequence[Dataset], tally: Tally) -> None:
        active = {name: sets[name] for name in self.some(list(sets))}
        lineage = [d for d in [*sets.values(), *aside] if self.flip()]
        at_hand = [*active.values(), *lineage]
        recordings = [d for d in at_hand if d.episodes[0].provenance.origin != "dream"]
        held = {
            root_of(d, e.index)
            for d in recordings
            for e in d.episodes
            if e.provenance.split == "heldout"
        }
        known = {root_of(d, e.index) for d in recordings for e in d.episodes}
        allowed = {
            (name, i): self.may_be_drawn(data, i, held, known)
            for name, data in active.items()
            for i in range(len(data.episodes))
        }
        drawable = {n: d for n, d in active.items() if any(allowed[n, e.index] for e in d.episodes)}
        for name in set(active) - set(drawable):
            expect_refusal(active[name], at_hand, tally)
        if not drawable:
            return
        lock = compile_recipe(recipe_of(drawable, [*lineage, *active.values()]))
        chosen = {(n, i) for s in lock.sources for n in s.names for i in s.episodes}
        tally.mixes += 1
        for (name, i), may in allowed.items():
            if name not in drawable:
                continue
            tally.allowed += may
            if may and (name, i) not in chosen:
                tally.refused_wrongly += 1
                tally.told.append(f"trial {self.seed}: {name} {i} is refused")
        for source in lock.sources:
            tally.excluded.update(source.excluded)
        loader = MixLoader(lock)
        for k in range(lock.steps):
            batch = loader.load(k)
            for at, episode, said in zip(
                batch.source, batch.episode, batch.instruction, strict=True
            ):
                name = lock.sources[at].names[0]
                tally.drawn += 1
                if said in held or not allowed[name, int(episode)]:
                    tally.leaked += 1
                    tally.told.append(f"trial {self.seed}: {name} {episode} ({said}) is drawn")

    def may_be_drawn(self, data: Dataset, i: int, held: set[str], known: set[str]) -> bool:
        """By names alone."""
        provenance, root = data.episodes[i].provenance, root_of(data, i)
        if provenance.split != "train" or root in held:
            return False
        if provenance.origin != "dream":
            return True
        learned = set().union(*(self.learned[m] for m in provenance.models))
        return root in known and not learned & held


def root_of(data: Dataset, i: int) -> str:
    """The recording that an episode is, or goes back to: its instruction names it."""
    return data.episodes[i].tasks[0]


def recipe_of(active: dict[str, Dataset], lineage: Sequence[Dataset]) -> Recipe:
    return Recipe(
        sources={name: Source(str(data.root)) for name, data in active.items()},
        shares=dict.fromkeys(active, 1.0),
        batch_size=32,
        steps=30,
        lineage=tuple(str(d.root) for d in lineage),
    )


def expect_refusal(data: Dataset, at_hand: Sequence[Dataset], tally: Tally) -> None:
    """Nothing of this data set may be drawn: a mix of it alone must say so."""
    try:
        lock = compile_recipe(recipe_of({"it": data}, at_hand))
    except DataError as fault:
        tally.excluded.update(["a whole source"])
        assert "no window is left" in str(fault)
        return
    tally.leaked += sum(s.windows for s in lock.sources)
    tally.told.append(f"{data.root} is drawn")


def _loop() -> LoopConfig:
    return LoopConfig(steps=2, warmup_steps=1, ema_decay=0.9, device="cpu")


MODEL = WorldModelConfig(
    architecture=ArchitectureConfig(
        channels=(16, 16),
        refiner_channels=(16, 16),
        codec_channels=8,
        latent_channels=4,
        features=4,
    ),
    batch_size=2,
    longest_rollout=1,
    trust_horizon=2,
    trust_rollouts=2,
    codec=_loop(),
    motion=_loop(),
    refiner=_loop(),
    trust=_loop(),
    device="cpu",
)


def audit(trials: int, seed: int, told: Callable[[str], None] = lambda _: None) -> Tally:
    """Run this many trials in a folder that is deleted."""
    tally = Tally()
    for number in range(seed, seed + trials):
        with tempfile.TemporaryDirectory() as folder:
            Trial(Path(folder), number).run(tally)
        told(f"{number}: {tally.drawn} drawn, {tally.leaked} leaked, {tally.told[-1:]}")
    return tally


def main(arguments: Sequence[str]) -> int:
    trials, seed = (int(a) for a in (*arguments, *("50", "0")[len(arguments) :]))
    tally = audit(trials, seed, lambda line: print(line, file=sys.stderr))
    print(f"{trials} trials, {tally.mixes} mixes, {tally.drawn} windows drawn")
    print(f"held-out windows drawn: {tally.leaked}")
    print(f"episodes that might have been drawn: {tally.allowed}")
    print(f"of these refused: {tally.refused_wrongly}")
    print(f"left out: {dict(tally.excluded)}")
    print("\n".join(tally.told[:20]))
    return 1 if tally.leaked or tally.refused_wrongly else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

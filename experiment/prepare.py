"""An experiment's data sets, one after another: what each reads, the ones before it made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from trimix.core.errors import DataError, InterfaceError
from trimix.core.seeds import seed63
from trimix.data.dataset import Dataset
from trimix.data.lerobot.folder import LeRobotFolder
from trimix.data.lerobot.layout import camera_name
from trimix.evaluate.schema import Skipped
from trimix.experiment.config import Experiment
from trimix.experiment.folder import RunFolder
from trimix.experiment.source_kinds import Dream, Real, Sim, StandIn
from trimix.experiment.sources import (
    DATA,
    PIPELINE,
    CollectUnit,
    ImportUnit,
    WorldModelUnit,
)
from trimix.experiment.work import Work
from trimix.rollout.dream import DreamSpec, PerturbedSpec
from trimix.rollout.mujoco import MujocoSpec
from trimix.rollout.policies import policy_of
from trimix.tasks import TASKS

REAL, STAND_IN = "real", "stand-in (simulated)"
DREAM_ROWS = 32
WORLDMODEL_THREADS = 2
"""Of a world model's training, unless its settings say otherwise: sums depend on their order, so
the number is part of what is trained and not of how many processes there are."""


class Prepared:
    """The data sets of a run.

    Args:
        experiment: whose.
        work, folder: of the run.

    Attributes:
        data: source -> its data set, of those that were made.
        worldmodels: dream source -> its world model's folder, and what is known of it.
        label: what reports call the recorded episodes: only a robot's are "real".
        matches: the recorded robot is the task's.
        warnings, skipped: what a reader of the report should know.
    """

    def __init__(self, experiment: Experiment, work: Work, folder: RunFolder) -> None:
        self.experiment, self.work, self.folder = experiment, work, folder
        self.task = TASKS[experiment.task]()
        self.data: dict[str, Path] = {}
        self.heldout: dict[str, Path] = {}
        self.worldmodels: dict[str, tuple[Path, dict[str, Any]]] = {}
        self.label, self.matches = REAL, True
        self.warnings: list[str] = []
        self.skipped: list[Skipped] = []

    def recorded(self) -> Dataset:
        """Import what was recorded, or collect the stand-in and import it the same way.

        Returns:
            the data set whose held-out episodes policies are scored on.
        """
        sources = self.experiment.sources
        for name in self.experiment.recorded():
            source = sources[name]
            assert isinstance(source, (Real, StandIn))
            self.data[name] = self._import(name, source)
        scored = Dataset.open(self.data[self.experiment.heldout()])
        self.matches = self._match(scored)
        return scored

    def synthetic(self, needed: Sequence[str]) -> None:
        """Collect and dream what arms draw from.

        Args:
            needed: sources with a share in some arm.
        """
        sources = self.experiment.sources
        for name in needed:
            source = sources[name]
            if isinstance(source, Sim) and self.matches:
                self._simulate(name, source)
        for name in needed:
            source = sources[name]
            if isinstance(source, Dream):
                self._dream_if_suited(name, source)

    def world(self, preset: str) -> MujocoSpec:
        """The task in MuJoCo, seen as the policies see it."""
        experiment = self.experiment
        return MujocoSpec(
            task=experiment.task,
            randomization=preset,
            image_hw=experiment.image_hw,
            control_dt_s=experiment.control_dt_s,
        )

    def _import(self, name: str, source: Real | StandIn) -> Path:
        if isinstance(source, StandIn):
            path = self._collect(f"{name}: stand-in", "target", source.episodes, "stand-in", name)
            settings = Real(str(path), heldout=source.heldout, fps=None)
            self.label = STAND_IN
        else:
            path, settings = Path(source.path), source
            if not source.cameras:
                settings = replace(source, cameras=self._camera_names(LeRobotFolder.open(path)))
        experiment, folder = self.experiment, LeRobotFolder.open(path)
        config = settings.config(image_hw=experiment.image_hw, seed=experiment.seed)
        config = replace(config, stand_in=isinstance(source, StandIn))
        source_digest = folder.contents.hash()
        unit = ImportUnit(f"{name}: imported", config, source_digest, self.work.executor)
        episodes = len(folder.episodes)
        entry = self.work.one(name, unit, episodes, "episode")
        about = cast(dict[str, Any], entry.result)
        self.warnings += [f"left out of the {name} episodes: {s}" for s in about["skipped"]]
        self.folder.link("sources", name, entry, DATA)
        self._require_recorded(Dataset.open(entry.folder / DATA), str(path))
        return entry.folder / DATA

    def _require_recorded(self, dataset: Dataset, source: str) -> None:
        made = sorted({e.provenance.origin for e in dataset.episodes} - {"real"})
        if made:
            raise DataError(
                f"its episodes are {' and '.join(made)}, not a robot's",
                where=source,
                do="name recorded episodes, or none for the stand-in",
            )
        if any(e.provenance.world == "stand-in" for e in dataset.episodes):
            self.label = STAND_IN
        splits = {e.provenance.split for e in dataset.episodes}
        if splits != {"train", "heldout"}:
            raise DataError(
                f"its {len(dataset.episodes)} episodes are all {' and '.join(sorted(splits))}",
                where=source,
                do="bring more episodes, or hold some out with real.heldout above 0",
            )

    def _camera_names(self, source: LeRobotFolder) -> dict[str, str]:
        """One camera plays the part of the task's: the only one, or the one of its name."""
        names, wanted = [camera_name(k) for k in source.camera_keys], self.task.cameras[0]
        if len(names) == 1:
            return {names[0]: wanted}
        if wanted in names:
            left = ", ".join(n for n in names if n != wanted)
            self.warnings.append(f"cameras left out, which the task does not have: {left}")
            return {wanted: wanted}
        return {}

    def _match(self, real: Dataset) -> bool:
        """Whether the recorded robot and the task's can be mixed; if not, say why."""
        world = replace(self.world("none"), draw_images=False).make(1)
        camera = self.task.cameras[0]
        simulated = replace(world.interface, cameras={camera: self.experiment.image_hw})
        world.close()
        try:
            difference = real.interface.select([camera]).difference(simulated)
        except InterfaceError as error:
            difference = str(error)
        if difference is None:
            if self.label == REAL:
                self.warnings.append(
                    "closed-loop scores are of the simulated cousin "
                    f"({self.experiment.scoring.world}), not of the robot, and favour what was "
                    "trained in it; on the robot's own episodes see the held-out scores"
                )
            return True
        self.warnings.append(
            f"the real robot is not the one of task {self.experiment.task!r}: {difference}. Sim "
            "arms and closed-loop scores are left out; what remains is scored offline, on "
            "held-out real episodes"
        )
        return False

    def _collect(
        self,
        label: str,
        preset: str,
        episodes: int,
        purpose: str,
        name: str,
        policy: str = "expert",
    ) -> Path:
        unit = CollectUnit(
            label,
            self.world(preset),
            policy_of(policy),
            episodes,
            self._seed(purpose, name),
            executor=self.work.executor,
        )
        entry = self.work.one(label, unit, episodes, "episode")
        self.folder.link("sources", label.replace(": ", "-").replace(" ", "-"), entry, DATA)
        return entry.folder / DATA

    def _simulate(self, name: str, source: Sim) -> None:
        preset, policy = source.randomization, source.policy
        self.data[name] = self._collect(name, preset, source.episodes, "sim", name, policy)
        self.heldout[name] = self._collect(
            f"{name}: held out", preset, source.heldout_episodes, "sim held out", name, policy
        )

    def _dream_if_suited(self, name: str, source: Dream) -> None:
        """World model and dreams; none, and said so, where the data does not suit one."""
        try:
            model = self._worldmodel(name, source)
            self._dream(name, source, model)
        except (DataError, InterfaceError) as fault:
            self.skipped.append({"name": f"world model and dreams ({name})", "reason": str(fault)})
            self.worldmodels.pop(name, None)

    def _worldmodel(self, name: str, source: Dream) -> Path:
        """Train the world model on recorded and sim training episodes; score it on others."""
        sources, config = self.experiment.sources, self.experiment.worldmodel
        used = [n for n in source.trained_on or self.data if n in self.data]
        used = [n for n in used if not isinstance(sources[n], Dream)]
        origins = [sources[n].origin for n in used]
        if config.draws is None and len(set(origins)) == 2:
            # Real frames are fewer, harder, and what dreams begin at.
            config = replace(config, draws=tuple(2 if o == "real" else 1 for o in origins))
        scored = [
            (n, str(self.data[n]), "heldout") for n in used if sources[n].origin == "real"
        ] + [(n, str(self.heldout[n]), "train") for n in used if n in self.heldout]
        unit = WorldModelUnit(
            f"world model of {name}",
            tuple((n, str(self.data[n])) for n in used),
            tuple(scored),
            self.experiment.scoring.worldmodel_starts,
            config,
            config.threads or WORLDMODEL_THREADS,
        )
        stage = "worldmodel" if name == "dream" else f"{name}: worldmodel"
        entry = self.work.one(stage, unit, 1, "model")
        self.folder.link("worldmodels", name, entry)
        model = entry.folder / PIPELINE
        self.worldmodels[name] = (model, cast(dict[str, Any], entry.result))
        return model

    def _dream(self, name: str, source: Dream, model: Path) -> None:
        starts = source.starts or self.experiment.recorded()
        world = DreamSpec(
            worldmodel=str(model),
            datasets=tuple(str(self.data[n]) for n in starts if n in self.data),
            split="train",
            seconds=source.seconds,
            abstain_below=source.drive.abstain_below,
            device=source.drive.device,
        )
        perturb = source.drive.perturb
        unit = CollectUnit(
            f"{name} episodes",
            world,
            PerturbedSpec(perturb.scale, perturb.correlation),
            source.episodes,
            self._seed("dream", name),
            rows=DREAM_ROWS,
            executor=self.work.executor,
        )
        entry = self.work.one(name, unit, source.episodes, "episode")
        self.folder.link("sources", name, entry, DATA)
        self.data[name] = entry.folder / DATA

    def _seed(self, purpose: str, name: str) -> int:
        """Of a source's episodes: another for every source and every purpose."""
        return seed63(self.experiment.seed, purpose, name)

"""The stages of the main job, in order; each reads what earlier ones wrote."""

from __future__ import annotations

import platform
import resource
import sys
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from omegaconf import OmegaConf

from trimix.cli import evidence
from trimix.cli.arms import uses
from trimix.cli.collect import CollectConfig, collect
from trimix.cli.import_data import aspect_of, one_or_each
from trimix.cli.mixing import Mixing
from trimix.cli.pipeline_config import PipelineConfig, chosen_arms
from trimix.cli.pipeline_report import assemble, strips
from trimix.cli.progress import bar
from trimix.cli.stage import Stages
from trimix.core.contracts import Origin
from trimix.core.errors import ConfigError, DataError, InterfaceError
from trimix.data.dataset import Dataset
from trimix.data.files import files_below, write_atomic
from trimix.data.importing.importer import import_dataset
from trimix.data.importing.plan import ImportConfig
from trimix.data.lerobot.folder import LeRobotFolder
from trimix.data.lerobot.layout import camera_name
from trimix.evaluate.report import write_report
from trimix.evaluate.schema import Skipped
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks import TASKS
from trimix.train.worldmodel import run_worldmodel
from trimix.worldmodel.metrics import evaluate_worldmodel
from trimix.worldmodel.pipeline import WorldModelPipeline

STAND_IN, REAL = "stand-in (simulated)", "real"


class Run:
    """One run of the pipeline."""

    def __init__(self, config: PipelineConfig, stages: Stages, command: str = "") -> None:
        self.config, self.stages, self.out = config, stages, Path(config.out)
        self.command = command
        self.task = TASKS[config.task]()
        self.label = REAL if config.real.path else STAND_IN
        self.skipped: list[Skipped] = []
        self.warnings: list[str] = []
        self.data: dict[Origin, Path] = {}
        self.arms = chosen_arms(config)

    def all(self) -> Path:
        """Every stage, then the report."""
        real = self._real()
        settings = OmegaConf.to_yaml(OmegaConf.structured(self.config))
        write_atomic(self.out / "config.yaml", settings.encode())
        matches = self._match(real)
        if not matches and not self.config.only:
            self.arms["real+dream"] = {"real": 0.8, "dream": 0.2}
        candidates = self.config.choose.all_candidates() if matches else {}
        needed = set().union(*map(uses, [*self.arms.values(), *candidates.values()]))
        if matches and "sim" in needed:
            self._sim()
        foresight = self._dreams() if "dream" in needed else None
        cameras = [self.task.cameras[0]] if matches else list(real.interface.cameras)
        mixing = Mixing(self.config, self.stages, self.data, cameras, self.skipped)
        choice = None
        if candidates:
            choice = mixing.choose(self.config.choose.arm, candidates)
            self.arms[choice["arm"]] = candidates[choice["chosen"]]
        elif self.config.choose.arm:
            reason = "its candidates are told apart in closed loop, which this robot has none of"
            self.skipped.append({"name": f"choosing {self.config.choose.arm}", "reason": reason})
        locks = mixing.locks(self.arms)
        trained = mixing.train("train", locks, range(self.config.seeds))
        closed = evidence.closed_loop(self.config, self.stages, trained) if matches else None
        scored = evidence.offline(self.config, self.stages, real, trained)
        rates = evidence.experts(self.config, self.stages) if matches else {}
        found = assemble(
            self.config,
            label=self.label,
            subject=self.config.task if matches else real.robot_type or "your robot",
            real=real,
            locks=locks,
            trained=trained,
            choice=choice,
            closed=closed,
            scored=scored,
            worldmodel=foresight,
            expert_rates=rates,
            skipped=self.skipped,
            warnings=self.warnings,
            about=self._about(),
        )
        return write_report(self.out, found, strips(self.data, self.label))

    def _dreams(self) -> dict[str, Any] | None:
        """World model and dreams; None, and said so, where this data does not suit one."""
        try:
            found = self._worldmodel()
            self._dream()
        except (DataError, InterfaceError) as fault:
            self.skipped.append({"name": "world model and dreams", "reason": str(fault)})
            self.data.pop("dream", None)
            return None
        return found

    def _real(self) -> Dataset:
        """Import the real episodes, or collect the stand-in and import it the same way."""
        part, config = self.config.real, self.config
        if part.path:
            source = part.path
            _require_apart(Path(source), self.out)
            cameras = part.cameras or self._camera_names(LeRobotFolder.open(part.path))
        else:
            source, cameras = str(self.out / "standin"), {}
            self._collect("standin", part.standin_episodes, "target", config.seed + 1)
        settings = ImportConfig(
            path=source,
            out=str(self.out / "real"),
            fps=part.fps if part.path else None,
            cameras=cameras or None,
            image_hw=config.image_hw,
            aspect=aspect_of(part.aspect),
            control_mode=part.control_mode,
            absolute_actions=part.absolute_actions or None,
            state_keys=part.state_keys,
            action_key=part.action_key,
            state_unit=one_or_each(part.state_unit),
            action_unit=one_or_each(part.action_unit),
            heldout=part.heldout,
            seed=config.seed,
            skip_bad=part.skip_bad,
            stand_in=not part.path,
        )
        reads = {"import": asdict(settings), "source": _fingerprint(Path(source))}

        def work(place: Path) -> dict[str, Any]:
            with bar("import", "episode") as report:
                dataset = import_dataset(settings, report)
            return {"hash": dataset.content_hash, "skipped": list(dataset.skipped.values())}

        result = self.stages.run("real", reads, work)
        self.warnings += [f"left out of the real episodes: {s}" for s in result["skipped"]]
        self.data["real"] = self.out / "real"
        real = Dataset.open(self.data["real"])
        self._label(real, source)
        splits = {e.provenance.split for e in real.episodes}
        if splits != {"train", "heldout"}:
            raise DataError(
                f"its {len(real.episodes)} episodes are all {' and '.join(sorted(splits))}",
                where=source,
                do="bring more episodes, or set real.heldout above 0",
            )
        return real

    def _label(self, real: Dataset, source: str) -> None:
        """What reports call the real episodes: only a robot's are "real"."""
        made = sorted({e.provenance.origin for e in real.episodes} - {"real"})
        if made:
            raise DataError(
                f"its episodes are {' and '.join(made)}, not a robot's",
                where=source,
                do="name recorded episodes, or none for the stand-in",
            )
        if any(e.provenance.world == "stand-in" for e in real.episodes):
            self.label = STAND_IN
        if self.label == REAL:
            self.warnings.append(
                f"closed-loop scores are of the simulated cousin ({self.config.evaluate.world}), "
                "not of the robot, and favour what was trained in it; on the robot's own episodes "
                "see the held-out scores"
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
        """Whether the real robot and the task's can be mixed; if not, arms fall away and say so."""
        config = MujocoConfig(image_hw=self.config.image_hw, draw_images=False)
        world = MujocoWorld(self.task, 1, config=config)
        camera = self.task.cameras[0]
        simulated = replace(world.interface, cameras={camera: self.config.image_hw})
        world.close()
        try:
            seen = real.interface.select([camera])
            difference = seen.difference(simulated)
        except InterfaceError as error:
            difference = str(error)
        if difference is None:
            return True
        reason = f"the real robot is not the one of task {self.config.task!r}: {difference}"
        self.warnings.append(
            f"{reason}. Sim arms and closed-loop scores are left out; what remains is scored "
            "offline, on held-out real episodes"
        )
        return False

    def _collect(self, name: str, episodes: int, preset: str, seed: int) -> str:
        settings = CollectConfig(
            out=str(self.out / name),
            task=self.config.task,
            episodes=episodes,
            randomization=preset,
            seed=seed,
            image_hw=self.config.image_hw,
            workers=self.config.workers,
        )

        def work(place: Path) -> dict[str, Any]:
            with bar(name, "episode") as report:
                dataset = collect(settings, report)
            return {"hash": dataset.content_hash, "frames": dataset.n_frames}

        reads = {k: v for k, v in asdict(settings).items() if k not in ("out", "workers")}
        return str(self.stages.run(name, reads, work)["hash"])

    def _sim(self) -> None:
        part, seed = self.config.sim, self.config.seed
        self._collect("sim", part.episodes, part.randomization, seed + 2)
        self._collect("sim-heldout", part.heldout_episodes, part.randomization, seed + 3)
        self.data["sim"] = self.out / "sim"

    def _worldmodel(self) -> dict[str, Any] | None:
        """Train the world model on real and sim training episodes; score it on held-out ones."""
        sources = {k: Dataset.open(p) for k, p in self.data.items()}
        config = self.config.worldmodel
        if config.draws is None and len(sources) == 2:
            # Real frames are fewer, harder, and what dreams begin at.
            config = replace(config, draws=(2, 1))
        part = self.config.evaluate
        reads = {
            "config": asdict(config),
            "data": {k: d.content_hash for k, d in sources.items()},
            "starts": part.worldmodel_starts,
        }

        def work(place: Path) -> dict[str, Any]:
            torch.set_num_threads(config.threads or self.config.workers)
            trained = run_worldmodel(list(sources.values()), config, place)
            score = partial(evaluate_worldmodel, trained.pipeline, n_starts=part.worldmodel_starts)
            heldout = {"real": score(sources["real"], split="heldout")}
            if "sim" in sources:
                heldout["sim"] = score(Dataset.open(self.out / "sim-heldout"), split="train")
            return {
                "params": trained.pipeline.n_parameters,
                "train_s": trained.seconds,
                "frames_per_s": trained.frames_per_s,
                "heldout": heldout,
                "curves": {k: _thin(v.history) for k, v in trained.stages.items()},
            }

        result: dict[str, Any] = self.stages.run("worldmodel", reads, work)
        return result

    def _dream(self) -> None:
        part = self.config.dream
        starts = tuple(str(self.data[k]) for k in part.starts if k in self.data)
        model = self.out / "worldmodel" / "pipeline"
        drive = replace(part.drive, worldmodel=str(model), datasets=starts, seconds=part.seconds)
        settings = CollectConfig(
            out=str(self.out / "dream"),
            episodes=part.episodes,
            world="dream",
            seed=self.config.seed + 4,
            dream=drive,
            rows=32,
            workers=self.config.workers,
        )
        reads = {
            "settings": {k: v for k, v in asdict(settings).items() if k not in ("out", "workers")},
            "data": [Dataset.open(s).content_hash for s in starts],
            "model": WorldModelPipeline.load(model).weights_hash(),
        }

        def work(place: Path) -> dict[str, Any]:
            with bar("dream", "episode") as report:
                dataset = collect(settings, report)
            return {"hash": dataset.content_hash, "frames": dataset.n_frames}

        self.stages.run("dream", reads, work)
        self.data["dream"] = self.out / "dream"

    def _about(self) -> dict[str, Any]:
        """What the run took."""
        seconds = dict(self.stages.seconds)
        if self.stages.reused:
            self.warnings.append(
                f"stages taken from an earlier run, with its times: {', '.join(self.stages.reused)}"
            )
        return {
            "wall_s": {**seconds, "total": sum(seconds.values())},
            "peak_rss_gb": _peak_rss_gb(self.config.workers),
            "command": self.command,
            "machine": {"platform": platform.platform(), "processor": platform.machine()},
        }


def _thin(history: list[dict[str, float]]) -> list[dict[str, float]]:
    """Some 200 points of a loss curve."""
    return history[:: max(1, len(history) // 200)]


def _require_apart(source: Path, out: Path) -> None:
    source, out = source.resolve(), out.resolve()
    if source == out or source.is_relative_to(out) or out.is_relative_to(source):
        raise ConfigError(
            f"the run's folder {out} and the real episodes {source} are one inside the other",
            do="choose another folder with out=",
        )


def _fingerprint(root: Path) -> list[list[Any]]:
    """Names, sizes and times of a source's files: enough to see that it changed."""
    if not root.is_dir():
        return []
    return [
        [p.relative_to(root).as_posix(), p.stat().st_size, p.stat().st_mtime_ns]
        for p in files_below(root, "data", "images", "meta", "videos")
    ]


def _peak_rss_gb(workers: int) -> float:
    """At most this much was resident: this process's peak and `workers` of the largest child's."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    kilobytes = 1 if sys.platform != "darwin" else 1 / 1024
    return (own + workers * child) * kilobytes * 1024 / 1e9

"""A comparison, run: sources, mixes, policies, scores, report. What is in the store is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from trimix.core.errors import ConfigError
from trimix.core.workers import Executor, Local
from trimix.data.dataset import Dataset
from trimix.data.lerobot.folder import LeRobotFolder
from trimix.data.windows import WindowSpec
from trimix.evaluate.compare import compare_arms
from trimix.evaluate.evaluation import Evaluation
from trimix.evaluate.fidelity import agreement
from trimix.evaluate.page import answers
from trimix.evaluate.report import load_report
from trimix.evaluate.schema import Fidelity, Report
from trimix.evaluate.statistics import wilson
from trimix.evaluate.suites import draw_suite
from trimix.experiment.arms import Trained, locks_of, train
from trimix.experiment.choose import choose
from trimix.experiment.config import DREAMS, Arm, Experiment, default_arms, sources_used
from trimix.experiment.folder import RunFolder
from trimix.experiment.prepare import Prepared
from trimix.experiment.promise import Known, note_seen, other_plans, register
from trimix.experiment.reporting import Findings, assemble, strips
from trimix.experiment.scores import closed_loop, offline
from trimix.experiment.source_kinds import Dream, Real
from trimix.experiment.store import Store
from trimix.experiment.work import Listener, Work
from trimix.rollout.dream import DreamSpec
from trimix.rollout.learned import known_by
from trimix.rollout.mujoco import ExpertSpec
from trimix.rollout.worlds import WorldSpec
from trimix.train.device import pick_device


@dataclass(frozen=True)
class Result:
    """What a run gives.

    Args:
        report: every number; also <out>/report.json.
        page: the report as a page, <out>/report.html.
        policies: (arm, training seed) -> folder of the policy.
        data: source -> data set.
        evaluations: outcomes of every policy on every scene, where arms are compared.
    """

    report: Report
    page: Path
    policies: Mapping[tuple[str, int], Path]
    data: Mapping[str, Path]
    evaluations: Sequence[Evaluation]

    @property
    def answer(self) -> str:
        """The sentence that the report begins with."""
        found = answers(self.report)
        return found[0].headline if found else "Nothing could be scored."


def run(
    experiment: Experiment,
    out: str | Path = "runs/experiment",
    *,
    store: Store | str | Path | None = None,
    executor: Executor | None = None,
    listener: Listener | None = None,
    command: str = "",
) -> Result:
    """Run a comparison of mixes; what was made before, in any run, is not made again.

    Args:
        experiment: what is compared.
        out: the run's folder: settings, plan, links into the store, locks, report.
        store: of results; None is $TRIMIX_STORE, else runs/store.
        executor: where the work is done; None is two local processes.
        listener: is told what is being done.
        command: recorded in the report.

    Returns:
        What was found; the same, to the byte, wherever it was computed.

    Raises:
        ConfigError: another experiment's report is in `out`, or these policies were seen under
            another plan.
        MissingError: this machine has not a device on which something is to be computed.
        TrimixError: what a part of it could not use; what was done stays.
    """
    _require_sources(experiment, Path(out))
    kept = store if isinstance(store, Store) else Store(store)
    work = Work(kept, executor or Local(2), listener)
    if isinstance(work.executor, Local):  # a cluster's machines may have what this one lacks
        _require_devices(experiment)
    with RunFolder(out, kept).held(experiment) as folder:
        return _Run(experiment, work, folder).all(command)


def _require_sources(experiment: Experiment, out: Path) -> None:
    """Fail before anything is written."""
    ours = out.resolve()
    for name, source in experiment.sources.items():
        if isinstance(source, Real):
            if not source.path:
                raise ConfigError("has no path", where=f"source {name!r}", do="name a data set")
            theirs = LeRobotFolder.open(source.path).root.resolve()
            if ours == theirs or ours.is_relative_to(theirs) or theirs.is_relative_to(ours):
                raise ConfigError(
                    f"the run's folder {ours} and the recorded episodes {theirs} are one inside "
                    "the other",
                    do="choose another folder with out=",
                )


def _require_devices(experiment: Experiment) -> None:
    """Fail before an hour's work that leads to a device which is not there."""
    dreams = [source for source in experiment.sources.values() if isinstance(source, Dream)]
    named = [experiment.scoring.device, experiment.policy.loop.device]
    named += [source.drive.device for source in dreams]
    if dreams:
        named.append(experiment.worldmodel.device)
    for device in named:
        pick_device(device)


class _Run:
    """One run."""

    def __init__(self, experiment: Experiment, work: Work, folder: RunFolder) -> None:
        self.experiment, self.work, self.folder = experiment, work, folder
        self.prepared = Prepared(experiment, work, folder)
        self.arms = dict(experiment.arms)
        self.real: Dataset

    def all(self, command: str) -> Result:
        """Every stage, then the report."""
        experiment, prepared = self.experiment, self.prepared
        self.real = prepared.recorded()
        if not prepared.matches and set(self.arms) == set(default_arms()):
            self.arms["real+dream"] = Arm({"real": 0.8, "dream": 0.2})
        candidates = experiment.choose.all_candidates() if prepared.matches else {}
        prepared.synthetic(sources_used({**self.arms, **candidates}))
        cameras = list(self.real.interface.cameras)
        if prepared.matches:
            cameras = [prepared.task.cameras[0]]  # the one that they share
        choice = None
        if candidates:
            choice, chosen = choose(experiment, self.work, prepared, cameras)
            self.arms[experiment.choose.arm] = chosen
        elif experiment.choose.arm:
            reason = "its candidates are told apart in closed loop, which this robot has none of"
            prepared.skipped.append({"name": f"choosing {experiment.choose.arm}", "reason": reason})
        seeds = range(experiment.seeds)
        locks, reasons = locks_of(experiment, self.arms, prepared.data, seeds, cameras=cameras)
        prepared.skipped += [{"name": name, "reason": why} for name, why in reasons.items()]
        if not locks:
            raise ConfigError(f"none of {', '.join(self.arms)} can be mixed from this data")
        for name, each in locks.items():
            self.folder.save_locks(name, each)
        trained = train(experiment, self.work, "train", self.arms, locks, seeds)
        for t in trained:
            self.folder.link("policies", f"{t.arm}-{t.seed}", t.entry)
        window = WindowSpec(experiment.policy.history, experiment.policy.chunk)
        scored = offline(
            self.work,
            self.real,
            trained,
            cameras=cameras,
            window=window,
            scoring=experiment.scoring,
        )
        found = Findings(locks, trained, scored, choice=choice)
        if prepared.matches:
            found = self._closed_loop(found)
        report = assemble(experiment, self.work, prepared, self.real, found, command)
        page = self.folder.finish(report, strips(experiment, prepared, found.closed))
        return Result(
            load_report(self.folder.out),
            page,
            {(t.arm, t.seed): t.policy for t in trained},
            prepared.data,
            found.closed,
        )

    def _closed_loop(self, found: Findings) -> Findings:
        """Every policy on the same scenes, compared as was planned; then in further worlds."""
        experiment, scoring, trained = self.experiment, self.experiment.scoring, found.trained
        world = self.prepared.world(scoring.world)
        suite = draw_suite(world, scoring.scenes, experiment.seed, "confirm")
        self.folder.save_suite("confirm", suite)
        plan, others, seen = None, 0, _first(trained)
        if len(found.locks) == 1:
            note_seen(self.work.store, seen)
        else:
            promised, registered = register(
                self.work.store,
                experiment.plan(found.locks),
                seen,
                suite,
                looks_given=bool(experiment.looks),
                exploratory=experiment.exploratory,
            )
            self.folder.save_plan(promised, registered)
            plan = promised if registered else None
            others = other_plans(self.work.store, promised, seen)
        closed = closed_loop(
            self.work,
            "closed-loop",
            world,
            suite,
            self._policies(trained),
            rows=scoring.rows,
            film=[(name, 0) for name in found.locks],
            show=partial(self.folder.link, "rollouts"),
        )
        also, fidelity = self._also(trained, closed)
        return replace(
            found,
            closed=closed,
            compared=compare_arms(closed, plan, others=others),
            also=also,
            fidelity=fidelity,
            experts=self._experts(),
        )

    def _policies(self, trained: Sequence[Trained]) -> list[tuple[str, int, Any]]:
        return [(t.arm, t.seed, t.spec(self.experiment.scoring.device)) for t in trained]

    def _also(
        self, trained: Sequence[Trained], closed: Sequence[Evaluation]
    ) -> tuple[list[list[Evaluation]], list[Fidelity]]:
        """The same policies in further worlds, and whether those rank them as the first does."""
        scoring = self.experiment.scoring
        found, fidelity = [], []
        for name in scoring.also:
            world = self._further(name)
            if world is None:
                continue
            try:
                suite = draw_suite(world, scoring.also_scenes, self.experiment.seed, "confirm")
                scored = closed_loop(
                    self.work,
                    f"closed-loop {name}",
                    world,
                    suite,
                    self._policies(trained),
                    rows=scoring.rows,
                )
            except ConfigError as fault:  # dreams may have no frames to begin at, or no judge
                if name != DREAMS:
                    raise
                self._skip(name, str(fault))
                continue
            found.append(scored)
            if len(trained) > 1:
                fidelity.append(agreement(scored, closed))
        return found, fidelity

    def _further(self, name: str) -> WorldSpec | None:
        if name != DREAMS:
            return self.prepared.world(name)
        models = [path for path, _ in self.prepared.worldmodels.values()]
        if not models:
            self._skip(name, "no arm draws from dreams, so there is no world model")
            return None
        return DreamSpec(
            worldmodel=str(models[0]),
            datasets=(str(self.prepared.data[self.experiment.heldout()]),),
            split="heldout",
        )

    def _skip(self, world: str, reason: str) -> None:
        self.prepared.skipped.append({"name": f"scoring in {world}", "reason": reason})

    def _experts(self) -> dict[str, Any]:
        """How often the scripted expert succeeds, by preset; the ceiling of what is imitated."""
        experiment, scoring = self.experiment, self.experiment.scoring
        rates: dict[str, Any] = {}
        for preset in scoring.expert_presets:
            world = self.prepared.world(preset)
            suite = draw_suite(world, scoring.expert_scenes, experiment.seed, "confirm")
            (scored,) = closed_loop(
                self.work,
                f"expert, {preset}",
                world,
                suite,
                [("expert", 0, ExpertSpec())],
                rows=scoring.rows,
            )
            n, k = len(scored.outcomes), int(scored.success.sum())
            rates[preset] = {"n": n, "success": k / n, "wilson95": list(wilson(k, n))}
        return {experiment.task: rates}


def _first(trained: Sequence[Trained]) -> dict[str, Known]:
    """arm -> its policy of the first training seed."""
    return {t.arm: Known(*known_by(t.policy)) for t in trained if t.seed == 0}

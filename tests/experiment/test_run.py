"""Laws of a run: what was made is not made again, and every training seed is its own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny import Told, tiny

from trimix.core.errors import ConfigError, MissingError
from trimix.core.workers import Local
from trimix.evaluate.report import load_report
from trimix.experiment.config import Arm, Scoring
from trimix.experiment.run import Result, run
from trimix.experiment.source_kinds import Dream, Drive, Real, Sim, StandIn
from trimix.experiment.store import Store
from trimix.mix.lock import Lock
from trimix.train.loop import LoopConfig
from trimix.train.worldmodel import WorldModelConfig
from trimix.worldmodel.architecture import ArchitectureConfig

CLOCKS = ("created", "wall_s", "peak_rss_gb", "warnings")


def without_clocks(report: Any) -> dict[str, Any]:
    """What a report says, but for when and how fast it was made."""
    return {k: v for k, v in report.items() if k not in CLOCKS}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def first(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Result:
    out = tmp_path_factory.mktemp("runs") / "first"
    return run(tiny(), out, store=store, executor=Local(1))


def again(experiment: Any, out: Path, store: Store) -> tuple[Result, Told]:
    """A run of the same store, and what was done in it."""
    told = Told()
    return run(experiment, out, store=store, executor=Local(1), listener=told), told


def test_the_result_is_the_reports(first: Result) -> None:
    assert first.report == load_report(first.page.parent)
    assert set(first.policies) == {("real", 0), ("both", 0)}
    assert [e.arm for e in first.evaluations] == ["real", "both"]
    rates = {a["name"]: a["closed_loop"]["success"] for a in first.report["arms"]}  # type: ignore[index]
    assert rates == {e.arm: e.success.mean() for e in first.evaluations}


def test_a_run_folder_is_links_and_a_report(first: Result, store: Store) -> None:
    out = first.page.parent
    for name, path in first.data.items():
        assert (out / "sources" / name).resolve() == path.resolve()
        assert path.is_relative_to(store.root)
    assert (out / "policies" / "both-0" / "policy").resolve() == first.policies["both", 0].resolve()
    plan = json.loads((out / "plan.json").read_text())
    assert plan["registered"] and first.report["inference"]["plan"]["hash"] == plan["hash"]
    assert {p.name for p in out.iterdir()} >= {"config.yaml", "report.html", "locks", "suites"}


def test_another_folder_takes_everything_from_the_store(
    first: Result, store: Store, tmp_path: Path
) -> None:
    result, told = again(tiny(), tmp_path / "other", store)
    assert not told.run
    assert without_clocks(result.report) == without_clocks(first.report)


def test_one_more_seed_trains_and_scores_that_seed_alone(
    first: Result, store: Store, tmp_path: Path
) -> None:
    result, told = again(tiny(seeds=2), tmp_path / "grown", store)
    assert told.run == {"train": 2, "offline": 2, "closed-loop": 4}
    assert {e.train_seed for e in result.evaluations} == {0, 1}
    for before, now in zip(first.evaluations, result.evaluations, strict=False):
        assert now.outcomes == before.outcomes
    assert result.report["inference"]["status"] == "exploratory"


def test_one_more_arm_trains_and_scores_that_arm_alone(
    first: Result, store: Store, tmp_path: Path
) -> None:
    arms = {**tiny().arms, "sim": Arm({"sim": 1})}
    with pytest.raises(ConfigError, match="contrasts"):
        again(tiny(arms=arms), tmp_path / "more", store)
    _, told = again(tiny(arms=arms, exploratory=True), tmp_path / "more", store)
    assert told.run == {"closed-loop": 2}  # it was trained before the scenes were refused


def test_training_seeds_share_neither_order_nor_weights(
    first: Result, store: Store, tmp_path: Path
) -> None:
    result, _ = again(tiny(seeds=2), tmp_path / "two", store)
    locks = [Lock.load(tmp_path / "two" / "locks" / f"both-{s}.lock") for s in (0, 1)]
    assert locks[0].seed != locks[1].seed and locks[0].hash != locks[1].hash
    assert [s.episodes for s in locks[0].sources] == [s.episodes for s in locks[1].sources]
    weights = [(result.policies["both", s] / "model").glob("*.safetensors") for s in (0, 1)]
    assert len({next(iter(w)).read_bytes() for w in weights}) == 2


def test_every_training_seed_has_its_own_draw_of_episodes_where_that_is_asked_for(
    first: Result, store: Store, tmp_path: Path
) -> None:
    sources = {"real": StandIn(4, heldout=0.5), "sim": Sim(3, episodes_per_seed=1)}
    arms = {"sim": Arm({"sim": 1})}
    again(tiny(sources=sources, arms=arms, seeds=4), tmp_path / "drawn", store)
    locks = [Lock.load(tmp_path / "drawn" / "locks" / f"sim-{s}.lock") for s in range(4)]
    drawn = [tuple(lock.sources[0].episodes) for lock in locks]
    assert all(len(episodes) == 1 for episodes in drawn) and len(set(drawn)) > 1


def test_any_number_of_sources_of_one_origin(first: Result, store: Store, tmp_path: Path) -> None:
    sources = {**tiny().sources, "wild": Sim(2, randomization="strong"), "same": Sim(3)}
    arms = {"wild": Arm({"sim": 1, "wild": 1}), "same": Arm({"sim": 1, "same": 1})}
    result, told = again(tiny(sources=sources, arms=arms), tmp_path / "many", store)
    assert {"wild", "same"} <= set(told.run) and {"real", "sim"} <= told.unchanged
    shares = {a["name"]: a["shares"] for a in result.report["arms"]}
    assert shares["wild"]["wild"] == pytest.approx(0.5)
    # Equal settings under two names are other episodes: no one asks for the same twice.
    assert result.data["sim"] != result.data["same"]


def test_further_worlds_stand_beside_the_first(first: Result, store: Store, tmp_path: Path) -> None:
    scoring = replace(tiny().scoring, also=("mild", "dream"), also_scenes=2)
    result, told = again(tiny(scoring=scoring), tmp_path / "also", store)
    assert set(told.run) == {"closed-loop mild"}
    for arm in result.report["arms"]:
        assert [loop["world"] for loop in arm["also"]] == ["mujoco:mild"]
    (agreement,) = result.report["fidelity"]
    assert (agreement["world"], agreement["reference"]) == ("mujoco:mild", "mujoco:target")
    skipped = {s["name"]: s["reason"] for s in result.report["skipped"]}
    assert "no world model" in skipped["scoring in dream"]


def test_results_do_not_depend_on_the_number_of_processes(first: Result, tmp_path: Path) -> None:
    both = run(tiny(), tmp_path / "run", store=tmp_path / "store", executor=Local(2))
    apart = without_clocks(both.report)
    whole = without_clocks(first.report)
    for report in (apart, whole):
        for arm in report["arms"]:
            del arm["train_s"]
    assert apart == whole
    for key, path in first.policies.items():
        files = sorted(p.relative_to(path) for p in path.rglob("*") if p.is_file())
        assert files and all(
            (path / f).read_bytes() == (both.policies[key] / f).read_bytes() for f in files
        )


def test_dreams_do_not_depend_on_the_number_of_processes(tmp_path: Path) -> None:
    """Nor does the world model: its sums depend on its threads, and those are its own."""
    loop = LoopConfig(steps=2, warmup_steps=1)
    architecture = ArchitectureConfig(channels=(16, 16), refiner_channels=(16, 16), features=8)
    dreaming = tiny(
        sources={"real": StandIn(4, heldout=0.5), "dream": Dream(2, seconds=0.5, min_trust=0.0)},
        arms={"dream": Arm({"real": 1, "dream": 1})},
        worldmodel=WorldModelConfig(
            architecture,
            batch_size=4,
            trust_horizon=4,
            trust_rollouts=4,
            codec=loop,
            motion=loop,
            refiner=loop,
            trust=loop,
        ),
    )
    made = []
    for workers in (1, 2):
        store = Store(tmp_path / f"store {workers}")
        run(dreaming, tmp_path / f"run {workers}", store=store, executor=Local(workers))
        made.append({(r.kind, r.key): r.contents.files for r in store.records()})
    assert made[0].keys() == made[1].keys()
    for unit, files in made[0].items():
        others = made[1][unit]
        assert {n for n in files if files[n] != others.get(n)} <= {"log.jsonl"}, unit


def test_success_and_failure_are_shown_of_every_arm(first: Result) -> None:
    for evaluation in first.evaluations:
        assert set(evaluation.success[list(evaluation.clips)]) == set(evaluation.success)
        for scene, episode in evaluation.clips.items():
            (images,) = episode.images.values()
            assert len(images) == evaluation.outcomes[scene].steps == len(episode)
            assert images.shape[1:] == (16, 16, 3) and np.ptp(images) > 0


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ({"real": Real("no/such/folder")}, MissingError),
        ({"real": Real()}, ConfigError),
    ],
)
def test_what_is_not_there_is_said_before_anything_is_written(
    sources: dict[str, Any], said: type[Exception], store: Store, tmp_path: Path
) -> None:
    arms = {"a": Arm({"real": 1})}
    with pytest.raises(said):
        run(tiny(sources=sources, arms=arms), tmp_path / "run", store=store)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "settings",
    [
        {"scoring": Scoring(device="cuda:99")},
        {"policy": replace(tiny().policy, loop=LoopConfig(device="cuda:99"))},
        {
            "sources": {
                "real": StandIn(4),
                "sim": Sim(3),
                "dream": Dream(drive=Drive(device="cuda:99")),
            }
        },
        {
            "sources": {"real": StandIn(4), "sim": Sim(3), "dream": Dream()},
            "worldmodel": WorldModelConfig(device="cuda:99"),
        },
    ],
)
def test_a_device_that_is_not_there_is_said_before_anything_is_made(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(MissingError, match="'cuda:99' is not there"):
        run(tiny(**settings), tmp_path / "run", store=tmp_path / "store")
    assert list(tmp_path.iterdir()) == []


def test_a_run_lies_apart_from_the_recordings(store: Store, first: Result, tmp_path: Path) -> None:
    recordings = first.data["real"]
    experiment = tiny(sources={"real": Real(str(recordings))}, arms={"a": Arm({"real": 1})})
    with pytest.raises(ConfigError, match="one inside the other"):
        run(experiment, recordings / "run", store=store)
    assert not (recordings / "run").exists()


def test_more_scenes_after_the_first_were_seen_are_no_plan(
    first: Result, store: Store, tmp_path: Path
) -> None:
    longer = Scoring(scenes=3, expert_presets=(), rows=2, offline_windows=20)
    with pytest.raises(ConfigError, match="scenes 2"):
        again(tiny(scoring=longer), tmp_path / "longer", store)


SEEN = {
    "alone": [{"arms": {"sim": Arm({"sim": 1})}}, {"arms": {"more": Arm({"real": 1, "sim": 3})}}],
    "beside another world": [
        {
            "arms": {"sim": Arm({"sim": 1}), "more": Arm({"real": 1, "sim": 3})},
            "scoring": replace(tiny().scoring, world="mild", also=("target",), also_scenes=2),
        }
    ],
}


@pytest.mark.parametrize("seen", SEEN.values(), ids=SEEN)
def test_scenes_that_were_seen_in_passing_cannot_be_planned(
    first: Result, store: Store, tmp_path: Path, seen: list[dict[str, Any]]
) -> None:
    """Nor by another spelling of the same mixes, which trains the same policies."""
    mine = Store(tmp_path / "store")
    for i, changes in enumerate(seen):
        again(tiny(**changes), tmp_path / str(i), mine)
    arms = {"sim": Arm({"sim": 2}), "more": Arm({"real": 1, "sim": 3}, max_repeats={"sim": 1e9})}
    with pytest.raises(ConfigError, match=r"was seen (before|under)"):
        again(tiny(arms=arms), tmp_path / "planned", mine)

"""Laws of keys: all that decides a result is in them, and what decides nothing is not."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from shared_units import Count
from tiny import tiny

from trimix.core.contracts import Start
from trimix.core.errors import DataError
from trimix.core.registry import Registry
from trimix.core.workers import Local
from trimix.data.dataset import Dataset
from trimix.data.importing.plan import ImportConfig
from trimix.data.lerobot.folder import LeRobotFolder
from trimix.data.windows import WindowSpec
from trimix.experiment import sources as made
from trimix.experiment.arms import PolicyUnit, recipe_of
from trimix.experiment.code import Code
from trimix.experiment.config import Arm
from trimix.experiment.scores import PredictionsUnit, RolloutsUnit
from trimix.experiment.sources import CollectUnit, ImportUnit, WorldModelUnit
from trimix.experiment.store import Store, Unit
from trimix.mix.compile import compile_recipe
from trimix.rollout.collect import collect
from trimix.rollout.learned import LearnedSpec
from trimix.rollout.mujoco import ExpertSpec, MujocoSpec
from trimix.rollout.policies import policy_of
from trimix.sim import cameras
from trimix.tasks import TASKS
from trimix.train.worldmodel import WorldModelConfig

WORLD = MujocoSpec(task="push_t", image_hw=(16, 16))
ROLLOUTS = RolloutsUnit("a", WORLD, ExpertSpec(), (Start(0, 0), Start(0, 1)), 2, False)
COLLECT = CollectUnit("a", WORLD, ExpertSpec(), 2, 0)
IMPORT = ImportUnit("a", ImportConfig(path="here", out=""), "digest")

Change = Callable[[Any], Any]


def field(**changes: Any) -> Change:
    return lambda unit: replace(unit, **changes)


def inside(name: str, **changes: Any) -> Change:
    return lambda unit: replace(unit, **{name: replace(getattr(unit, name), **changes)})


COUNTS: dict[str, tuple[Unit, Change]] = {
    "rollouts: task": (ROLLOUTS, inside("world", task="banana_on_plate")),
    "rollouts: preset": (ROLLOUTS, inside("world", randomization="mild")),
    "rollouts: image size": (ROLLOUTS, inside("world", image_hw=(32, 32))),
    "rollouts: control period": (ROLLOUTS, inside("world", control_dt_s=0.05)),
    "rollouts: policy": (ROLLOUTS, field(policy=policy_of("random"))),
    "rollouts: scenes": (ROLLOUTS, field(scenes=(Start(0, 0), Start(0, 2)))),
    "rollouts: order": (ROLLOUTS, field(scenes=ROLLOUTS.scenes[::-1])),
    "rollouts: film": (ROLLOUTS, field(film=True)),
    "collect: preset": (COLLECT, inside("world", randomization="mild")),
    "collect: policy": (COLLECT, field(policy=policy_of("random"))),
    "collect: episodes": (COLLECT, field(episodes=3)),
    "collect: seed": (COLLECT, field(seed=1)),
    "import: source": (IMPORT, field(source="another")),
    "import: fps": (IMPORT, inside("config", fps=5.0)),
    "import: heldout": (IMPORT, inside("config", heldout=0.5)),
    "import: seed": (IMPORT, inside("config", seed=1)),
    "import: cameras": (IMPORT, inside("config", cameras={"a": "b"})),
}
NOTHING: dict[str, tuple[Unit, Change]] = {
    "rollouts: label": (ROLLOUTS, field(label="b")),
    "rollouts: rows": (ROLLOUTS, field(rows=1)),
    "collect: rows": (COLLECT, field(rows=1)),
    "collect: executor": (COLLECT, field(executor=Local(2))),
    "import: where it lies": (IMPORT, inside("config", path="there")),
    "import: where it goes": (IMPORT, inside("config", out="there")),
    "import: workers": (IMPORT, inside("config", workers=2)),
}


@pytest.mark.parametrize("what", COUNTS)
def test_what_decides_a_result_is_in_its_key(store: Store, what: str) -> None:
    unit, change = COUNTS[what]
    assert store.key(change(unit)) != store.key(unit)


@pytest.mark.parametrize("what", NOTHING)
def test_what_decides_nothing_is_not(store: Store, what: str) -> None:
    unit, change = NOTHING[what]
    assert store.key(change(unit)) == store.key(unit)


@pytest.mark.parametrize("part", ["modules", "files", "libraries", "python"])
def test_every_part_of_the_code_is_in_the_key(store: Store, monkeypatch, part: str) -> None:
    code = {"modules": {"m": "1"}, "files": {"f": "1"}, "libraries": {"l": "1"}, "python": "3.11"}
    other: dict[str, Any] = {**code, part: "3.12" if part == "python" else {"x": "2"}}
    keys = []
    for parts in (code, other):
        monkeypatch.setattr(
            "trimix.experiment.store_unit.reached", lambda _, p=parts: Code(**p, paths=())
        )
        keys.append(store.key(Count()))
    assert keys[0] != keys[1]


@pytest.mark.parametrize("unit", [ROLLOUTS, COLLECT], ids=["rollouts", "collect"])
def test_the_code_of_world_policy_and_robot_is_reached(unit: Any) -> None:
    assert {"trimix.rollout.mujoco", "trimix.tasks.push_t"} <= set(unit.code())
    assert any(name.startswith("trimix.sim.robots.") for name in unit.code())
    assert "trimix.policy.make" in replace(unit, policy=policy_of("random")).code()


def test_what_a_name_stands_for_is_in_the_key(store: Store, monkeypatch) -> None:
    before = [store.key(unit) for unit in (ROLLOUTS, COLLECT)]
    entries = {"push_t": "trimix.tasks.push_t:Other"}
    other = Registry("task", entries, needs=())
    monkeypatch.setattr("trimix.tasks.push_t.Other", TASKS["push_t"], raising=False)
    monkeypatch.setattr("trimix.rollout.mujoco.TASKS", other)
    after = [store.key(unit) for unit in (ROLLOUTS, COLLECT)]
    assert not set(before) & set(after)


def test_what_draws_is_in_the_key_where_something_is_drawn(store: Store, monkeypatch) -> None:
    blind = replace(ROLLOUTS, world=replace(WORLD, draw_images=False))
    keys = []
    for gl in ("egl", "osmesa"):
        monkeypatch.setenv("MUJOCO_GL", gl)
        assert cameras.renderer() == gl
        keys.append((store.key(ROLLOUTS), store.key(blind)))
    assert keys[0][0] != keys[1][0]
    assert keys[0][1] == keys[1][1]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, Dataset]:
    """Two data sets that differ in one episode's world."""
    root = tmp_path_factory.mktemp("data")
    return tuple(  # type: ignore[return-value]
        collect(WORLD, ExpertSpec(), root / str(seed), episodes=2, seed=seed) for seed in (0, 1)
    )


def test_data_and_settings_of_a_world_model_are_in_its_key(store: Store, data: Any) -> None:
    one, other = (str(d.root) for d in data)
    unit = WorldModelUnit(
        "a", (("x", one),), (("x", one, "train"),), 5, WorldModelConfig(), threads=1
    )
    changed = [
        replace(unit, data=(("x", other),)),
        replace(unit, scored=(("x", other, "train"),)),
        replace(unit, scored=(("x", one, "heldout"),)),
        replace(unit, starts=6),
        replace(unit, threads=2),
        replace(unit, config=replace(unit.config, seed=unit.config.seed + 1)),
    ]
    keys = [store.key(u) for u in (unit, *changed)]
    assert len(set(keys)) == len(keys)
    assert store.key(replace(unit, label="b")) == keys[0]


def test_lock_settings_and_threads_of_a_training_are_in_its_key(store: Store, data: Any) -> None:
    experiment = tiny(seeds=2)
    locks = [
        compile_recipe(
            recipe_of(
                experiment,
                Arm({"sim": 1}),
                {"sim": dataset.root},
                cameras=list(dataset.interface.cameras),
                purpose="confirm",
                seed=seed,
            )
        ).to_json()
        for dataset, seed in ((data[0], 0), (data[0], 1), (data[1], 0))
    ]
    config = experiment.policy
    loop = replace(config.loop, threads=1)
    unit = PolicyUnit("a", locks[0], replace(config, loop=loop))

    def trained(**changes: Any) -> PolicyUnit:
        return replace(unit, config=replace(unit.config, **changes))

    changed = [
        *(replace(unit, lock=lock) for lock in locks[1:]),
        trained(loop=replace(loop, threads=2)),
        trained(loop=replace(loop, seed=loop.seed + 1)),
        trained(loop=replace(loop, steps=loop.steps + 1)),
        trained(kind="bc" if config.kind == "flow" else "flow"),
        trained(width=64),
    ]
    keys = [store.key(u) for u in (unit, *changed)]
    assert len(set(keys)) == len(keys)
    assert store.key(trained(prefetch=not config.prefetch)) == keys[0]


def test_policy_data_and_windows_of_predictions_are_in_their_key(
    store: Store, data: Any, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(LearnedSpec, "reads", lambda self: [self.path, self.device])
    monkeypatch.setattr(LearnedSpec, "code", lambda self: ())
    one, other = (str(d.root) for d in data)
    unit = PredictionsUnit("a", LearnedSpec("p"), one, (0, 1), WindowSpec(1, 4), 10)
    changed = [
        replace(unit, policy=LearnedSpec("q")),
        replace(unit, data=other),
        replace(unit, episodes=(0,)),
        replace(unit, window=WindowSpec(1, 5)),
        replace(unit, most=None),
    ]
    keys = [store.key(u) for u in (unit, *changed)]
    assert len(set(keys)) == len(keys)


def test_a_recording_that_is_edited_while_it_is_imported_makes_no_entry(
    store: Store, data: Any, tmp_path: Path, monkeypatch
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(data[0].root, copy)
    config = ImportConfig(path=str(copy), out="", heldout=0.5)
    unit = ImportUnit("a", config, LeRobotFolder.open(copy).contents.hash())
    imported = made.import_dataset

    def edited(*given: Any) -> Any:
        shutil.rmtree(copy)
        shutil.copytree(data[1].root, copy)
        return imported(*given)

    monkeypatch.setattr(made, "import_dataset", edited)
    with pytest.raises(DataError, match="was edited while it was imported"):
        store.make(unit)
    assert store.find(unit) is None

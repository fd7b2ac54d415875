"""Edit a copy of trimix, one place at a time, and see which results would be made again.

    python tests/experiment/audit_staleness.py

The units are those of a small comparison, with the settings of preset=tiny. Prints a line for each
edit; exit status 1 if any makes something again that does not hang on it, or leaves something that
does, or if making a unit runs a function of a module that its key does not know.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from types import FrameType
from typing import Any

import yaml

from trimix.core.contracts import Start
from trimix.data.importing.plan import ImportConfig
from trimix.data.lerobot.folder import LeRobotFolder
from trimix.data.lerobot.layout import MANIFEST
from trimix.data.windows import WindowSpec
from trimix.experiment import code
from trimix.experiment.arms import PolicyUnit
from trimix.experiment.promise import PromiseUnit
from trimix.experiment.scores import PredictionsUnit, RolloutsUnit
from trimix.experiment.sources import CollectUnit, ImportUnit, WorldModelUnit
from trimix.experiment.store import Store
from trimix.experiment.store_format import key_of
from trimix.experiment.store_unit import parts_of
from trimix.mix.compile import compile_recipe
from trimix.mix.recipe import Recipe, Source
from trimix.rollout.dream import DreamSpec, PerturbedSpec
from trimix.rollout.learned import LearnedSpec
from trimix.rollout.mujoco import ExpertSpec, MujocoSpec
from trimix.train.loop import LoopConfig
from trimix.train.policy import PolicyTrainConfig
from trimix.train.worldmodel import WorldModelConfig
from trimix.worldmodel.architecture import ArchitectureConfig

COPIED = (".py", ".xml", ".png", ".yaml", ".jinja")
RECORDED, IMPORTED, PUSH, BANANA = "recorded", "imported", "push_t", "banana"
MODEL, DREAM, FLOW, BC = "worldmodel", "dream", "flow", "bc"
EXPERT, ROLLOUTS, PREDICTIONS, PLAN = "expert rollouts", "rollouts", "predictions", "plan"
SIMULATED = {RECORDED, PUSH, BANANA, EXPERT, ROLLOUTS}
PUSHED = SIMULATED - {BANANA}
LEARNED = {MODEL, DREAM, FLOW, BC, ROLLOUTS, PREDICTIONS}
WRITTEN = {RECORDED, IMPORTED, PUSH, BANANA, DREAM}
ALL = SIMULATED | LEARNED | WRITTEN


@dataclass(frozen=True)
class Edit:
    """One change, and whose keys it must change.

    Args:
        what: in words.
        file: in the package.
        old, new: text of it; an empty `old` appends.
        expected: names of the units that hang on it.
    """

    what: str
    file: str
    old: str
    new: str
    expected: frozenset[str]


CONSTANT = "\n_AUDIT = 1\n"
TINY = "cli/conf/preset/tiny.yaml"
SCORES = {EXPERT, ROLLOUTS, PREDICTIONS}
EDITS = tuple(
    Edit(what, file, old, new, frozenset(expected))
    for what, file, old, new, expected in (
        ("core: seeds", "core/seeds.py", "digest_size=16", "digest_size=17", ALL),
        ("core: the rollout loop", "core/rollout.py", "", CONSTANT, SIMULATED | {DREAM}),
        ("assets: textures", "assets/textures/surfaces.py", "", CONSTANT, SIMULATED),
        ("assets: the arm", "assets/robots/cr5.xml", "armature=", "damping=", {BANANA}),
        ("assets: the stick", "assets/robots/gantry.xml", 'kp="3000"', 'kp="1"', PUSHED),
        ("randomization: a preset", "randomization/presets.py", "", CONSTANT, SIMULATED),
        ("sim: cameras", "sim/cameras.py", "", CONSTANT, SIMULATED),
        ("sim: the arm", "sim/robots/cr5.py", "-0.675", "-0.676", {BANANA}),
        ("tasks: push_t", "tasks/push_t.py", "", CONSTANT, PUSHED),
        ("tasks: banana_on_plate", "tasks/banana_on_plate.py", "", CONSTANT, {BANANA}),
        ("tasks: one more", "tasks/__init__.py", '"push_t":', '"one": "a.b:C", "push_t":', ()),
        ("data: importing", "data/importing/resample.py", "", CONSTANT, {IMPORTED}),
        ("data: writing", "data/writing/shard.py", "", CONSTANT, WRITTEN),
        ("policy: flow", "policy/flow.py", "", CONSTANT, {FLOW, ROLLOUTS, PREDICTIONS}),
        ("policy: bc", "policy/bc.py", "", CONSTANT, {BC}),
        ("policy: augmentation", "policy/augment.py", "", CONSTANT, {FLOW, BC}),
        ("worldmodel: motion", "worldmodel/motion.py", "", CONSTANT, {MODEL, DREAM}),
        ("worldmodel: dreaming", "worldmodel/world.py", "", CONSTANT, {DREAM}),
        ("mix: order of windows", "mix/permutation.py", "", CONSTANT, {FLOW, BC}),
        ("train: policies", "train/policy.py", "", CONSTANT, {FLOW, BC}),
        ("train: world models", "train/worldmodel.py", "", CONSTANT, {MODEL}),
        ("rollout: scenes", "rollout/scenes.py", "", CONSTANT, {EXPERT, ROLLOUTS}),
        ("rollout: collecting", "rollout/collect.py", "", CONSTANT, WRITTEN - {IMPORTED}),
        ("evaluate: held-out windows", "evaluate/offline.py", "", CONSTANT, {PREDICTIONS}),
        ("evaluate: statistics", "evaluate/statistics.py", "", CONSTANT, ()),
        ("evaluate: the page", "evaluate/report.html.jinja", "", "x", ()),
        ("experiment: scores", "experiment/scores.py", "", CONSTANT, SCORES),
        ("experiment: the run", "experiment/run.py", "", CONSTANT, ()),
        ("experiment: the store", "experiment/store.py", "", CONSTANT, ()),
        ("bench", "bench/figure.py", "", CONSTANT, ()),
        ("cli: the pipeline", "cli/pipeline.py", "", CONSTANT, ()),
        ("YAML: episodes", TINY, "sim: {episodes: 4", "sim: {episodes: 5", {PUSH}),
        ("YAML: steps", TINY, "loop: {steps: 30", "loop: {steps: 7", {FLOW, BC}),
        ("YAML: a comment", TINY, "", "# more\n", ()),
        ("a comment", "sim/world.py", "", "# a comment\n", ()),
        ("a docstring", "core/seeds.py", '"""The random stream', '"""A stream', ()),
        ("layout", "policy/flow.py", "", "\n\n\n", ()),
        ("XML: a comment", "assets/robots/cr5.xml", "<worldbody>", "<!-- --><worldbody>", ()),
        ("the front door", "__init__.py", "", "\ndef _f() -> None:\n    import trimix.sim\n", ()),
    )
)


@dataclass(frozen=True)
class Made:
    """What units read that other units made.

    Args:
        recorded: a directory of episodes, as somebody brings them.
        data: a data set, imported from them.
        policy, model: trained on it.
    """

    recorded: Path
    data: Path
    policy: Path
    model: Path


def prepare(folder: Path) -> Made:
    """Make them, with the units that make them."""
    store = Store(folder / "store")
    recorded = folder / "recorded"
    shutil.copytree(store.make(_simulated("push_t", 4, 1)).folder / "data", recorded)
    (recorded / MANIFEST).unlink()  # as a robot's episodes come, with nothing to compare them with
    data = store.make(_imported(recorded)).folder / "data"
    policy = store.make(_policy(data, 2)).folder / "policy"
    return Made(recorded, data, policy, store.make(_model(data)).folder / "pipeline")


def units(made: Made, package: Path) -> dict[str, Any]:
    """Units of a small comparison, by name, with the settings of preset=tiny."""
    preset = yaml.safe_load((package / "cli/conf/preset/tiny.yaml").read_text())
    flow = _policy(made.data, preset["policy"]["loop"]["steps"])
    push = _simulated("push_t", preset["sim"]["episodes"], 2)
    policy, scenes = LearnedSpec(str(made.policy)), (Start(0, 0),)
    dream = DreamSpec(str(made.model), (str(made.data),))
    return {
        RECORDED: _simulated("push_t", 4, 1),
        IMPORTED: _imported(made.recorded),
        PUSH: push,
        BANANA: _simulated("banana_on_plate", 2, 2),
        MODEL: _model(made.data),
        DREAM: CollectUnit("", dream, PerturbedSpec(), 2, seed=3),
        FLOW: flow,
        BC: replace(flow, config=replace(flow.config, kind="bc")),
        EXPERT: RolloutsUnit("", push.world, push.policy, scenes, 1, False),
        ROLLOUTS: RolloutsUnit("", push.world, policy, scenes, 1, False),
        PREDICTIONS: PredictionsUnit("", policy, str(made.data), (0,), WINDOW, 10),
        PLAN: PromiseUnit("", "weights", "terms"),
    }


WINDOW = WindowSpec(2, 8)


def _simulated(task: str, episodes: int, seed: int) -> CollectUnit:
    world = MujocoSpec(task, randomization="mild", image_hw=(16, 16))
    return CollectUnit("", world, ExpertSpec(), episodes, seed)


def _imported(recorded: Path) -> ImportUnit:
    mode = "joint_velocity"
    config = ImportConfig(str(recorded), "", heldout=0.5, stand_in=True, control_mode=mode)
    return ImportUnit("", config, LeRobotFolder.open(recorded).contents.hash())


def _policy(data: Path, steps: int) -> PolicyUnit:
    recipe = Recipe(
        {"real": Source(str(data))}, {"real": 1.0}, batch_size=4, steps=steps, window=WINDOW
    )
    loop = LoopConfig(steps=steps, warmup_steps=1, threads=1)
    return PolicyUnit("", compile_recipe(recipe).to_json(), PolicyTrainConfig(width=32, loop=loop))


def _model(data: Path) -> WorldModelUnit:
    few = LoopConfig(steps=2, warmup_steps=1)
    parts = ArchitectureConfig(channels=(16, 16), refiner_channels=(16, 16), features=8)
    config = WorldModelConfig(
        parts, 2, trust_rollouts=2, trust_horizon=2, codec=few, motion=few, refiner=few, trust=few
    )
    return WorldModelUnit(
        "", (("real", str(data)),), (("real", str(data), "heldout"),), 2, config, 1
    )


def unreached(unit: Any, folder: Path, package: Path) -> set[str]:
    """Modules of which a function ran while a unit was made, and which its key does not know."""
    ran: set[str] = set()

    def note(frame: FrameType, event: str, argument: object) -> None:
        ran.add(frame.f_code.co_filename)

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        unit.make(folder, lambda: None)
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    parts = parts_of(unit)
    known = {name.partition(":")[0] for name in parts.get("code", {})}
    names = {
        ".".join(("trimix", *Path(file).relative_to(package).with_suffix("").parts))
        for file in ran
        if Path(file).is_relative_to(package)
    }
    names = {name.removesuffix(".__init__") for name in names}
    return {n for n in names - known if not n.startswith(code.PLUMBING)}


def keys(made: Made, package: Path) -> dict[str, str]:
    """Of every unit."""
    return {name: key_of(parts_of(unit)) for name, unit in units(made, package).items()}


@contextmanager
def edited(path: Path, old: str, new: str) -> Iterator[None]:
    """The file with its first `old` replaced, or `new` appended."""
    before = path.read_bytes()
    text = before.decode()
    assert old in text, f"{path} does not hold {old!r}"
    path.write_text(text.replace(old, new, 1) if old else text + new)
    try:
        yield
    finally:
        path.write_bytes(before)


@contextmanager
def other_version(library: str) -> Iterator[None]:
    """As if another version of a library were installed."""
    version = metadata.version
    metadata.version = lambda name: "0" if name == library else version(name)
    code.forget()
    try:
        yield
    finally:
        metadata.version = version
        code.forget()


@contextmanager
def flipped(path: Path) -> Iterator[None]:
    """One bit of a file is another."""
    before = path.read_bytes()
    path.write_bytes(before[:-9] + bytes([before[-9] ^ 1]) + before[-8:])
    try:
        yield
    finally:
        path.write_bytes(before)


def audit(made: Made, package: Path) -> int:
    """Every edit, one at a time; gives the number that were answered wrongly."""
    changes = [(e.what, edited(package / e.file, e.old, e.new), set(e.expected)) for e in EDITS]
    rows = next((made.recorded / "data").rglob("*.parquet"))
    changes += [
        ("data: one bit", flipped(rows), {IMPORTED}),
        ("library: mujoco", other_version("mujoco"), SIMULATED),
        ("library: mink", other_version("mink"), set()),
    ]
    before, wrong = keys(made, package), 0
    for what, change, expected in changes:
        with change:
            after = keys(made, package)
        changed = {name for name in before if after[name] != before[name]}
        verdict = "as it must" if changed == expected else "WRONG"
        print(f"{what:<32}{verdict:<12}{', '.join(sorted(changed)) or 'nothing'}")
        if changed != expected:
            wrong += 1
            print(
                f"    missing: {expected - changed or '-'}; too many: {changed - expected or '-'}"
            )
    for name, unit in units(made, package).items():
        if name == PLAN:
            continue  # a record: it hangs on no code
        folder = made.recorded.parent / "profiled" / name
        folder.mkdir(parents=True)
        if hidden := unreached(unit, folder, package):
            print(f"{name} runs what its key does not know: {', '.join(sorted(hidden))}")
            wrong += 1
    if keys(made, package) != before:
        print("undoing the edits does not bring the keys back")
        wrong += 1
    print(f"{len(changes)} edits, {wrong} answered wrongly")
    return wrong


def copy(root: Path, to: Path) -> Path:
    """The package's files, without what stands beside them in a checkout."""
    package = to / "trimix"
    rooms = [p.parent for p in root.glob("*/__init__.py")]
    for path in [root / "__init__.py", *(p for room in rooms for p in room.rglob("*"))]:
        if path.suffix in COPIED and path.is_file():
            target = package / path.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    return package


def main() -> int:
    """Audit a copy, in a process that runs it."""
    with tempfile.TemporaryDirectory(prefix="audit-staleness-") as folder:
        package = copy(Path(code.__file__).resolve().parents[1], Path(folder))
        program = [sys.executable, __file__, "--of", str(package), str(Path(folder, "made"))]
        path = {"PYTHONPATH": str(package.parent)}
        return subprocess.run(program, env=os.environ | path, check=False).returncode


if __name__ == "__main__":
    if sys.argv[1:2] == ["--of"]:
        audited, folder = Path(sys.argv[2]), Path(sys.argv[3])
        assert Path(code.__file__).is_relative_to(audited), "the copy is not what runs"
        sys.exit(audit(prepare(folder), audited) > 0)
    sys.exit(main())

"""How fast simulated episodes are made, stage by stage, beside what the same machine could do.

A frame is one row of one camera. The ceiling is the bare stepper on the very servo targets that
the experts gave, and the bare renderer on the very states that came of them, in as many processes,
in the same run. These hosts drift, so that a fixed scene is timed as well: `sim.reference` says how
fast the host was then. Axes: N rows, K substeps, nu actuators.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import mujoco
import numpy as np

from trimix.bench.figure import Figure
from trimix.bench.spread import WORKERS, spread
from trimix.core.contracts import F64, Start
from trimix.core.rollout import rollout
from trimix.core.workers import Local, Tick
from trimix.data.files import storage_errors, write_atomic
from trimix.data.writing.shard import folder_of, write_shard
from trimix.rollout.collect import collect
from trimix.rollout.mujoco import ExpertSpec, MujocoSpec
from trimix.sim.cameras import Cameras
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks import TASKS

ROWS, EPISODES = 16, 256
FAMOUS = "banana_on_plate"
REFERENCE_HZ = 60_000.0
"""Steps/s of the reference scene on an idle core of the machine of docs/results."""
_REFERENCE = """<mujoco>
<option timestep="0.005" cone="elliptic" integrator="implicitfast"/>
<worldbody><geom type="plane" size="1 1 1"/>{}</worldbody></mujoco>"""
_BALL = """<body pos="{x} {y} 0.03"><freejoint/><geom type="box" size="0.02 0.02 0.02"/></body>"""


@dataclass(frozen=True)
class Case:
    """Args:
    task: registered, on its own robot.
    px, cameras: of the pictures.
    episodes: that are collected; the stages are timed on a part of them.
    """

    task: str
    px: int
    cameras: int
    episodes: int

    @property
    def names(self) -> tuple[str, ...]:
        """The first cameras that the task has."""
        return tuple(TASKS[self.task]().cameras[: self.cameras])


def run(quick: bool) -> Iterator[Figure]:
    """`sim.frames_per_s.{task}.{px}px.{cameras}cam`, what part of the ceiling, and stages."""
    episodes = 4 if quick else EPISODES
    cases = [Case(FAMOUS, 64, 1, episodes)]
    if not quick:
        cases += [Case(task, 64, 1, episodes) for task in TASKS if task != FAMOUS]
        cases += [Case(FAMOUS, 128, 2, episodes)]
    for case in cases:
        found = measure(case)
        name = f"{case.task}.{case.px}px.{case.cameras}cam"
        n = found["frames"]
        ceiling, rate = found["ceiling_frames_per_s"], found["frames_per_s"]
        about = "mild, H.264, start-up included; baseline: bare stepper and renderer"
        yield Figure(f"sim.frames_per_s.{name}", rate, "frames/s", n, ceiling, about)
        yield Figure(f"sim.fraction_of_ceiling.{name}", found["fraction_of_ceiling"], "", n)
        if case.task == FAMOUS:
            for stage, seconds in found["stages"].items():
                yield Figure(f"sim.ms.{stage}.{name}", 1e3 * seconds, "ms/frame", n)
            about = "steps of the reference scene, against an idle core"
            yield Figure(f"sim.reference.{name}", found["reference"], "", n, None, about)


def write(path: Path, quick: bool) -> Mapping[str, Any]:
    """The first case as JSON, for other tools."""
    found = measure(Case(FAMOUS, 64, 1, 4 if quick else EPISODES))
    with storage_errors(path):
        write_atomic(path, (json.dumps(found, indent=1) + "\n").encode())
    return found


def measure(case: Case) -> dict[str, Any]:
    """Rates in frames/s of all processes together, stages in s of one process a frame."""
    spec = MujocoSpec(
        case.task, randomization="mild", cameras=case.names, image_hw=(case.px, case.px)
    )
    reference = _reference_hz() / REFERENCE_HZ
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        made = collect(
            spec,
            ExpertSpec(),
            Path(folder) / "made",
            episodes=case.episodes,
            rows=ROWS,
            executor=Local(WORKERS),
        )
        wall = time.perf_counter() - began
    parts = [found for _, found in spread(_stages, [case] * WORKERS)]
    seconds = {name: float(np.mean([p[name] for p in parts])) for name in parts[0]}
    frames = made.n_frames * case.cameras
    ceiling = sum(1.0 / (p["physics"] + p["bare render"]) for p in parts)
    rate = frames / wall
    return {
        "frames_per_s": rate,
        "cores": WORKERS,
        "resolution": case.px,
        "cameras": case.cameras,
        "stages": {name: seconds[name] for name in ("physics", "render", "encode", "write")},
        "ceiling_frames_per_s": ceiling,
        "fraction_of_ceiling": rate / ceiling,
        "reference": reference,
        "frames": frames,
    }


def _stages(_: None, case: Case, tick: Tick) -> dict[str, float]:
    """Stage -> s a frame, alone, on what experts did in a few rows."""
    rows = min(ROWS, case.episodes)
    config = MujocoConfig(cameras=case.names, image_hw=(case.px, case.px))
    task = TASKS[case.task]()
    world = MujocoWorld(task, rows, randomization="mild", config=config)
    expert = task.expert(world.physics, world.goals, world.interface)
    starts = [Start(0, i) for i in range(rows)]
    ramps: list[tuple[list[int], F64]] = []
    step = world.physics.step

    def kept(ids: Any, ctrl: F64) -> Any:
        ramps.append((list(ids), ctrl))
        return step(ids, ctrl)

    world.physics.step = kept  # type: ignore
    episodes = [e for _, e in rollout(world, expert, starts)]
    world.physics.step = step  # type: ignore[method-assign]
    out = {
        "physics": _stepped(world, starts, ramps) / case.cameras,
        "render": _drawn(world) / case.cameras,
        "bare render": _bare(world, case),
    }
    frames = sum(len(e) for e in episodes) * case.cameras
    with tempfile.TemporaryDirectory() as folder:
        for name, some in (("encode", episodes), ("write", [_blind(e) for e in episodes])):
            folder_of(Path(folder) / name).mkdir(parents=True)
            began = time.perf_counter()
            for i, episode in enumerate(some):
                write_shard(Path(folder) / name, i, episode)
            out[name] = (time.perf_counter() - began) / frames
    out["encode"] -= out["write"]
    world.close()
    return out


def _blind(episode: Any) -> Any:
    interface = replace(episode.interface, cameras={})
    return replace(episode, images={}, interface=interface)


def _stepped(world: MujocoWorld, starts: list[Start], ramps: list[tuple[list[int], F64]]) -> float:
    """s a control step of the bare stepper, of the ramps of a whole rollout."""
    world.reset(options={"starts": starts})
    batch, count = world.physics.batch, 0
    ctrl = int(mujoco.mjtState.mjSTATE_CTRL)
    began = time.perf_counter()
    for ids, ramp in ramps:
        try:
            batch.rollout(ramp.shape[1], ramp, control_spec=ctrl, record=(), ids=ids)
        except mujoco.batch.SimulationError:
            continue
        count += len(ids)
    return (time.perf_counter() - began) / count


def _drawn(world: MujocoWorld) -> float:
    """s a row of all cameras, as worlds draw them."""
    cameras: Cameras = world._cameras
    rows, rounds = range(world.num_envs), 8
    cameras.draw_rows(rows)
    began = time.perf_counter()
    for _ in range(rounds):
        cameras.draw_rows(rows)
    return (time.perf_counter() - began) / rounds / len(rows)


def _bare(world: MujocoWorld, case: Case) -> float:
    """s a picture: scene, render, read, over and over, of every row as it is."""
    cameras: Cameras = world._cameras
    canvas, camera = cameras.canvas, world.model.camera(case.names[0]).id
    out = np.empty((case.px, case.px, 3), np.uint8)
    rounds, seconds = 20, 0.0
    canvas.make_current()
    for row in range(world.num_envs):
        model, data = cameras.take(row)
        began = time.perf_counter()
        for _ in range(rounds):
            canvas.draw(model, data, camera, out)
        seconds += time.perf_counter() - began
    return seconds / rounds / world.num_envs


def _reference_hz() -> float:
    """Steps/s of a fixed scene of boxes on a floor, on one core."""
    boxes = "".join(_BALL.format(x=0.1 * (k % 3), y=0.1 * (k // 3)) for k in range(6))
    model = mujoco.MjModel.from_xml_string(_REFERENCE.format(boxes))
    data = mujoco.MjData(model)
    for _ in range(200):
        mujoco.mj_step(model, data)
    rounds = 4000
    began = time.perf_counter()
    for _ in range(rounds):
        mujoco.mj_step(model, data)
    return rounds / (time.perf_counter() - began)

"""The gallery of docs: every task, robot, preset and camera, as policies see them.

Axes: H x W pixels, RGB uint8.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from trimix.core.contracts import U8, Start
from trimix.core.errors import ConfigError
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks import TASKS

PX = 96
PRESETS = ("none", "mild", "strong", "target")
ROBOTS = ("cr5", "so101", "jaco", "gantry")
_LABEL_PX, _NAME_PX = 14, 110


def tasks() -> U8:
    """A row a task: both cameras of its first under each preset, 16 steps into the expert's way."""
    made = TASKS
    rows = [_row(name, [(_shown(name, preset=preset)) for preset in PRESETS]) for name in made]
    heads = [f"{preset}: {camera}" for preset in PRESETS for camera in ("front", "wrist")]
    return np.concatenate([_heads(heads), *rows])


def robots() -> U8:
    """A row a task: the front camera with every robot that can do it."""
    rows = [_row(name, [_shown(name, robot=r)[:, :PX] for r in ROBOTS]) for name in TASKS]
    return np.concatenate([_heads(ROBOTS), *rows])


def write(folder: Path) -> list[Path]:
    """Both pictures as JPEG."""
    made = {"gallery_tasks.jpg": tasks, "gallery_robots.jpg": robots}
    for name, draw in made.items():
        Image.fromarray(draw()).save(folder / name, quality=88, optimize=True)
    return [folder / name for name in made]


def _shown(name: str, *, preset: str = "none", robot: str = "", steps: int = 16) -> U8:
    """(PX, 2 PX, 3) front and wrist; grey where there is no such camera or robot."""
    task, out = TASKS[name](), []
    for camera in ("front", "wrist"):
        grey = np.full((PX, PX, 3), 235, np.uint8)
        config = MujocoConfig(cameras=(camera,), image_hw=(PX, PX))
        try:
            world = MujocoWorld(task, 1, robot=robot, randomization=preset, config=config)
        except ConfigError:
            out.append(grey)
            continue
        expert = task.expert(world.physics, world.goals, world.interface)
        obs, _ = world.reset(options={"starts": [Start(4, 2)]})
        expert.reset(np.ones(1, bool), np.zeros(1, np.int64))
        for _ in range(steps):
            obs, *_ = world.step(expert.act(obs))
        out.append(obs["images"][camera][0])
        world.close()
    return np.concatenate(out, axis=1)


def _row(name: str, pictures: Sequence[U8]) -> U8:
    label = Image.new("RGB", (_NAME_PX, PX), "white")
    ImageDraw.Draw(label).text((4, PX // 2 - 6), name, fill="black")
    return np.concatenate([np.asarray(label), *pictures], axis=1)


def _heads(names: Sequence[str]) -> U8:
    strip = Image.new("RGB", (_NAME_PX + PX * len(names), _LABEL_PX), "white")
    for k, name in enumerate(names):
        ImageDraw.Draw(strip).text((_NAME_PX + PX * k + 3, 1), name, fill="black")
    return np.asarray(strip)

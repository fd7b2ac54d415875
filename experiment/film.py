"""Filmed episodes on disk: what a report shows of a policy's rollouts.

Axes: T frames, H x W pixels, D state, A action channels.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from trimix.core.contracts import PolicyInterface
from trimix.core.episode import Episode, Provenance
from trimix.data.files import compact_json, storage_errors

_NAME = "scene-{:05d}"


def save_film(folder: Path, scene: int, episode: Episode) -> None:
    """Write an episode's first camera, its actions and what came of it.

    Equal episodes give equal bytes.

    Raises:
        TrimixError: the disk is full.
    """
    if not episode.images:
        return
    camera = next(iter(episode.images))
    about = {
        "interface": episode.interface.select([camera]).to_json(),
        "instruction": episode.instruction,
        "origin": episode.provenance.origin,
        "world": episode.provenance.world,
        "policy": episode.provenance.policy,
        "success": episode.provenance.success,
        "abstained": episode.provenance.abstained,
    }
    path = folder / _NAME.format(scene)
    with storage_errors(path):
        np.savez_compressed(
            path.with_suffix(".npz"),
            images=episode.images[camera],
            state=episode.state,
            action=episode.action,
        )
        path.with_suffix(".json").write_text(compact_json(about) + "\n")


def load_film(folder: Path) -> dict[int, Episode]:
    """scene -> episode, for every one in a folder: one camera, without reward and trust."""
    found = {}
    for path in sorted(folder.glob("scene-*.json")):
        about = json.loads(path.read_text())
        interface = PolicyInterface.from_json(about["interface"])
        with np.load(path.with_suffix(".npz"), allow_pickle=False) as arrays:
            images, state, action = (arrays[name] for name in ("images", "state", "action"))
        keys = ("origin", "world", "policy", "success", "abstained")
        found[int(path.stem.partition("-")[2])] = Episode(
            interface=interface,
            instruction=about["instruction"],
            images={next(iter(interface.cameras)): images},
            state=state,
            action=action,
            provenance=Provenance(**{key: about[key] for key in keys}),
        )
    return found


def block_name(arm: str, start: int) -> str:
    """What a run's folder calls the rollouts of an arm from this scene of the suite on."""
    return f"{arm}-{start:05d}"


def load_rollouts(folder: Path) -> dict[str, dict[int, Episode]]:
    """arm -> scene of the suite -> filmed episode, of a folder of blocks by their names."""
    found: dict[str, dict[int, Episode]] = {}
    for block in sorted(folder.glob("*-*")):
        arm, _, start = block.name.rpartition("-")
        filmed = found.setdefault(arm, {})
        filmed |= {int(start) + scene: episode for scene, episode in load_film(block).items()}
    return found

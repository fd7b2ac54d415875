"""Environments of others that fail while episodes run."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest

from trimix.cli.main import main
from trimix.core.contracts import Start
from trimix.core.errors import EXIT_STATUS, TrimixError
from trimix.core.rollout import rollout
from trimix.data.checking.check import check
from trimix.data.writing.shard import completed_indices
from trimix.policy.baselines import RandomPolicy
from trimix.rollout.foreign import GymSpec

PUSH = np.full((2, 2), 0.5, np.float32)


def odd(kind: str, after: int = 2) -> GymSpec:
    """The toy that behaves for `after` steps of every episode."""
    return GymSpec("toy_gym:toy/Odd-v0", {"odd": kind, "after": after}, image_hw=(8, 8))


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("raises", r"RuntimeError: the motor is hot \(toy_gym\.py line \d+\)"),
        ("longer", r"has 6 numbers; it declared 3"),
        ("grey", r"render\(\) gave \(20, 30\) uint8, not a picture"),
    ],
)
def test_a_fault_in_a_step_is_one_line_that_names_environment_row_and_episode(
    kind: str, said: str
) -> None:
    world = odd(kind).make(2)
    starts = [Start(4, 10), Start(4, 11)]
    world.reset(options={"starts": starts, "reset_mask": np.ones(2, bool)})
    world.step(PUSH)
    world.reset(options={"starts": starts, "reset_mask": np.array([True, False])})
    world.step(PUSH)
    place = r"^gym:toy_gym:toy/Odd-v0 row 1 \(seed 4, episode 11\): "
    with pytest.raises(TrimixError, match=f"{place}.*{said}") as caught:
        world.step(PUSH)
    assert "\n" not in str(caught.value)
    world.reset(options={"starts": starts, "reset_mask": np.ones(2, bool)})
    world.step(PUSH)  # a new episode behaves again
    world.close()


@pytest.mark.parametrize("kind", ["nan", "reward"])
def test_numbers_that_are_not_finite_cut_the_rows_episode_and_no_other(kind: str) -> None:
    world = odd(kind, after=3).make(2)
    world.reset(seed=0)
    world.step(PUSH)
    world.reset(seed=9, options={"reset_mask": np.array([True, False])})
    for _ in range(2):
        before, *_ = world.step(PUSH)
    obs, reward, terminated, truncated, info = world.step(PUSH)
    assert truncated.tolist() == info["abstained"].tolist() == [False, True]
    assert not terminated.any() and np.isfinite(reward).all() and np.isfinite(obs["state"]).all()
    assert np.array_equal(obs["state"][1], before["state"][1])
    assert (obs["state"][0] != before["state"][0]).any()
    info = world.step(PUSH)[4]
    assert info["abstained"].tolist() == [True, True]
    _, info = world.reset(seed=1)
    assert not info["abstained"].any()
    world.close()


def test_an_episode_that_is_cut_says_so() -> None:
    world = odd("nan", after=3).make(1)
    ((_, episode),) = rollout(world, RandomPolicy(world.interface), [Start(0, 0)])
    assert episode.provenance.abstained and len(episode) == 4
    episode.validate()
    world.close()


def test_nothing_is_lost_when_an_environment_fails_and_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = (
        "settings={id: 'toy_gym:toy/Odd-v0', kwargs: {odd: raises, beyond: 0.0}, "
        "image_hw: [8, 8], seconds: 0.5}"
    )

    def run(out: Path) -> int:
        given = ["episodes=6", "rows=1", "workers=1", "seed=3", f"out={out}"]
        return main(["collect", "world=gym", settings, *given])

    stopped, whole = tmp_path / "stopped", tmp_path / "whole"
    assert run(stopped) == EXIT_STATUS
    safe = len(completed_indices(stopped))
    assert 0 < safe < 6
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert f"toy/Odd-v0 row 0 (seed 3, episode {safe}): RuntimeError: the motor is hot" in said
    monkeypatch.setattr(importlib.import_module("toy_gym").Odd, "mended", True)
    assert run(stopped) == 0 and run(whole) == 0 and not check(stopped)
    files = [p.relative_to(whole) for p in sorted(whole.rglob("*")) if p.is_file()]
    assert len(files) > 4
    assert all((stopped / f).read_bytes() == (whole / f).read_bytes() for f in files)

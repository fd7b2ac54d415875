"""Worlds and policies made and loaded from their specs."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from toy_point import INTERFACE, PointSpec

from trimix.core.errors import ConfigError, InterfaceError, MissingError, TrimixError
from trimix.evaluate.closed_loop import ClosedLoopConfig, Job, evaluate
from trimix.evaluate.suites import draw_suite, make_suite
from trimix.policy.chunk import ActConfig, ChunkPolicy
from trimix.policy.normalization import Normalization, SourceRows
from trimix.policy.store import build_model, save_pretrained
from trimix.rollout.dream import DreamSpec
from trimix.rollout.learned import LearnedSpec
from trimix.rollout.mujoco import ExpertSpec, MujocoSpec

TASK = "banana_on_plate"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A policy for the toy world with random weights."""
    rng = np.random.Generator(np.random.Philox(0))
    rows = SourceRows(
        rng.normal(size=(60, 1)).astype(np.float32),
        rng.normal(size=(60, 1)).astype(np.float32),
        np.arange(60) // 20,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = build_model("bc", INTERFACE, history=2, chunk=8, width=32)
    path = tmp_path_factory.mktemp("policy") / "bc"
    save_pretrained(ChunkPolicy(model, INTERFACE, Normalization.fit([rows]), ActConfig()), path)
    return str(path)


def test_a_trained_policy_acts_alike_for_any_rows_and_blocks(saved):
    suite = make_suite("point", "toy", 9, 0, "choose")
    job = Job("bc", 0, PointSpec(), LearnedSpec(saved), suite)
    (a,) = evaluate([job], ClosedLoopConfig(rows=9))
    (b,) = evaluate([job], ClosedLoopConfig(rows=2, block=3))
    assert a.outcomes == b.outcomes


def test_how_a_policy_acts_can_be_changed(saved):
    world, spec = PointSpec().make(1), LearnedSpec(saved)
    as_saved = spec.load(world).config
    assert replace(spec, execute=2).load(world).config == ActConfig(2, as_saved.domain)
    assert replace(spec, domain="sim").load(world).config == ActConfig(as_saved.execute, "sim")
    with pytest.raises(TrimixError):
        replace(spec, execute=99).load(world)


def test_a_policy_is_read_by_its_files_and_how_it_acts(saved, tmp_path):
    spec = LearnedSpec(saved)
    copy = tmp_path / "copy"
    shutil.copytree(saved, copy)
    assert LearnedSpec(str(copy)).reads() == spec.reads()
    assert replace(spec, execute=2).reads() != spec.reads()
    about = copy / "policy.json"
    about.write_text(about.read_text().replace("{", "{ ", 1))
    assert LearnedSpec(str(copy)).reads() != spec.reads()
    assert "trimix.policy.bc" in spec.code()


def test_a_policy_of_another_robot_is_refused(saved):
    world = PointSpec().make(1)
    world.interface = world.interface.select([])
    with pytest.raises(InterfaceError, match="cameras"):
        LearnedSpec(saved).load(world)


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(MissingError):
        LearnedSpec(str(tmp_path / "none")).load(PointSpec().make(1))
    with pytest.raises(MissingError, match="world model"):
        DreamSpec(str(tmp_path / "none"), ("data",)).make(1)
    with pytest.raises(ConfigError, match=r"dream\.worldmodel"):
        DreamSpec().make(1)
    with pytest.raises(ConfigError, match="available"):
        MujocoSpec(task="juggle").make(1)


def test_the_expert_meets_the_suites_scenes_in_mujoco():
    world = MujocoSpec(TASK, "mild")
    suite = draw_suite(world, 2)
    job = Job("expert", 0, world, ExpertSpec(), suite)
    (together,) = evaluate([job], ClosedLoopConfig(rows=2, film=True))
    assert together.world == "mujoco:mild"
    assert [o.trust for o in together.outcomes] == [1, 1]
    for scene, episode in together.clips.items():
        assert episode.provenance.draw == suite.scenes[scene].draw
    assert 0 in together.clips

import numpy as np
import pytest
import torch
from toy_point import INTERFACE, make_world

from trimix.core.errors import ConfigError, InterfaceError, MissingError, TrimixError
from trimix.evaluate.closed_loop import ClosedLoopConfig, Job, evaluate
from trimix.evaluate.loaders import dream, expert, mujoco, trained
from trimix.evaluate.named import Named
from trimix.evaluate.suites import make_suite
from trimix.policy.chunk import ActConfig, ChunkPolicy
from trimix.policy.normalization import Normalization, SourceRows
from trimix.policy.store import build_model, save_pretrained

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


def test_a_trained_policy_acts_alike_for_any_rows_and_shards(saved):
    suite = make_suite("point", "toy", 9, 0, "choose")
    load = Named.of("trimix.evaluate.loaders:trained", {"path": saved})
    job = Job("bc", 0, Named.of("toy_point:make_world"), load, suite)
    (a,) = evaluate([job], ClosedLoopConfig(rows=9, shards=1))
    (b,) = evaluate([job], ClosedLoopConfig(rows=2, shards=3))
    assert a.outcomes == b.outcomes


def test_how_a_policy_acts_can_be_changed(saved):
    world = make_world(1)
    as_saved = trained(world, path=saved).config
    assert trained(world, path=saved, execute=2).config == ActConfig(2, as_saved.domain)
    assert trained(world, path=saved, domain="sim").config == ActConfig(as_saved.execute, "sim")
    with pytest.raises(TrimixError):
        trained(world, path=saved, execute=99)


def test_a_policy_of_another_robot_is_refused(saved):
    world = make_world(1)
    world.interface = world.interface.select([])
    with pytest.raises(InterfaceError, match="cameras"):
        trained(world, path=saved)


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(MissingError):
        trained(make_world(1), path=str(tmp_path / "none"))
    with pytest.raises(MissingError, match="world model"):
        dream(1, path=str(tmp_path / "none"), datasets=[])
    with pytest.raises(ConfigError, match="available"):
        mujoco(1, task="juggle")
    with pytest.raises(ConfigError, match="simulator's state"):
        expert(make_world(1))


def test_the_expert_meets_the_suites_scenes_in_mujoco():
    world = mujoco(1, task=TASK, randomization="mild")
    suite = make_suite(TASK, world.name, 2, 0, "choose", draw_for=world.draw)
    world.close()
    make = Named.of("trimix.evaluate.loaders:mujoco", {"task": TASK, "randomization": "mild"})
    job = Job("expert", 0, make, expert, suite)
    (together,) = evaluate([job], ClosedLoopConfig(rows=2, shards=1, clips=1))
    assert together.world == "mujoco:mild"
    assert [o.trust for o in together.outcomes] == [1, 1]
    episode = together.clips[0]
    assert episode.provenance.draw == suite.scenes[0].draw

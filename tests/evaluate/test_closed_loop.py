import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_point import PointPolicy, PointWorld, draw_for, make_world

from trimix.core.errors import ConfigError, InterfaceError
from trimix.evaluate.closed_loop import ClosedLoopConfig, Job, evaluate, run_scenes
from trimix.evaluate.evaluation import Evaluation
from trimix.evaluate.named import Named
from trimix.evaluate.suites import make_suite

SUITE = make_suite("point", "toy", 23, 3, "confirm", draw_for=draw_for)


def _jobs(abstain_below=-3.0):
    world = Named.of("toy_point:make_world", {"abstain_below": abstain_below})
    return [
        Job(f"gain {gain}", 0, world, Named.of("toy_point:load_policy", {"gain": gain}), SUITE)
        for gain in (0.1, 0.6)
    ]


@settings(max_examples=20)
@given(rows=st.integers(1, 30), shards=st.integers(1, 40), clips=st.integers(0, 30))
def test_outcomes_do_not_depend_on_rows_shards_or_clips(rows, shards, clips):
    reference = evaluate(_jobs(), ClosedLoopConfig(rows=4, shards=1))
    ours = evaluate(_jobs(), ClosedLoopConfig(rows=rows, shards=shards, clips=clips))
    assert [e.outcomes for e in ours] == [e.outcomes for e in reference]
    assert list(ours[0].clips) == list(range(min(clips, len(SUITE))))


def test_outcomes_do_not_depend_on_the_number_of_workers():
    seen = []
    config = {"rows": 4, "shards": 3, "clips": 2}
    alone = evaluate(_jobs(), ClosedLoopConfig(**config))
    both = evaluate(
        _jobs(),
        ClosedLoopConfig(**config, workers=2),
        progress=lambda done, total: seen.append((done, total)),
    )
    assert [e.to_json() for e in alone] == [e.to_json() for e in both]
    for a, b in zip(alone, both, strict=True):
        for scene, episode in a.clips.items():
            np.testing.assert_array_equal(episode.images["front"], b.clips[scene].images["front"])
    assert seen == [(i + 1, 46) for i in range(46)]


def test_progress_tells_every_scene():
    seen = []
    evaluate(_jobs(), ClosedLoopConfig(clips=3), progress=lambda *counts: seen.append(counts))
    assert seen == [(i + 1, 46) for i in range(46)]


def test_the_better_policy_succeeds_more_often():
    weak, strong = evaluate(_jobs())
    assert strong.success.mean() > weak.success.mean()
    assert strong.success.mean() > 0


def test_an_abstained_episode_is_counted_apart_and_never_a_success():
    class Lenient(PointWorld):
        """Says success and abstained in one breath."""

        def _info(self):
            info = super()._info()
            return {**info, "abstained": info["success"] > 0}

    outcomes, _ = run_scenes(Lenient(4), PointPolicy(0.6, 0.3), SUITE.scenes)
    assert any(o.abstained for o in outcomes)
    assert not any(o.success for o in outcomes)
    (cut, _) = evaluate(_jobs(abstain_below=0.5))
    raw = cut.to_json()
    assert raw["abstained"] == sum(o.abstained for o in cut.outcomes) > 0
    assert raw["n"] == len(SUITE)


def test_an_evaluation_comes_back_from_json():
    (first, _) = evaluate(_jobs())
    again = Evaluation.from_json(first.to_json())
    assert again.to_json() == first.to_json()
    assert again.outcomes == first.outcomes


def test_a_world_that_cannot_judge_is_not_read_as_failure():
    class Unlabelled(PointWorld):
        def _info(self):
            return {**super()._info(), "success_known": np.zeros(self.num_envs, bool)}

    with pytest.raises(ConfigError, match="cannot tell success"):
        run_scenes(Unlabelled(2), PointPolicy(0.6, 0.3), SUITE.scenes)


def test_another_interface_is_refused():
    policy = PointPolicy(0.6, 0.3)
    policy.interface = policy.interface.select([])
    with pytest.raises(InterfaceError, match="cameras"):
        run_scenes(make_world(2), policy, SUITE.scenes)


def test_mistakes_are_named():
    with pytest.raises(ConfigError, match="rows is 0"):
        ClosedLoopConfig(rows=0)
    for target in ("no_such_module:f", "toy_point:nothing", "toy_point", ""):
        with pytest.raises(ConfigError, match="cannot find"):
            Named.of(target)()
    with pytest.raises(ConfigError, match="cannot find"):
        bad = Job("a", 0, Named.of("toy_point:none"), Named.of("toy_point:load_policy"), SUITE)
        evaluate([bad])

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_point import PointPolicy, PointPolicySpec, PointSpec, PointWorld, draw_for

from trimix.core.errors import ConfigError, InterfaceError
from trimix.evaluate.closed_loop import ClosedLoopConfig, Job, evaluate, evaluate_policies
from trimix.evaluate.evaluation import Evaluation
from trimix.evaluate.suites import make_suite
from trimix.rollout.scenes import run_scenes

SUITE = make_suite("point", "toy", 23, 3, "confirm", draw_for=draw_for)


def _jobs(abstain_below=-3.0):
    world = PointSpec(abstain_below)
    return [Job(f"gain {gain}", 0, world, PointPolicySpec(gain), SUITE) for gain in (0.1, 0.6)]


@settings(max_examples=20)
@given(rows=st.integers(1, 30), block=st.integers(1, 40))
def test_outcomes_and_what_is_filmed_do_not_depend_on_rows_and_blocks(rows, block):
    reference = evaluate(_jobs(), ClosedLoopConfig(rows=4))
    ours = evaluate(_jobs(), ClosedLoopConfig(rows=rows, block=block, film=True))
    assert [e.outcomes for e in ours] == [e.outcomes for e in reference]
    for evaluation in ours:
        won = evaluation.success.tolist()
        firsts = {won.index(outcome) for outcome in set(won)}
        assert list(evaluation.clips) == sorted(firsts)
        for scene, episode in evaluation.clips.items():
            assert len(episode.images["front"]) == evaluation.outcomes[scene].steps


def test_nothing_is_filmed_unasked():
    assert not any(e.clips for e in evaluate(_jobs()))


def test_policies_by_name_meet_one_suite():
    specs = {"weak": PointPolicySpec(0.1), "strong": PointPolicySpec(0.6)}
    found = evaluate_policies(specs, PointSpec(), suite=SUITE)
    assert [e.outcomes for e in found] == [e.outcomes for e in evaluate(_jobs())]
    assert [e.arm for e in found] == ["weak", "strong"]


def test_outcomes_do_not_depend_on_the_number_of_workers():
    seen = []
    config = {"rows": 4, "block": 8, "film": True}
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
    evaluate(_jobs(), progress=lambda *counts: seen.append(counts))
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
        run_scenes(PointWorld(2), policy, SUITE.scenes)


def test_mistakes_are_named():
    with pytest.raises(ConfigError, match="rows is 0"):
        ClosedLoopConfig(rows=0)
    with pytest.raises(ConfigError, match="suite is of world toy, not mujoco"):
        SUITE.require_of(PointSpec(name="mujoco:mild"), where="suite.json")
    with pytest.raises(ConfigError, match="of task 'point', not 'line'"):
        SUITE.require_of(PointSpec(task="line"), where="suite.json")

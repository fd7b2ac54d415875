import pytest
from toy_point import PointPolicySpec, PointSpec, draw_for

from trimix.core.errors import ConfigError
from trimix.evaluate.betting import betting_interval
from trimix.evaluate.closed_loop import ClosedLoopConfig, Job, evaluate
from trimix.evaluate.head_to_head import evaluate_until_apart, head_to_head
from trimix.evaluate.suites import make_suite
from trimix.evaluate.verdict import statement

SUITE = make_suite("point", "toy", 60, 3, "confirm", draw_for=draw_for)


def _jobs(gains=(0.02, 0.6), suite=SUITE):
    return [Job(f"gain {g}", 0, PointSpec(), PointPolicySpec(g), suite) for g in gains]


def test_one_stops_once_one_is_better_and_what_was_seen_is_the_same():
    seen = []
    whole = evaluate(_jobs())
    config = ClosedLoopConfig(block=10, film=True)
    found = evaluate_until_apart(_jobs(), config, progress=lambda *at: seen.append(at))
    n = len(found[0].outcomes)
    assert n < 60
    assert n % 10 == 0
    assert seen[-1] == (2 * n, 120)
    for ours, all_of in zip(found, whole, strict=True):
        assert ours.outcomes == all_of.outcomes[:n]
        assert ours.suite_hash == SUITE.hash
        won = ours.success.tolist()
        assert sorted(ours.clips) == sorted(won.index(outcome) for outcome in set(won))
    comparison = head_to_head(*found)
    lost = int((found[1].success & ~found[0].success).sum())
    won = int((found[0].success & ~found[1].success).sum())
    assert comparison["ci95"] == betting_interval(won, n - won - lost, lost, 0.95)
    assert comparison["verdict"] == "worse"
    assert head_to_head(*(e for e in reversed(found)))["verdict"] == "better"
    said = statement(comparison)
    assert said.startswith("Of these policies, not the mixes: gain 0.6 beats gain 0.02 by ")
    assert "at whatever scene one stops" in said


def test_equal_policies_meet_every_scene():
    found = evaluate_until_apart(_jobs((0.6, 0.6)), ClosedLoopConfig(block=25))
    assert [len(e.outcomes) for e in found] == [60, 60]
    comparison = head_to_head(*found)
    assert (comparison["delta"], comparison["verdict"]) == (0, "open")
    assert comparison["ci95"][0] == -comparison["ci95"][1]


def test_what_is_no_pair_is_refused():
    other = make_suite("point", "toy", 60, 4, "confirm", draw_for=draw_for)
    with pytest.raises(ConfigError, match="two policies"):
        evaluate_until_apart(_jobs((0.1, 0.2, 0.3)), ClosedLoopConfig())
    with pytest.raises(ConfigError, match="two policies"):
        evaluate_until_apart([*_jobs()[:1], *_jobs(suite=other)[:1]], ClosedLoopConfig())
    a, b = evaluate([*_jobs()[:1], *_jobs(suite=other)[:1]])
    with pytest.raises(ConfigError, match="same scenes"):
        head_to_head(a, b)

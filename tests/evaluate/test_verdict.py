import pytest
from example import example_report

from trimix.evaluate.verdict import caution, offline_verdicts, verdict


def _comparison(delta, low, high, **more):
    return {
        "a": "A",
        "b": "B",
        "n": 600,
        "delta": delta,
        "ci95": (low, high),
        "mcnemar_p": 0.01,
        **more,
    }


def test_a_difference_is_claimed_only_when_the_interval_excludes_0():
    assert verdict(_comparison(0.12, 0.04, 0.2)).startswith("A beat B by 12.0 points")
    assert verdict(_comparison(-0.12, -0.2, -0.04)).startswith("B beat A by 12.0 points")
    for low, high in ((-0.01, 0.2), (0.0, 0.2), (-0.2, 0.0)):
        assert verdict(_comparison(0.1, low, high)).startswith("No difference could be shown")


@pytest.mark.parametrize(("low", "high", "delta"), [(0.04, 0.2, 0.12), (-0.05, 0.1, 0.02)])
def test_swapping_the_arms_of_a_shown_difference_says_the_same(low, high, delta):
    said = verdict(_comparison(delta, low, high))
    swapped = {**_comparison(-delta, -high, -low), "a": "B", "b": "A"}
    assert (verdict(swapped) == said) == (low > 0)


def test_the_evidence_is_in_the_sentence():
    said = verdict(_comparison(0.12, 0.04, 0.2, scenes=200, seeds=3))
    assert "95% CI +4.0 to +20.0" in said
    assert "n = 200 scenes \N{MULTIPLICATION SIGN} 3 seeds" in said
    assert "p = 0.010" in said


def test_few_seeds_are_cautioned():
    assert caution(_comparison(0.1, 0.0, 0.2, scenes=200, seeds=3)) is None
    assert "2 training seeds" in caution(_comparison(0.1, 0.0, 0.2, scenes=200, seeds=2))
    assert "1 training seed:" in caution(_comparison(0.1, 0.0, 0.2, scenes=200, seeds=1))


def test_beating_a_baseline_takes_an_interval():
    strong, weak, other, _ = example_report()["arms"]
    (said,) = offline_verdicts([strong])
    assert "real-only (0.44) beat predict-mean and repeat-last (" in said
    (said,) = offline_verdicts([weak])
    assert "beat predict-mean but could not be shown to beat repeat-last (" in said
    together = offline_verdicts([strong, weak, other])
    assert len(together) == 2
    assert "real-only (0.44) and real+sim (0.38) beat" in together[0]
    for figures in strong["offline"]["baselines"].values():
        del figures["margin_ci95"]
    (said,) = offline_verdicts([strong])
    assert "real-only (0.44) could not be shown to beat predict-mean or repeat-last" in said
    strong["offline"] = None
    assert offline_verdicts([strong]) == []

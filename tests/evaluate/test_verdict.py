import re

import pytest
from example import example_report
from hypothesis import given
from hypothesis import strategies as st

from trimix.evaluate.verdict import (
    closed_loop_headline,
    headline,
    heldout_headline,
    open_questions,
    statement,
)


def _comparison(a, b, low, high, **more):
    found = {
        "a": a,
        "b": b,
        "n": 600,
        "delta": (low + high) / 2,
        "ci95": (low, high),
        "scope": "mixes",
        "status": "planned",
        "verdict": "better" if low > 0 else "worse" if high < 0 else "open",
        "scenes": 200,
        "seeds": 3,
        **more,
    }
    if found["status"] == "exploratory":
        found["verdict"] = "open"
    return found


RATES = {"A": 0.6, "B": 0.5, "C": 0.2}
TWO = {"A": 0.6, "B": 0.5}
CLAIMS = re.compile(r"\b(beats?|best|better|shown to|significant)\b")


def test_a_difference_is_claimed_only_when_the_interval_excludes_0():
    said = statement(_comparison("A", "B", 0.04, 0.2))
    size = "200 scenes \N{MULTIPLICATION SIGN} 3 seeds"
    assert said == f"A beats B by 12.0 points (95% CI +4.0 to +20.0; {size})."
    for low, high in ((-0.01, 0.2), (0.0, 0.2), (-0.2, 0.0)):
        said = statement(_comparison("A", "B", low, high))
        assert said.startswith("A and B can't be told apart: A minus B is ")
        assert not CLAIMS.search(said)


@pytest.mark.parametrize(
    ("rate", "end"),
    [(0.0, "no policy succeeded once"), (1.0, "every policy always succeeded"), (0.5, None)],
)
def test_where_nothing_can_differ_the_sentence_says_why(rate, end):
    said = headline([_comparison("A", "B", 0.0, 0.0)], {"A": rate, "B": rate})
    assert said == f"A and B can't be told apart{f'; {end}' if end else ''}."


def test_swapping_the_arms_of_a_shown_difference_says_the_same():
    there, back = _comparison("A", "B", 0.04, 0.2), _comparison("B", "A", -0.2, -0.04)
    assert statement(there) == statement(back)
    assert headline([there], TWO) == headline([back], TWO)


@given(st.floats(-1, 1), st.floats(0, 1), st.sampled_from(["mixes", "these policies"]))
def test_what_is_exploratory_never_claims(low, width, scope):
    """The cheat: a contrast picked, or seeds added, after the scores were seen."""
    c = _comparison("A", "B", low, low + width, status="exploratory", scope=scope)
    for said in (statement(c), headline([c], RATES)):
        assert said.startswith("Exploratory, so nothing is shown: ")
        assert not CLAIMS.search(said)


def test_few_seeds_speak_of_the_policies():
    c = _comparison("A", "B", 0.04, 0.2, scope="these policies", seeds=2)
    assert statement(c).startswith("Of these policies, not the mixes: A beats B")
    assert headline([c], TWO).startswith("Of these policies, not the mixes: A is best")
    (question,) = open_questions(
        [_comparison("A", "B", -0.1, 0.2, scope="these policies", seeds=1)], {("A", "B"): None}
    )
    assert question["seeds_needed"] == 3


def test_the_best_beats_every_other():
    three = [
        _comparison("A", "B", 0.01, 0.2),
        _comparison("A", "C", 0.3, 0.5),
        _comparison("B", "C", 0.1, 0.3),
    ]
    said = "A is best: it beats B by 1.0 to 20.0 and C by 30.0 to 50.0 points."
    assert headline(three, RATES) == said
    # The cheat: the highest score is not the best as long as one other is not beaten.
    three[0] = _comparison("A", "B", -0.01, 0.2)
    said = "A and B can't be told apart; both beat C by 10.0 to 50.0 points."
    assert headline(three, RATES) == said
    three[2] = _comparison("B", "C", -0.1, 0.3)
    said = "A beats C by 30.0 to 50.0 points; no other planned difference can be shown."
    assert headline(three, RATES) == said


def test_an_arm_that_was_not_compared_with_all_is_not_best():
    pairs = [_comparison("A", "C", 0.3, 0.5), _comparison("B", "C", 0.1, 0.3)]
    said = headline(pairs, RATES)
    assert "best" not in said
    assert "told apart" not in said
    assert said == "A beats C by 30.0 to 50.0 points; B beats C by 10.0 to 30.0 points."
    # The cheat: of three arms, the one that far outscores the others is left out of the plan.
    rates = {"A": 0.6, "B": 0.3, "C": 0.9}
    said = headline([_comparison("A", "B", 0.2, 0.4)], rates)
    assert said == "A beats B by 20.0 to 40.0 points; C was not compared as planned."
    said = headline([_comparison("A", "B", -0.2, 0.4)], rates)
    assert said == "A and B can't be told apart; C was not compared as planned."
    explored = _comparison("C", "A", 0.1, 0.4, status="exploratory")
    assert "best" not in headline([_comparison("A", "B", 0.2, 0.4), explored], rates)


def test_what_nobody_registered_is_not_called_planned():
    pairs = [_comparison("A", "B", 0.2, 0.4), _comparison("A", "C", -0.2, 0.4)]
    rows = [{**pair, "status": "unregistered"} for pair in pairs]
    said = headline(rows, RATES)
    assert said == "A beats B by 20.0 to 40.0 points; no other difference can be shown."


def test_nothing_shown_is_said_so():
    pairs = [("A", "B"), ("A", "C"), ("B", "C")]
    all_open = [_comparison(a, b, -0.1, 0.1) for a, b in pairs]
    assert headline(all_open, RATES) == "A, B and C can't be told apart."
    crossed = all_open[:2]
    assert headline(crossed, RATES) == "None of the 2 planned differences can be shown."
    assert headline([], {}) == "Nothing was compared."


def test_a_shown_difference_never_reads_as_0():
    c = _comparison("A", "B", 0.0002, 0.2)
    assert "+0.02 to" in statement(c)
    assert "by 0.02 to 20.0" in headline([c], RATES)


def test_what_is_open_says_what_it_takes():
    shown, open_ = _comparison("A", "B", 0.04, 0.2), _comparison("A", "C", -0.1, 0.2)
    (question,) = open_questions([shown, open_], {("A", "B"): 3, ("A", "C"): 12})
    assert (question["a"], question["b"], question["seeds_needed"]) == ("A", "C", 12)
    assert "new run, planned with about 12 training seeds" in question["sentence"]
    (question,) = open_questions([open_], {("A", "C"): None})
    assert "out of reach" in question["sentence"]


def test_the_example_speaks_as_the_code_does():
    report = example_report()
    rates = {arm["name"]: arm["closed_loop"]["success"] for arm in report["arms"]}
    assert report["inference"]["headline"] == headline(report["comparisons"], rates)
    assert report["inference"]["statements"] == [statement(c) for c in report["comparisons"]]


@pytest.mark.parametrize("named", [("A", "B"), ("real+sim", "real-only")])
def test_the_names_are_the_arms(named):
    assert headline([_comparison(*named, 0.1, 0.2)], dict.fromkeys(named, 0.5)).startswith(named[0])


def test_of_many_arms_the_headline_says_where_the_first_stands():
    arms = [f"arm {i}" for i in range(12)]
    rates = {arm: 0.9 - 0.05 * i for i, arm in enumerate(arms)}
    pairs = [
        _comparison(a, b, 0.05 * (j - i) - 0.11, 0.05 * (j - i) + 0.11)
        for i, a in enumerate(arms)
        for j, b in enumerate(arms)
        if i < j
    ]
    said = headline(pairs, rates)
    assert said == (
        "arm 0 beats 9 of 11, each by 4.0 points or more; "
        "arm 1 and arm 2 can't be told apart from it."
    )


def _scored(name, *, beats, error=0.4, **more):
    """An arm whose error is below the baselines of these names, by their intervals."""
    baselines = {
        b: {"margin_ci95": (-0.2, -0.1 if b in beats else 0.1)}
        for b in ("predict_mean", "repeat_last")
    }
    return {"name": name, "offline": {"velocity_nmse": error, "baselines": baselines, **more}}


BOTH, TRIVIAL = ("predict_mean", "repeat_last"), "predict-mean and repeat-last"


def test_beating_the_baselines_takes_an_interval():
    """The cheat: an error that is lower, but might as well not be."""
    said = heldout_headline([_scored("A", beats=BOTH, velocity_nmse_ci95=(0.35, 0.46))])
    assert f"A predicts held-out actions better than {TRIVIAL}" in said
    assert said.endswith("its velocity error is 0.400 (95% CI 0.350 to 0.460).")
    for beats in ((), ("predict_mean",)):
        said = heldout_headline([_scored("A", beats=beats)])
        assert f"A can't be shown to predict held-out actions better than {TRIVIAL}" in said
    bare = _scored("A", beats=BOTH)
    for figures in bare["offline"]["baselines"].values():
        del figures["margin_ci95"]
    assert "can't be shown" in heldout_headline([bare])


def test_held_out_scores_speak_of_the_policies_and_set_no_arm_against_another():
    arms = [_scored("A", beats=BOTH, error=0.5), _scored("B", beats=BOTH, error=0.3)]
    said = heldout_headline(arms)
    assert said == (
        f"Of these policies, not the mixes: all 2 arms predict held-out actions better than "
        f"{TRIVIAL}; of the arms, B has the lowest velocity error, 0.300."
    )
    assert "A and B" not in said and not re.search(r"\b(beats|best)\b", said)
    mixed = [*arms, _scored("C", beats=())]
    assert f"A and B predict held-out actions better than {TRIVIAL}, C can't be shown to" in (
        heldout_headline(mixed)
    )
    assert "no arm can be shown to" in heldout_headline([_scored(n, beats=()) for n in "AB"])


def test_without_held_out_scores_there_is_no_sentence():
    assert heldout_headline([]) is None
    assert heldout_headline([{"name": "A", "offline": None}]) is None
    assert heldout_headline([_scored("A", beats=BOTH, error=None)]) is None


def test_without_an_inference_nothing_is_compared():
    report = example_report()
    assert closed_loop_headline(report) == report["inference"]["headline"]
    del report["inference"]
    said = closed_loop_headline(report)
    assert said.startswith("Nothing was compared; the rates of success: real-only 41.0%, ")
    assert not CLAIMS.search(said)

"""Laws of a comparison's description: what it cannot mean is refused in one line."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from trimix.core.errors import ConfigError
from trimix.experiment.config import Arm, Choose, Experiment, Scoring, sources_used
from trimix.experiment.settings import arm_of, as_settings, difference, source_of
from trimix.experiment.source_kinds import Dream, Real, Sim, StandIn
from trimix.mix.recipe import Filter, Phase

PAIR = {"a": Arm({"real": 1}), "b": Arm({"sim": 1})}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Experiment(arms={}), "no arms"),
        (lambda: Experiment(arms={"a/b": Arm({"real": 1})}), "arm 'a/b' cannot be a file's name"),
        (lambda: Experiment(sources={"..": StandIn()}), "source '..' cannot be"),
        (lambda: Experiment(seeds=0), "seeds is 0"),
        (lambda: Experiment(sources={"sim": Sim()}, arms={"a": Arm({"sim": 1})}), "recorded"),
        (
            lambda: Experiment(arms={"a": Arm({"reel": 1})}),
            "arm 'a': source 'reel' is not known; available: dream, real, sim",
        ),
        (lambda: Experiment(arms={"a": Arm({"real": 0})}), "above 0"),
        (lambda: Experiment(arms={"a": Arm({"real": float("nan")})}), "below 0"),
        (lambda: Experiment(arms={"a": Arm()}), "either shares or phases"),
        (
            lambda: Experiment(arms={"a": Arm({"real": 1}, filters={"sym": Filter()})}),
            "'sym' is not known",
        ),
        (lambda: Experiment(contrasts=(("real-only", "reel"),)), "contrasts: arm 'reel'"),
        (lambda: Experiment(arms=PAIR, contrasts=(("a", "a"),)), "pairs of different arms"),
        (lambda: Experiment(looks=(5, 3)), "ascending"),
        (lambda: Experiment(choose=Choose("best")), "choose.arm: arm 'best'"),
        (lambda: Experiment(scoring=Scoring(heldout="sim")), "evaluate.heldout: source 'sim'"),
        (lambda: Scoring(world="wild"), "evaluate.world: randomization 'wild'"),
        (lambda: Scoring(also=("wild",)), "evaluate.also"),
        (lambda: Scoring(scenes=0), "evaluate.scenes is 0"),
        (lambda: Real(aspect="fisheye"), "aspect 'fisheye'"),
        (lambda: Sim(randomization="wild"), "randomization 'wild'"),
        (lambda: StandIn(episodes=0), "episodes is 0"),
        (
            lambda: Experiment(
                sources={"real": StandIn(), "d": Dream(starts=("d",))}, arms={"a": Arm({"real": 1})}
            ),
            "d.starts: source 'd' is not known; available: real",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make()
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_an_arm_with_phases_uses_what_any_of_them_draws() -> None:
    arm = Arm(phases=(Phase(0.5, {"real": 1, "sim": 0}), Phase(1.0, {"more": 1})))
    assert arm.uses() == ("more", "real")
    assert sources_used({"x": arm, **PAIR}) == ("more", "real", "sim")


def test_all_pairs_are_compared_unless_some_are_named() -> None:
    plan = Experiment(seeds=4).plan()
    assert len(plan.contrasts) == 6 and plan.looks == (4,) and plan.scenes == 100
    named = Experiment(contrasts=(("real+sim", "real-only"),), looks=(3, 5)).plan()
    assert named.contrasts == (("real+sim", "real-only"),) and named.looks == (3, 5)
    present = Experiment(arms={**PAIR, "c": Arm({"dream": 1})}).plan(["a", "b"])
    assert present.contrasts == (("b", "a"),)


def test_a_mix_is_written_as_shares_or_as_an_arm() -> None:
    known = ("real", "sim", "shares")
    assert arm_of("a", {"real": 1, "sim": 3}, known) == Arm({"real": 1.0, "sim": 3.0})
    full = {"phases": [{"until": 1.0, "shares": {"real": 1}}], "ramp": "linear"}
    assert arm_of("a", full, known) == Arm(phases=(Phase(1.0, {"real": 1.0}),), ramp="linear")
    # A source may have the name of a setting.
    assert arm_of("a", {"shares": 1}, known) == Arm({"shares": 1.0})
    assert arm_of("a", {"real": 1}, known, "off").augment == "off"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"real": "0.5"}, "share '0.5' of real is no number"),
        ({"real": True}, "share True of real is no number"),
        ("real", "is no mix"),
        ({"rael": 1}, "source 'rael' is not known"),
        ({"shares": {"real": 1}, "rump": 1}, "'rump' is not known"),
    ],
)
def test_a_mix_that_is_none_is_refused(raw: object, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        arm_of("a", raw, ("real", "sim"))


def test_a_source_says_its_origin() -> None:
    assert source_of("more", {"origin": "sim", "episodes": 7}) == Sim(7)
    assert source_of("demos", {"origin": "real", "path": "x"}) == Real("x")
    for raw in ({"episodes": 1}, "sim"):
        with pytest.raises(ConfigError, match=r"sources\.more: does not say its origin"):
            source_of("more", raw)
    with pytest.raises(ConfigError, match="available: dream, real, sim, stand-in"):
        source_of("more", {"origin": "synthetic"})
    with pytest.raises(ConfigError, match="'epsodes' is not known"):
        source_of("more", {"origin": "sim", "epsodes": 1})


def test_equal_experiments_are_told_alike_and_every_change_is_told() -> None:
    whole = Experiment()
    told = as_settings(whole)
    assert difference(told, as_settings(copy.deepcopy(whole))) is None
    changes: dict[str, Experiment] = {
        "seed": replace(whole, seed=1),
        "batch_size": replace(whole, batch_size=8),
        "policy.loop.steps": replace(
            whole, policy=replace(whole.policy, loop=replace(whole.policy.loop, steps=9))
        ),
        "sources.sim.episodes": replace(whole, sources={**whole.sources, "sim": Sim(9)}),
        "arms.sim-only.shares.sim": replace(
            whole, arms={**whole.arms, "sim-only": Arm({"sim": 2.0})}
        ),
        "arms.sim-only": replace(
            whole, arms={k: v for k, v in whole.arms.items() if k != "sim-only"}
        ),
    }
    for at, other in changes.items():
        found = difference(told, as_settings(other))
        assert found is not None and found.startswith(f"{at} was ")


def test_an_experiment_grows_by_seeds_arms_and_sources() -> None:
    told = as_settings(Experiment())
    grown = Experiment(
        sources={**Experiment().sources, "more": Sim(9)},
        arms={**Experiment().arms, "more": Arm({"more": 1})},
        seeds=5,
        looks=(2, 5),
    )
    assert difference(told, as_settings(grown)) is None
    assert difference(as_settings(grown), told) is not None

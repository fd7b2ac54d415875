from dataclasses import replace

import numpy as np
import pytest
from filmed import dataset, episode

from trimix.evaluate.pictures import dream_strip, origins_strip, rollout_strip


def _numbers(strip):
    """Which episode each panel shows, by its grey."""
    return [round(float(panel.images[0].mean()) / 20) for panel in strip.panels]


def test_the_first_success_and_the_first_failure_are_shown():
    filmed = {
        4: episode(4, success=True),
        1: episode(1, success=False),
        2: episode(2, success=True),
        3: episode(3, success=False),
    }
    strip = rollout_strip("real+sim", filmed)
    assert (strip.title, strip.section) == ("real+sim", "rollouts")
    assert [panel.label for panel in strip.panels] == ["success", "failure"]
    assert _numbers(strip) == [2, 1]
    assert all(panel.origin is None for panel in strip.panels)


def test_what_was_abstained_from_is_never_shown_as_a_success():
    strip = rollout_strip("a", {0: episode(0, success=True, abstained=True)})
    (panel,) = strip.panels
    assert panel.label == "failure"
    assert "abstained" in panel.note


def test_an_outcome_that_did_not_occur_has_no_panel():
    strip = rollout_strip("a", {0: episode(0, success=True)})
    assert [panel.label for panel in strip.panels] == ["success"]
    assert rollout_strip("a", {}) is None
    blind = replace(episode(0, success=True), images={})
    assert rollout_strip("a", {0: blind}) is None


def test_the_typical_dream_has_the_middle_trust_and_the_worst_the_least(tmp_path):
    """The longest dream (the third) is neither."""
    trust, lengths = (0.9, 0.2, 0.8, 0.5, 0.6), (6, 5, 12, 4, 7)
    made = dataset(
        tmp_path / "dreams",
        [
            episode(i, t, origin="dream", trust=x)
            for i, (x, t) in enumerate(zip(trust, lengths, strict=True))
        ],
    )
    strip = dream_strip(made)
    assert strip.section == "dreams"
    assert [panel.label for panel in strip.panels] == ["a typical dream", "the worst dream"]
    assert _numbers(strip) == [4, 1]
    assert "0.60" in strip.panels[0].note
    assert "0.20" in strip.panels[1].note


def test_without_trust_the_length_decides(tmp_path):
    made = dataset(
        tmp_path / "dreams", [episode(i, t, origin="dream") for i, t in enumerate((9, 3, 5))]
    )
    assert _numbers(dream_strip(made)) == [2, 1]


def test_one_dream_is_not_also_the_worst(tmp_path):
    made = dataset(tmp_path / "dreams", [episode(3, origin="dream")])
    assert [panel.label for panel in dream_strip(made).panels] == ["a typical dream"]


def test_an_episode_of_each_origin_is_named_by_the_part_it_plays(tmp_path):
    for i, name in enumerate(("standin", "sim")):
        dataset(tmp_path / name, [episode(i + 1, origin="sim")])
    data = {"real": tmp_path / "standin", "sim": tmp_path / "sim"}
    strip = origins_strip(data, "stand-in (simulated)")
    assert [(p.origin, p.label) for p in strip.panels] == [
        ("real", "stand-in (simulated)"),
        ("sim", "sim"),
    ]
    assert _numbers(strip) == [1, 2]


@pytest.mark.parametrize("make", [dream_strip, lambda d: origins_strip({"sim": d.root}, "real")])
def test_without_cameras_there_is_nothing_to_show(tmp_path, make):
    blind = replace(episode(0), images={}, interface=episode(0).interface.select([]))
    assert make(dataset(tmp_path / "blind", [blind])) is None


def test_the_first_camera_is_shown():
    wrist = episode(1, success=True).images["wrist"]
    (panel,) = rollout_strip("a", {0: episode(1, success=True)}).panels
    np.testing.assert_array_equal(panel.images, wrist)

"""Recipes from YAML: all settings arrive, and every mistake names its key."""

import re
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from trimix.core.errors import ConfigError, MissingError
from trimix.data.windows import WindowSpec
from trimix.mix.recipe import Filter, Phase, Recipe, Source
from trimix.mix.recipe_file import load_recipe, recipe_from_mapping

WHOLE = """
sources:
  real: {path: data/real, max_repeats: 20}
  sim:
    path: data/sim
    domain: false
    filter: {success: true, origin: [sim], episodes: [0, 1], min_trust: 0.5, split: [train]}
phases:
  - {until: 0.5, shares: {sim: 1}}
  - {until: 1.0, shares: {sim: 0.25, real: 0.75}}
ramp: linear
unit: episodes
when_capped: error
batch_size: 32
steps: 500
seed: 7
window: {history: 1, chunk: 4}
cameras: [wrist]
image_hw: [64, 48]
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mix.yaml"
    path.write_text(text)
    return path


def test_every_setting_arrives(tmp_path):
    assert load_recipe(written(tmp_path, WHOLE)) == Recipe(
        sources={
            "real": Source("data/real", max_repeats=20.0),
            "sim": Source("data/sim", Filter(("train",), True, ("sim",), (0, 1), 0.5), None, False),
        },
        phases=(Phase(0.5, {"sim": 1.0}), Phase(1.0, {"sim": 0.25, "real": 0.75})),
        ramp="linear",
        unit="episodes",
        when_capped="error",
        batch_size=32,
        steps=500,
        seed=7,
        window=WindowSpec(1, 4),
        cameras=("wrist",),
        image_hw=(64, 48),
    )


def test_defaults_are_the_dataclasses(tmp_path):
    text = "sources: {a: {path: x}}\nshares: {a: 1}"
    assert load_recipe(written(tmp_path, text)) == Recipe(
        sources={"a": Source("x")}, shares={"a": 1.0}
    )


def test_a_mapping_is_not_changed():
    raw = OmegaConf.to_container(OmegaConf.create(WHOLE))
    recipe_from_mapping(raw)
    assert raw == OmegaConf.to_container(OmegaConf.create(WHOLE))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("sourcs: {}", "'sourcs' is not known; available: sources, shares,"),
        (
            "sources: {a: {path: x, filtr: {}}}",
            "sources.a.filtr: key 'filtr' is not known; available: path, filter, max_repeats",
        ),
        (
            "sources: {a: {path: x, filter: {sucess: true}}}",
            "key 'sucess' is not known; available: split, success, origin",
        ),
        ("sources: {a: {path: x}}\nwindow: {chunks: 3}", "available: history, chunk"),
        ("phases: [{untill: 1}]", "'untill' is not known; available: until, shares"),
        ("sources: {a: {path: x}}\nsteps: many", "steps: Value 'many'"),
        ("sources: {a: {path: x, filter: {success: 3x}}}", "sources.a.filter.success"),
        ("sources: {a: {}}\nshares: {a: 1}", "sources.a.path: has no value"),
        ("sources: [a]", "sources: not a mapping"),
        ("sources: {a: 3}\nshares: {a: 1}", "sources.a"),
        ("sources: {a: {path: x}}\nshares: {b: 1}", "source 'b' is not known; available: a"),
        ("sources: {a: {path: x}}\nwindow: {chunk: 0}", "chunk"),
        ("- a\n- b", "a recipe is a mapping"),
        ("a: [", "not YAML"),
        ("a: ${b}", "b"),
        ("", "no sources"),
    ],
)
def test_a_mistake_names_its_key_in_one_line(tmp_path, text, named):
    with pytest.raises(ConfigError, match=re.escape(named)) as fault:
        load_recipe(written(tmp_path, text))
    assert "\n" not in str(fault.value)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(MissingError, match="no such recipe"):
        load_recipe(tmp_path / "mix.yaml")

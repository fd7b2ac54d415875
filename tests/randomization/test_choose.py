"""Lists of axes that users write in YAML."""

import json

import pytest

from trimix.core.errors import ConfigError, MissingError
from trimix.core.seeds import stream
from trimix.randomization.choose import is_file, randomizer, require
from trimix.randomization.distributions import Choice, Constant, LogUniform, Normal, Uniform
from trimix.randomization.presets import preset, texture_pool
from trimix.randomization.roles import Roles
from trimix.randomization.vary import Randomizer, Vary

ROLES = Roles({"props": ("cup", "saucer"), "cameras": ("eye",)})


@pytest.fixture
def written(tmp_path):
    """text -> the path of a YAML file with it."""

    def write(text):
        path = tmp_path / "axes.yaml"
        path.write_text(text)
        return str(path)

    return write


def test_a_list_says_what_python_says(written):
    path = written(
        """
        - {axis: "geom/table/friction", how: scale, value: {loguniform: [0.7, 1.4]}}
        - {axis: "body/{props}/mass", how: scale, value: {uniform: [0.5, 2]}}
        - {axis: "camera/eye/pos", how: add, value: {normal: [[0, 0, 0], [0.1, 0.1, 0.1], 2]}}
        - {axis: "light/key/active", how: set, value: {choice: [0, 1]}}
        - {axis: "material/table/texture", how: set, value: {constant: wood}}
        - {axis: "material/cup/texture", how: set, value: {textures: heldout}}
        """
    )
    made = randomizer(path, ROLES)
    assert made.name == path
    assert list(made.axes) == [
        Vary("geom/table/friction", "scale", LogUniform(0.7, 1.4)),
        Vary("body/cup/mass", "scale", Uniform(0.5, 2.0)),
        Vary("body/saucer/mass", "scale", Uniform(0.5, 2.0)),
        Vary("camera/eye/pos", "add", Normal((0.0,) * 3, (0.1,) * 3, 2.0)),
        Vary("light/key/active", "set", Choice((0.0, 1.0))),
        Vary("material/table/texture", "set", Constant("wood")),
        Vary("material/cup/texture", "set", Choice(texture_pool("heldout"))),
    ]


def test_a_list_on_a_base_replaces_what_it_names_and_keeps_the_rest(written):
    path = written(
        """
        base: strong
        axes:
          - {axis: "body/cup/mass", how: set, value: {constant: 0.2}}
          - {axis: "geom/x/friction", how: scale, value: {uniform: [1, 2]}}
        """
    )
    made = {axis.target: axis for axis in randomizer(path, ROLES).axes}
    strong = {axis.target: axis for axis in preset("strong", ROLES).axes}
    assert made.pop("geom/x/friction").how == "scale"
    assert made["body/cup/mass"].value == Constant(0.2)
    assert made | {"body/cup/mass": strong["body/cup/mass"]} == strong


def test_a_preset_is_a_name(written):
    assert randomizer("mild", ROLES).axes == preset("mild", ROLES).axes
    assert not is_file("mild") and is_file("a/b.yaml") and is_file("b.yml")
    assert randomizer(written("[]"), ROLES).axes == ()
    require("mild", "here")
    require(written("[]"), "here")
    with pytest.raises(ConfigError, match=r"here: randomization 'wild'.*mild.*yaml"):
        require("wild", "here")


def test_pools_of_textures():
    train, heldout = texture_pool("train"), texture_pool("heldout")
    assert train and heldout
    assert not set(train) & set(heldout) or set(train) == set(heldout)
    with pytest.raises(ConfigError, match=r"pool of textures 'tain' is not known.*heldout, train"):
        texture_pool("tain")


GOOD = '{axis: "geom/a/friction", how: scale, value: {uniform: [1, 2]}}'


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{", "axes.yaml: this is no YAML"),
        ("3", "the file is 3; give a list of axes, or base and axes"),
        ("{bsae: mild}", "the file has bsae; give a list"),
        ("{base: mlid}", r"axes.yaml: base: preset 'mlid' is not known; available: .*mild"),
        ("{axes: 3}", "axes is 3, not a list"),
        (f"[{GOOD}, {GOOD}]", "entry 2: target 'geom/a/friction' is varied twice"),
        (f"[{GOOD}, 7]", "entry 2: the axis is 7; give axis, how and value"),
        (f"[{GOOD}, {{axis: a/b/c, how: set}}]", "entry 2: the axis has axis, how; give"),
        ('[{axis: 3, how: set, value: {constant: 1}}]', "entry 1: axis 3 is not kind/name"),
        ('[{axis: a/b, how: set, value: {constant: 1}}]', "entry 1: a/b: .*kind/name/attribute"),
        ('[{axis: a/b/c, how: pet, value: {constant: 1}}]', "entry 1: a/b/c: how 'pet'.*scale"),
        ('[{axis: a/b/c, how: [], value: {constant: 1}}]', "entry 1: a/b/c: how"),
        ('[{axis: "a/{prop}/c", how: set, value: {constant: 1}}]',
         r"entry 1: a/\{prop\}/c: role 'prop' is not known; available: .*props"),
        ('[{axis: a/b/c, how: set, value: 3}]', "entry 1: a/b/c: value 3 is not one.*loguniform"),
        ('[{axis: a/b/c, how: set, value: {unifrom: [1, 2]}}]',
         "entry 1: a/b/c: distribution 'unifrom' is not known; available: .*uniform"),
        ('[{axis: a/b/c, how: set, value: {uniform: [2, 1]}}]', r"entry 1: a/b/c: range \[2"),
        ('[{axis: a/b/c, how: set, value: {uniform: [1]}}]', r"\[1\] is not a list of 2"),
        ('[{axis: a/b/c, how: set, value: {uniform: [1, [2, 3]]}}]', "mixes a number and a list"),
        ('[{axis: a/b/c, how: set, value: {uniform: [one, two]}}]', "'one' is not a number"),
        ('[{axis: a/b/c, how: set, value: {uniform: [true, 2]}}]', "True is not a number"),
        ('[{axis: a/b/c, how: set, value: {normal: [1, 2, [3]]}}]', r"\[3\] is not a number"),
        ('[{axis: a/b/c, how: set, value: {constant: []}}]', "a list of no numbers"),
        ('[{axis: a/b/c, how: set, value: {choice: 3}}]', "3 is not a list of options"),
        ('[{axis: a/b/c, how: set, value: {choice: []}}]', "at least one option"),
        ('[{axis: a/b/c, how: set, value: {choice: [[1]]}}]', r"\[1\] is not a number"),
        ('[{axis: a/b/c, how: set, value: {textures: tarin}}]', "pool of textures 'tarin'"),
        ('[{axis: "os:getcwd/b/c", how: set, value: {constant: 1}}]',
         "entry 1: axis 'os:getcwd' is code, which no file can start"),
    ],
)  # fmt: skip
def test_mistakes_name_file_entry_and_what_is_known(written, text, named):
    with pytest.raises(ConfigError, match=named) as refused:
        randomizer(written(text), ROLES)
    assert "axes.yaml" in str(refused.value)


def test_no_yaml_makes_objects(written):
    with pytest.raises(ConfigError, match="no YAML"):
        randomizer(written("!!python/object/apply:os.getcwd []"), ROLES)


def test_a_missing_file_is_named():
    with pytest.raises(MissingError, match=r"there is no file 'nowhere.yaml'"):
        randomizer("nowhere.yaml", ROLES)


def test_ones_own_axis_in_a_file_must_be_named_beside_it(written):
    path = written('[{axis: "mine:Sag/b/c", how: set, value: {constant: 1}}]')
    made = randomizer(path, ROLES, own=("mine:Sag",))
    assert made.axes == (Vary("mine:Sag/b/c", "set", Constant(1.0)),)


@pytest.mark.parametrize("name", ["none", "mild", "strong", "target", "target_v1"])
def test_presets_come_back_from_json_and_draw_the_same(name):
    made = preset(name, ROLES)
    back = Randomizer.from_json(json.loads(json.dumps(made.to_json(), allow_nan=False)))
    assert back.name == made.name and back.axes == made.axes
    assert back.draw(stream(0, 1, "draw")) == made.draw(stream(0, 1, "draw"))


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        (3, "a randomizer has name and axes"),
        ({"name": "x"}, "a randomizer has name and axes"),
        ({"name": "x", "axes": {}}, "axes is not a list"),
        ({"name": "x", "axes": [{}]}, "of set 3: entry 1: the axis has ; give axis"),
        (
            {"name": "x", "axes": [{"axis": "m:A/b/c", "how": "set", "value": {"constant": 1}}]},
            "of set 3: entry 1: axis 'm:A' is code",
        ),
    ],
)
def test_what_is_no_randomizer_is_refused(raw, named):
    with pytest.raises(ConfigError, match=named):
        Randomizer.from_json(raw, "of set 3")


def test_a_distribution_of_ones_own_is_python_alone():
    class Sine:
        def sample(self, rng):
            return 0.0

        def ends(self):
            return 0.0, 1.0

    with pytest.raises(ConfigError, match="a/b/c: a Sine cannot be written; use constant"):
        Randomizer([Vary("a/b/c", "set", Sine())]).to_json()

"""Laws of saved policies: they come back to the byte, and nothing strange is loaded."""

import json
import shutil

import numpy as np
import pytest
import torch

from trimix.core.errors import ConfigError, DataError, MissingError
from trimix.policy.store import from_pretrained, save_pretrained

WEIGHTS = "model/diffusion_pytorch_model.safetensors"


def actions(policy, observe, steps=5):
    policy.reset(np.ones(3, bool), np.arange(3))
    return np.stack([policy.act(observe([0, 1, 2], t)) for t in range(steps)]).tobytes()


@pytest.mark.parametrize("kind", ["flow", "bc"])
def test_a_policy_comes_back_to_the_byte(kind, make_policy, observe, tmp_path):
    policy = make_policy(kind, execute=3, domain="sim")
    save_pretrained(policy, tmp_path / "p")
    again = from_pretrained(tmp_path / "p")
    assert again.interface.difference(policy.interface) is None
    assert again.interface == policy.interface and again.config == policy.config
    assert actions(policy, observe) == actions(again, observe)
    assert not list(tmp_path.rglob("*.bin")) and not list(tmp_path.rglob("*.tmp"))


def test_a_second_save_replaces_the_first(make_policy, observe, tmp_path):
    save_pretrained(make_policy("bc"), tmp_path / "p")
    save_pretrained(make_policy("flow"), tmp_path / "p")
    assert actions(from_pretrained(tmp_path / "p"), observe) == actions(make_policy(), observe)


def test_a_directory_of_something_else_is_not_overwritten(make_policy, tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(DataError, match="not a policy"):
        save_pretrained(make_policy(), tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "precious"


def _pickled(path):
    torch.save({"x": torch.ones(1)}, path / "model" / "diffusion_pytorch_model.bin")
    (path / WEIGHTS).unlink()


def _other_network(path):
    config = json.loads((path / "model/config.json").read_text())
    config["depth"] = 5
    (path / "model/config.json").write_text(json.dumps(config))


def _wider(path):
    config = json.loads((path / "model/config.json").read_text())
    config["width"] = 64
    (path / "model/config.json").write_text(json.dumps(config))


def _edit(**changes):
    def edit(path):
        about = json.loads((path / "policy.json").read_text())
        (path / "policy.json").write_text(json.dumps(about | changes))

    return edit


def _truncate(path):
    (path / WEIGHTS).write_bytes((path / WEIGHTS).read_bytes()[:-100])


@pytest.mark.parametrize(
    ("break_it", "error", "says"),
    [
        (shutil.rmtree, MissingError, "no policy is there"),
        (_pickled, MissingError, "safetensors only"),
        (_truncate, DataError, "cannot be read"),
        (_other_network, DataError, "do not belong together"),
        (_wider, DataError, "cannot be read|do not belong together"),
        (_edit(kind="gpt"), ConfigError, "available: bc, flow"),
        (_edit(format=99), DataError, "format 99"),
        (_edit(normalization={}), DataError, "cannot be read"),
        (_edit(act={"speed": 3}), DataError, "cannot be read"),
        (lambda path: (path / "policy.json").write_text("{"), DataError, "cannot be read"),
    ],
)
def test_a_damaged_policy_is_one_clear_error(break_it, error, says, make_policy, tmp_path):
    save_pretrained(make_policy(), tmp_path / "p")
    break_it(tmp_path / "p")
    with pytest.raises(error, match=says):
        from_pretrained(tmp_path / "p")

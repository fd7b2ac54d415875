"""Laws of the training loop: resume equals uninterrupted, and what stops a run says why."""

import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from trimix.core.errors import ConfigError, DataError, TrimixError
from trimix.train import checkpoint, device
from trimix.train.loop import LoopConfig, fit, learning_rate

CONFIG = LoopConfig(steps=30, learning_rate=1e-2, warmup_steps=5, checkpoint_every=7, device="cpu")


class Stop(RuntimeError):
    """Stands for a crash in mid-run."""


def net(seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(4, 16), nn.Dropout(0.2), nn.ReLU(), nn.Linear(16, 1))


def regression(model, stop_at=None, raises=Stop):
    """step -> loss on a batch keyed by the step; the dropout draws from torch's own generator."""

    def loss(step):
        if step == stop_at:
            raise raises
        x = torch.randn(32, 4, generator=torch.Generator().manual_seed(step))
        error = (model(x)[:, 0] - x.sum(1)).square().mean()
        return error, {"rmse": float(error.detach()) ** 0.5}

    return loss


def weights(model):
    return {k: v.numpy().tobytes() for k, v in model.state_dict().items()}


def test_training_learns_and_leaves_the_average(tmp_path):
    model = net()
    result = fit(model, regression(model), replace(CONFIG, steps=300), tmp_path, progress=False)
    assert result.steps == 300 and len(result.history) == 300
    assert result.history[-1]["loss"] < 0.2 * result.history[0]["loss"]
    saved = checkpoint.load(tmp_path / checkpoint.NAME)
    assert torch.equal(model[0].weight, saved.tensors["ema/0.weight"])
    assert not torch.equal(model[0].weight, saved.tensors["weight/0.weight"])
    assert not model.training


@pytest.mark.parametrize("stop_at", [1, 7, 16, 29])
def test_a_crashed_run_resumes_to_the_same_bytes(tmp_path, stop_at):
    whole, crashed, resumed = net(), net(), net(seed=9)
    first = fit(whole, regression(whole), CONFIG, tmp_path / "a", progress=False)
    with pytest.raises(Stop):
        fit(crashed, regression(crashed, stop_at), CONFIG, tmp_path / "b", progress=False)
    if stop_at < CONFIG.checkpoint_every:
        resumed = net()  # nothing was saved: the run begins anew from the caller's weights
    second = fit(resumed, regression(resumed), CONFIG, tmp_path / "b", progress=False)
    assert weights(whole) == weights(resumed)
    assert [e["loss"] for e in first.history] == [e["loss"] for e in second.history]
    lines = [json.loads(x) for x in (tmp_path / "b" / "log.jsonl").read_text().splitlines()]
    assert [e["step"] for e in lines] == list(range(1, CONFIG.steps + 1))


@pytest.fixture
def handled():
    """Handlers of their own: in the background of a script an interrupt is ignored."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, signal.default_int_handler) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_finishes_and_saves_the_step_under_way(tmp_path, sent, handled):
    whole, stopped, resumed = net(), net(), net(seed=9)
    fit(whole, regression(whole), CONFIG, tmp_path / "a", progress=False)
    base = regression(stopped)

    def pressed(step):
        if step == 10:
            signal.raise_signal(sent)
        return base(step)

    handler = signal.getsignal(sent)
    with pytest.raises(KeyboardInterrupt):
        fit(stopped, pressed, CONFIG, tmp_path / "b", progress=False)
    assert signal.getsignal(sent) is handler
    assert checkpoint.load(tmp_path / "b" / checkpoint.NAME).scalars["step"] == 11
    fit(resumed, regression(resumed), CONFIG, tmp_path / "b", progress=False)
    assert weights(whole) == weights(resumed)


def test_a_signal_that_is_ignored_stops_nothing(tmp_path, handled):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    model = net()
    base = regression(model)

    def pressed(step):
        signal.raise_signal(signal.SIGINT)
        return base(step)

    assert fit(model, pressed, CONFIG, tmp_path, progress=False).steps == CONFIG.steps
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_a_finished_run_is_taken_up_without_work(tmp_path):
    model, again = net(), net(seed=9)
    fit(model, regression(model), CONFIG, tmp_path, progress=False)
    result = fit(again, regression(again, stop_at=30), CONFIG, tmp_path, progress=False)
    assert result.steps == 30 and len(result.history) == 30
    assert weights(model) == weights(again)


def test_a_loss_that_is_not_finite_stops_with_advice(tmp_path):
    model = net()
    base = regression(model)

    def loss(step):
        value, metrics = base(step)
        return value * (float("nan") if step == 9 else 1.0), metrics

    with pytest.raises(TrimixError, match=r"step 9: the loss is nan.*learning_rate"):
        fit(model, loss, CONFIG, tmp_path, progress=False)
    assert checkpoint.load(tmp_path / checkpoint.NAME).scalars["step"] == 7


def test_another_run_in_the_directory_is_refused(tmp_path):
    model = net()
    fit(model, regression(model), CONFIG, tmp_path, progress=False, fingerprint="a")
    with pytest.raises(ConfigError, match=r"learning_rate=0\.01, asked for 0\.5"):
        fit(model, regression(model), replace(CONFIG, learning_rate=0.5), tmp_path, fingerprint="a")
    with pytest.raises(ConfigError, match="other data"):
        fit(model, regression(model), CONFIG, tmp_path, fingerprint="b")
    other = nn.Sequential(nn.Linear(4, 1))
    with pytest.raises(ConfigError, match="other weights"):
        fit(other, regression(other), CONFIG, tmp_path, fingerprint="a")


def test_the_random_state_of_the_caller_is_left_alone(tmp_path):
    model = net()
    before = torch.random.get_rng_state()
    fit(model, regression(model), CONFIG, tmp_path, progress=False)
    assert torch.equal(before, torch.random.get_rng_state())


def test_the_rate_rises_then_falls_to_a_tenth():
    config = LoopConfig(steps=1000, learning_rate=2.0, warmup_steps=100)
    rates = [learning_rate(s, config) for s in range(1000)]
    assert rates[:101] == sorted(rates[:101]) and rates[100:] == sorted(rates[100:], reverse=True)
    assert max(rates) == 2.0 and rates[-1] == pytest.approx(0.2, abs=1e-4)


def test_a_damaged_checkpoint_is_an_error_not_a_fresh_start(tmp_path):
    path = tmp_path / checkpoint.NAME
    checkpoint.save(path, checkpoint.Checkpoint({"x": torch.ones(9)}, {"step": 1}))
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(DataError, match="cannot be read"):
        checkpoint.load(path)
    checkpoint.save(path, checkpoint.Checkpoint({"x": torch.ones(9)}, {"step": 1}))
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_clear_error_and_keeps_the_old_checkpoint(tmp_path):
    path = tmp_path / checkpoint.NAME
    checkpoint.save(path, checkpoint.Checkpoint({"x": torch.ones(9)}, {"step": 1}))
    (tmp_path / (checkpoint.NAME + ".tmp")).symlink_to("/dev/full")
    with pytest.raises(TrimixError, match=r"cannot be written.*free disk space") as fault:
        checkpoint.save(path, checkpoint.Checkpoint({"x": torch.zeros(10**6)}, {"step": 2}))
    assert not isinstance(fault.value, DataError)  # which would blame the data
    assert checkpoint.load(path).scalars["step"] == 1


def test_a_run_directory_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    model = net()
    with pytest.raises(TrimixError, match="file is in the way"):
        fit(model, regression(model), CONFIG, tmp_path / "file" / "run", progress=False)


def test_tensors_and_scalars_round_trip(tmp_path):
    shared = torch.arange(6.0).reshape(2, 3)
    given = checkpoint.Checkpoint(
        {"a": shared, "b": shared.T, "n": torch.tensor(7)},
        {"step": 3, "nested": {"x": [1.5, None]}},
    )
    checkpoint.save(tmp_path / "c", given)
    read = checkpoint.load(tmp_path / "c")
    assert read.scalars == given.scalars and read.tensors.keys() == given.tensors.keys()
    assert all(torch.equal(read.tensors[k], v) for k, v in given.tensors.items())
    assert checkpoint.load(tmp_path / "none") is None


def test_devices_and_precisions_that_are_not_there():
    with pytest.raises(ConfigError, match="available: auto, cpu, cuda, mps"):
        device.pick_device("tpu")
    with pytest.raises(ConfigError, match="bf16"):
        device.autocast(torch.device("cpu"), "bf16")
    with pytest.raises(ConfigError, match="threads"):
        device.set_threads(0)
    if not torch.cuda.is_available():
        with pytest.raises(TrimixError, match="not there"):
            device.pick_device("cuda")

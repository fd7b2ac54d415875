import numpy as np
import pytest
from example import example_report

from trimix.core.contracts import Channel, PolicyInterface
from trimix.core.episode import Episode, Provenance
from trimix.core.errors import ConfigError, DataError
from trimix.core.seeds import stream
from trimix.data.cache import FrameCache
from trimix.data.importing.importer import ImportConfig, import_dataset
from trimix.data.windows import Windows, WindowSpec
from trimix.data.writing.writer import DatasetWriter
from trimix.evaluate.offline import OfflineConfig, channels_of, evaluate_offline
from trimix.evaluate.schema import validate_report

TRAIN, HELDOUT = (0, 1, 2), (3, 4, 5)
NAMES = ("slow", "fast", "still", "gripper")


def _dataset(root, *, scale=1.0, channels=NAMES):
    """Six episodes of smooth velocities, a channel that does not move, and a gripper."""
    interface = PolicyInterface(
        {}, (Channel("x"),), tuple(Channel(c) for c in channels), "joint_velocity", 0.1
    )
    with DatasetWriter(root, interface) as writer:
        for e in range(6):
            rng, t = stream(1, e, "toy data"), 20 + 3 * e
            phase = np.arange(t) / 5 + rng.uniform(0, 6)
            columns = {
                "slow": scale * (np.sin(phase) + 0.3 * rng.normal(size=t) + 0.1),
                "fast": 5 * np.cos(phase) + 0.3 * rng.normal(size=t),
                "still": np.full(t, 0.25),
                "gripper": (np.arange(t) > t / 2).astype(float),
            }
            action = np.stack([columns[c] for c in channels], 1).astype(np.float32)
            state = np.zeros((t, 1), np.float32)
            writer.add(e, Episode(interface, "go", {}, state, action, Provenance("real")))
        return writer.finalize()


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return _dataset(tmp_path_factory.mktemp("offline") / "data")


def _windows(dataset, episodes=HELDOUT):
    return Windows(dataset, FrameCache({}), WindowSpec(2, 8), episodes)


def _score(dataset, predict, **config):
    return evaluate_offline(
        dataset,
        _windows(dataset),
        [predict],
        train_episodes=TRAIN,
        learned=[dataset.fingerprints[e] for e in TRAIN],
        config=OfflineConfig(**config),
    )


def _blurred(batch):
    """A predictor between perfect and useless, the same for a window in any batch."""
    return (0.7 * batch.action + 0.1 * batch.action[:, :1]).astype(np.float32)


def test_a_perfect_predictor_and_the_mean(dataset):
    perfect = _score(dataset, lambda batch: batch.action)
    assert perfect["velocity_nmse"] == 0
    assert perfect["gripper_f1"] == 1
    assert perfect["per_channel"] == {"slow": 0, "fast": 0}
    mean = perfect["baselines"]["predict_mean"]
    assert mean["velocity_nmse"] == pytest.approx(1, abs=1e-6)
    assert mean["margin"] == pytest.approx(-1, abs=1e-6)
    assert perfect["channels_left_out"] == ["still"]


def test_the_result_is_what_the_report_takes(dataset):
    report = example_report()
    report["arms"][0]["offline"] = _score(dataset, _blurred)
    validate_report(report)


def test_the_figures_equal_their_definition(dataset):
    result = _score(dataset, _blurred)
    action = dataset.action()
    rows = {r.index: slice(r.start, r.start + r.length) for r in dataset.episodes}
    mean = np.concatenate([action[rows[e]] for e in TRAIN]).mean(0, dtype=np.float64)
    error, last, about_mean = np.zeros(4), np.zeros(4), np.zeros(4)
    for e in HELDOUT:
        episode = action[rows[e]].astype(np.float64)
        for t in range(1, len(episode)):
            for k in range(t, min(t + 8, len(episode))):
                error += (0.7 * episode[k] + 0.1 * episode[t] - episode[k]) ** 2
                last += (episode[t - 1] - episode[k]) ** 2
                about_mean += (episode[k] - mean) ** 2
    assert result["velocity_nmse"] == pytest.approx((error[:2] / about_mean[:2]).mean(), rel=1e-4)
    repeat = result["baselines"]["repeat_last"]
    assert repeat["velocity_nmse"] == pytest.approx((last[:2] / about_mean[:2]).mean(), rel=1e-4)
    assert result["windows"] == sum(rows[e].stop - rows[e].start - 1 for e in HELDOUT)


def test_the_batch_size_changes_nothing(dataset):
    whole = _score(dataset, _blurred, batch=1000)
    for batch in (1, 7):
        parts = _score(dataset, _blurred, batch=batch)
        assert parts["velocity_nmse"] == pytest.approx(whole["velocity_nmse"], rel=1e-9)
        assert parts["gripper_f1"] == whole["gripper_f1"]


def test_a_channels_unit_changes_nothing(dataset, tmp_path):
    scaled = _dataset(tmp_path / "scaled", scale=57.0)
    ours, theirs = _score(dataset, _blurred), _score(scaled, _blurred)
    assert theirs["velocity_nmse"] == pytest.approx(ours["velocity_nmse"], rel=1e-4)


def test_padding_and_still_channels_do_not_count(dataset):
    def wild(batch):
        out = _blurred(batch)
        out[~batch.action_valid] = 1e9
        out[..., 2] = -1e9
        out[batch.frame == 0] = 1e9
        return out

    assert _score(dataset, wild) == _score(dataset, _blurred)


def test_intervals_hold_the_figure_and_margins_the_difference(dataset):
    result = _score(dataset, _blurred)
    low, high = result["velocity_nmse_ci95"]
    assert low <= result["velocity_nmse"] <= high
    for baseline in result["baselines"].values():
        gap = result["velocity_nmse"] - baseline["velocity_nmse"]
        assert baseline["margin"] == pytest.approx(gap)
        assert baseline["margin_ci95"][0] <= baseline["margin"] <= baseline["margin_ci95"][1]
    assert _score(dataset, _blurred) == result


def test_margins_pay_for_all_that_are_shown_together(dataset):
    """The cheat: each arm against each baseline as if it were the only one."""

    def margins(**config):
        found = _score(dataset, _blurred, **config)["baselines"].values()
        return [high - low for low, high in (b["margin_ci95"] for b in found)]

    assert all(a < b < c for a, b, c in zip(*(margins(margins=m) for m in (1, 2, 8)), strict=True))
    assert margins() == margins(margins=2)


def test_without_a_gripper_there_is_no_f1(tmp_path):
    result = _score(_dataset(tmp_path / "d", channels=("slow", "still")), _blurred)
    assert result["gripper_f1"] is None
    assert result["gripper_f1_ci95"] is None
    assert set(result["per_channel"]) == {"slow"}


def test_without_a_velocity_there_is_no_error(tmp_path):
    result = _score(_dataset(tmp_path / "d", channels=("gripper",)), lambda b: b.action)
    assert result["velocity_nmse"] is None
    assert result["baselines"]["predict_mean"]["margin"] is None
    assert result["gripper_f1"] == 1


def test_a_gripper_that_is_always_wrong_scores_0(dataset):
    assert _score(dataset, lambda b: 1 - b.action)["gripper_f1"] < 0.05


def test_channels_are_told_apart():
    action = np.zeros((6, 4), np.float32)
    action[:, 0] = [0, 1, 0, 1, 1, 0]
    action[:, 1] = np.linspace(-1, 1, 6)
    action[:, 2] = 1e-6 * np.linspace(-1, 1, 6)
    kinds = channels_of(action, still=1e-3)
    assert (kinds.binary, kinds.continuous, kinds.still) == ((0,), (1,), (2, 3))


def test_evenly_spaced_windows_are_a_sample_of_all(dataset):
    assert _score(dataset, _blurred, max_windows=20)["windows"] <= 20
    assert _score(dataset, _blurred, max_windows=10**6) == _score(dataset, _blurred)


def test_a_predictor_is_checked(dataset):
    with pytest.raises(DataError, match="shape"):
        _score(dataset, lambda b: b.action[:, :1])
    with pytest.raises(DataError, match="finite"):
        _score(dataset, lambda b: np.full_like(b.action, np.nan))


def test_held_out_and_training_episodes_must_not_meet(dataset):
    def score(heldout, train, predictors=(_blurred,), learned=()):
        windows = _windows(dataset, heldout)
        return evaluate_offline(dataset, windows, predictors, train_episodes=train, learned=learned)

    with pytest.raises(DataError, match="episode 2 is held out, and a policy learned from it"):
        score((2, 3), TRAIN)
    for heldout, train in (((), TRAIN), (HELDOUT, ())):
        with pytest.raises(ConfigError, match="held-out fraction"):
            score(heldout, train)
    with pytest.raises(ConfigError, match="no policy"):
        score(HELDOUT, TRAIN, ())


def test_a_policy_is_not_scored_on_another_import_of_what_it_learned_from(dataset, tmp_path):
    """The same recordings, numbered and split anew."""
    again = import_dataset(ImportConfig(str(dataset.root), str(tmp_path / "again"), stand_in=True))
    known = [dataset.fingerprints[e] for e in (*TRAIN, 4)]
    with pytest.raises(DataError, match="episode 4 is held out"):
        evaluate_offline(again, _windows(again), [_blurred], train_episodes=TRAIN, learned=known)


def test_training_seeds_are_averaged(dataset):
    ours, perfect = _score(dataset, _blurred), _score(dataset, lambda batch: batch.action)
    both = evaluate_offline(
        dataset,
        _windows(dataset),
        [_blurred, lambda b: b.action],
        train_episodes=TRAIN,
        learned=(),
    )
    assert both["per_seed"] == [ours["velocity_nmse"], perfect["velocity_nmse"]]
    assert both["velocity_nmse"] == pytest.approx(np.mean(both["per_seed"]))
    assert both["baselines"]["repeat_last"]["velocity_nmse"] == pytest.approx(
        ours["baselines"]["repeat_last"]["velocity_nmse"]
    )

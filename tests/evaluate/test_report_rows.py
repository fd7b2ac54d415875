from dataclasses import replace

import pytest
from example import example_report
from hypothesis import given
from hypothesis import strategies as st
from toy_point import INTERFACE

from trimix.core.errors import ConfigError
from trimix.data.windows import WindowSpec
from trimix.evaluate.report_rows import loss_curve, mix_rows, shares_of
from trimix.evaluate.schema import validate_report
from trimix.mix.lock import Lock, LockedSource
from trimix.mix.runs import Runs
from trimix.mix.schedule import Segment
from trimix.mix.source import View


def _source(name, origins, share, draws):
    windows = sum(origins.values())
    return LockedSource(
        identity=f"id of {name}",
        names=(name,),
        path=name,
        content_hash=name,
        episodes=Runs("0"),
        min_trust=0.0,
        windows=windows,
        origins=origins,
        excluded={},
        domain=False,
        max_repeats=None,
        asked_share=share,
        share=share,
        draws=draws,
        repeats=draws / windows,
    )


LOCK = Lock(
    sources=(
        _source("demo", {"real": 100}, 0.25, 400),
        _source("made", {"sim": 300, "dream": 100}, 0.75, 1200),
    ),
    segments=(Segment(100, (1, 3)),),
    linear=False,
    batch_size=16,
    seed=0,
    view=View(WindowSpec()),
    interface=INTERFACE,
    unused=("spare",),
)


SEEDS = (LOCK, replace(LOCK, seed=1))


def _ledger(lock, demo, made):
    drawn = {"demo": {"real": demo}, "made": {"sim": made[0], "dream": made[1]}}
    sources = [{"name": name, "origins": origins} for name, origins in drawn.items()]
    return {"lock": lock.hash, "sources": sources}


def test_a_mixs_rows_add_up_to_the_mix():
    rows = mix_rows("arm", [LOCK])
    assert [(r["source"], r["origin"]) for r in rows] == [
        ("demo", "real"),
        ("made [sim]", "sim"),
        ("made [dream]", "dream"),
    ]
    assert sum(r["share"] for r in rows) == pytest.approx(1)
    assert sum(r["planned"] for r in rows) == 1600
    for row in rows:
        assert row["repeats"] == pytest.approx(row["drawn"] / row["windows"])


def test_what_was_drawn_is_what_the_ledgers_counted_and_not_the_plan():
    """A training that was stopped early drew less than its lock plans."""
    ledgers = [_ledger(SEEDS[0], 400, (900, 300)), _ledger(SEEDS[1], 100, (290, 10))]
    rows = mix_rows("arm", SEEDS, ledgers)
    assert [r["planned"] for r in rows] == [800, 1800, 600]
    assert [r["drawn"] for r in rows] == [500, 1190, 310]
    assert all(r["counted"] for r in rows)
    assert rows[0]["repeats"] == pytest.approx(500 / 200)
    assert sum(r["share"] for r in rows) == pytest.approx(1)


def test_without_a_ledger_nothing_is_said_to_be_counted():
    rows = mix_rows("arm", SEEDS)
    assert not any(r["counted"] for r in rows)
    assert [r["drawn"] for r in rows] == [r["planned"] for r in rows]


def test_another_training_s_ledger_is_refused():
    with pytest.raises(ConfigError, match="not of its locks"):
        mix_rows("arm", SEEDS, [_ledger(SEEDS[1], 1, (1, 1)), _ledger(SEEDS[0], 1, (1, 1))])
    with pytest.raises(ConfigError, match="not of its locks"):
        mix_rows("arm", SEEDS, [_ledger(SEEDS[0], 1, (1, 1))])


def test_an_unused_source_of_one_seed_counts_for_nothing_in_it():
    alone = replace(LOCK, sources=LOCK.sources[:1], seed=2)
    rows = mix_rows("arm", [LOCK, alone])
    assert [r["share"] for r in rows] == pytest.approx([0.25, 0.75 * 0.75 / 2, 0.75 * 0.25 / 2])


def test_shares_name_every_source():
    assert shares_of(LOCK) == {"demo": 0.25, "made": 0.75, "spare": 0.0}


@given(n=st.integers(1, 500), points=st.integers(1, 50))
def test_a_curve_keeps_the_mean_loss_and_the_last_step(n, points):
    history = [{"step": float(i), "loss": 1.0 / (i + 1), "seconds": 0.1} for i in range(n)]
    curve = loss_curve("a", history, group="Policy loss", points=points)
    assert len(curve["steps"]) == len(curve["values"]) == min(n, points)
    assert curve["steps"][-1] == n - 1
    assert curve["values"] == sorted(curve["values"], reverse=True)
    assert 1 / n <= curve["values"][-1] <= curve["values"][0] <= 1


def test_the_parts_fit_the_report():
    report = example_report()
    report["arms"][0]["shares"] = shares_of(LOCK)
    report["mix"] = mix_rows("real-only", [LOCK])
    report["curves"] = [loss_curve("a", [{"step": 0.0, "loss": 1.0}], group="g")]
    validate_report(report)


def test_a_training_without_history_is_named():
    with pytest.raises(ConfigError, match="'a' has no history"):
        loss_curve("a", [], group="g")

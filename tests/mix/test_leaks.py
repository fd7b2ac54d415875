"""A few trials of audit_leaks.py, and that it would notice a leak."""

import audit_leaks
import pytest

from trimix.data.fingerprint import FingerprintSet

TRIALS, FIRST = 2, 100


def test_nothing_held_out_is_drawn_and_nothing_else_refused():
    tally = audit_leaks.audit(TRIALS, FIRST)
    assert tally.told == [] and tally.leaked == tally.refused_wrongly == 0
    assert tally.drawn > 0 and tally.allowed > 0 and sum(tally.excluded.values()) > 0


@pytest.mark.parametrize(
    ("answer", "count"), [(False, "leaked"), (True, "refused_wrongly")], ids=["blind", "afraid"]
)
def test_the_audit_notices(monkeypatch, answer, count):
    """Fingerprints that match nothing leak; ones that match everything refuse too much."""

    def contains(known, _):
        return answer and len(known) > 0

    monkeypatch.setattr(FingerprintSet, "__contains__", contains)
    monkeypatch.setattr(audit_leaks, "expect_refusal", lambda *_: None)
    monkeypatch.setattr(audit_leaks.Trial, "dreams", lambda self, trained, begun: trained[0])
    assert any(noticed(trial, count) for trial in range(6))


def noticed(trial: int, count: str) -> bool:
    try:
        return getattr(audit_leaks.audit(1, trial), count) > 0
    except audit_leaks.DataError as fault:
        return "no window is left" in str(fault)

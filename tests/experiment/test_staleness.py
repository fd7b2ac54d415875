"""An edit makes again what hangs on it, and nothing else: see audit_staleness."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import audit_staleness
import pytest


@pytest.mark.timeout(900)  # it makes one of everything, watched function by function
def test_every_edit_is_answered_as_it_must() -> None:
    done = subprocess.run(
        [sys.executable, audit_staleness.__file__], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(audit_staleness.EDITS) + 3} edits, 0 answered wrongly" in done.stdout


def test_the_edits_are_in_every_room_and_everything_is_met_by_one() -> None:
    root = Path(audit_staleness.code.__file__).resolve().parents[1]
    rooms = {p.parent.name for p in root.glob("*/__init__.py")}
    edited = {Path(edit.file).parts[0] for edit in audit_staleness.EDITS}
    assert rooms - edited == {"tests"} & rooms
    assert set().union(*(edit.expected for edit in audit_staleness.EDITS)) == audit_staleness.ALL


def test_the_audit_can_fail(tmp_path: Path, monkeypatch, capsys) -> None:
    """Keys that see too much, or too little, are wrong both ways."""
    (tmp_path / "recorded" / "data").mkdir(parents=True)
    (tmp_path / "recorded" / "data" / "x.parquet").write_bytes(bytes(100))
    (tmp_path / "a.py").write_text("x = 1\n")
    edits = (audit_staleness.Edit("an edit", "a.py", "1", "2", frozenset({"a"})),)
    monkeypatch.setattr(audit_staleness, "EDITS", edits)
    made = audit_staleness.Made(tmp_path / "recorded", tmp_path, tmp_path, tmp_path)
    unit = _Careless()
    package = Path(audit_staleness.code.__file__).resolve().parents[1]
    unreached = audit_staleness.unreached
    monkeypatch.setattr(audit_staleness, "unreached", lambda u, f, _: unreached(u, f, package))
    monkeypatch.setattr(audit_staleness, "keys", lambda made, package: {"a": "1"})
    monkeypatch.setattr(audit_staleness, "units", lambda made, package: {"a": unit})
    assert audit_staleness.audit(made, tmp_path) >= 2
    told = capsys.readouterr().out
    assert "WRONG       nothing" in told
    assert "a runs what its key does not know: " in told
    assert "trimix.core.seeds" in told


class _Careless:
    """Runs code that it does not name."""

    kind, label = "count", "careless"

    def reads(self) -> None:
        return None

    def code(self) -> tuple[str, ...]:
        return ()

    def make(self, folder: Path, tick) -> None:
        importlib.import_module("trimix.core.seeds").key(1)

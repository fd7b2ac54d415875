"""Stores to try, and units that worker processes find by name."""

import sys
from pathlib import Path

import pytest

from trimix.experiment.store import Store

HERE = Path(__file__).parent
for folder in (HERE, HERE.parent / "evaluate"):  # units, and a report to write
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")

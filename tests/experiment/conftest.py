"""Stores to try, and units that worker processes find by name."""

import sys
from pathlib import Path

import pytest

from trimix.experiment.store import Store

HERE = str(Path(__file__).parent)
if HERE not in sys.path:
    sys.path.insert(0, HERE)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")

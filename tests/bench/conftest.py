"""A results line that tests vary."""

from __future__ import annotations

import pytest

from trimix.bench.results import Line


@pytest.fixture
def line() -> Line:
    """A whole line."""
    return {
        "figure": "plan.mb.3",
        "value": 12.5,
        "unit": "MB",
        "n": 7,
        "baseline": 100.0,
        "about": "beside | an array",
        "commit": "0123456789ab",
        "machine": "2 cores",
        "load": 0.1,
        "date": "2026-11-23T10:00:00+00:00",
        "command": "trimix bench plan",
    }

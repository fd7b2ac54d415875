"""What times a start and measures growth finds what is planted."""

import numpy as np
import pytest

from trimix.bench import starting
from trimix.core.errors import TrimixError


def test_a_leak_is_found(monkeypatch):
    """Six MB an episode that nobody gives back."""
    kept, write = [], starting.write_shard

    def leaking(*args, **more):
        kept.append(np.ones(6 * 2**20 // 8))
        return write(*args, **more)

    monkeypatch.setattr(starting, "write_shard", leaking)
    early, late = starting._grown(None, (48, 16), lambda: None)
    assert late - early > 0.8 * 32 * 6


def test_a_start_lasts_until_it_says_so():
    code = "import time; time.sleep(0.5); print('begun', flush=True); time.sleep(2)"
    assert 0.5 < starting._seconds(code) < 2.4


@pytest.mark.parametrize("code", ["print('begun', flush=True); raise SystemExit(3)", "pass"])
def test_a_start_that_fails_is_no_start(code):
    with pytest.raises(TrimixError, match="ended with"):
        starting._seconds(code)

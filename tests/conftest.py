"""Settings of every test."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from trimix.sim.cameras import name_renderer

# A busy machine is no failure: how long an example takes says nothing about what it shows.
settings.register_profile("trimix", deadline=None)
settings.load_profile("trimix")

# Test files import libraries that draw, each in whatever order.
name_renderer()


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What tests decode and remember of files is not kept in the user's own cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIMIX_CACHE", str(tmp_path_factory.mktemp("trimix-cache")))
        yield

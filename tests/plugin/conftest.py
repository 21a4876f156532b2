"""What the tests of the plugin's engine share: a homeserver in memory and a store on disk, both outliving the engine's lives."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.plugin.life import stored


@pytest.fixture
def server() -> FakeHomeserver:
    """A homeserver in memory."""
    return FakeHomeserver()


@pytest.fixture
async def store(own_data: Path) -> AsyncIterator[Store]:
    """A store in a new file."""
    async with stored(f"{own_data}/haven.db") as opened:
        yield opened

"""Where the bot of the examples keeps what it remembers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from plugin.store import Store
from tests.plugin.life import stored


@pytest.fixture
async def store(own_data: Path) -> AsyncIterator[Store]:
    """A store in a new file."""
    async with stored(f"{own_data}/haven.db") as opened:
        yield opened

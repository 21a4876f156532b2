"""What every test of Haven shares: the event loop's backend."""

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests and fixtures run on asyncio, the only loop that mautrix, nio and aiohttp know."""
    return "asyncio"

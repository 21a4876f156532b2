"""Lives of the bridge between the fake homeserver and the memory network."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.networks.memory import LINES
from tests.bridge.lives import Lives
from tests.bridge.website import Website, a_website


@pytest.fixture
async def lives(tmp_path: Path) -> AsyncIterator[Lives]:
    lives = Lives(tmp_path)
    await lives.begin()
    await lives.live()
    yield lives
    await lives.end()


@pytest.fixture
async def website() -> AsyncIterator[Website]:
    async with a_website() as website:
        yield website


@pytest.fixture
async def poor(tmp_path: Path) -> AsyncIterator[Lives]:
    lives = Lives(tmp_path, LINES)
    await lives.begin()
    await lives.live()
    await lives.link()
    yield lives
    await lives.end()

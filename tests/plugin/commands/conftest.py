"""The stage on which commands are tried out."""

from collections.abc import AsyncIterator

import pytest

from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.plugin.commands.stage import Stage, staged


@pytest.fixture
async def stage(server: FakeHomeserver, store: Store) -> AsyncIterator[Stage]:
    """A community with people of every role, in rooms of version 12."""
    async with staged(server, store) as made:
        yield made


@pytest.fixture
async def empty_stage(server: FakeHomeserver, store: Store) -> AsyncIterator[Stage]:
    """A bot that has no community yet."""
    async with staged(server, store, empty=True) as made:
        yield made

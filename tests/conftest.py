"""What every test of Haven shares: the event loop's backend, one real homeserver a process, and new people on it."""

import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from embedded.person import Person
from embedded.synapse import Synapse

Newcomer = Callable[[str], Awaitable[Person]]
"""Registers somebody whose name begins as given and is new to the homeserver."""


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests and fixtures run on asyncio, the only loop that mautrix, nio and aiohttp know."""
    return "asyncio"


@pytest.fixture(scope="session")
def server_data() -> Iterator[Path]:
    """A directory for the data of real servers: on a tmpfs where there is one; kept when HAVEN_KEEP is set."""
    tmpfs = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a directory of its own in it
    base = tmpfs if os.access(tmpfs, os.W_OK) else None
    directory = Path(tempfile.mkdtemp(prefix="haven-test-", dir=base))
    yield directory
    if not os.environ.get("HAVEN_KEEP"):
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def own_data(server_data: Path) -> Iterator[Path]:
    """A directory for the servers of one test only."""
    directory = Path(tempfile.mkdtemp(prefix="one-", dir=server_data))
    yield directory
    if not os.environ.get("HAVEN_KEEP"):
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
async def homeserver(server_data: Path) -> AsyncIterator[Synapse]:
    """A real Synapse with its limits lifted, shared: make new people and rooms, leave everybody else's alone."""
    async with Synapse(server_data / "synapse") as running:
        yield running


@pytest.fixture(scope="session")
async def newcomer(homeserver: Synapse) -> Newcomer:
    """Registers people that no other test knows: call it with the beginning of a name, and await."""
    numbers = itertools.count(1)

    async def register(name: str) -> Person:
        return await homeserver.register(f"{name}{next(numbers)}")

    return register

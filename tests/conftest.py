"""What every test of Haven shares: the event loop's backend, one real homeserver a process, new people on it, and an end for all that hangs."""

import faulthandler
import itertools
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from pathlib import Path

import pytest

from embedded.person import Person
from embedded.synapse import Synapse
from tests.databases import postgres_server

Newcomer = Callable[[str], Awaitable[Person]]
"""Registers somebody whose name begins as given and is new to the homeserver."""

TEARDOWN = 180
"""Seconds that cleaning up after one test may take, its servers included."""

_STDERR = os.dup(sys.stderr.fileno())
"""The terminal, whatever pytest captures."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None, None, None]:
    """Ends the process when cleaning up hangs: pytest-timeout lets go of a test as soon as it has failed."""
    faulthandler.dump_traceback_later(TEARDOWN, exit=True, file=_STDERR)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


class _Herald:
    """Tells of each failure at once, so that it is known even if the run never comes to its end."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One line for a test that failed: its name, when, and the first line of what went wrong."""
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            why = (crash.message if crash else str(report.longrepr)).strip().partition("\n")[0]
            self._terminal.write_line(f"\nFAILED in {report.when}: {report.nodeid}: {why}")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Puts the herald where the terminal is: with several processes, only in the one that gathers."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Herald(terminal))


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
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server: make a database of your own on it (`tests.databases.new_database`)."""
    with postgres_server() as address:
        yield address


@pytest.fixture(scope="session")
async def homeserver(server_data: Path) -> AsyncIterator[Synapse]:
    """A real Synapse with its limits lifted, shared: make new people and rooms, leave everybody else's alone.

    Everybody may publish rooms in its directory, as on a Synapse before 1.126.
    """
    publishing = {"room_list_publication_rules": [{"action": "allow"}]}
    async with Synapse(server_data / "synapse", extra=publishing) as running:
        yield running


@pytest.fixture(scope="session")
async def newcomer(homeserver: Synapse) -> Newcomer:
    """Registers people that no other test knows: call it with the beginning of a name, and await."""
    numbers = itertools.count(1)

    async def register(name: str) -> Person:
        return await homeserver.register(f"{name}{next(numbers)}")

    return register

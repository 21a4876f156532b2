"""Real servers for the system tests, each started once a process and only when a test asks for it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from embedded.irc import IrcServer, Ngircd, PythonIrc, ngircd_program
from embedded.maubot import Maubot
from embedded.synapse import Synapse
from scripts.build_plugin import build


@pytest.fixture(scope="session")
def mbp(server_data: Path) -> Path:
    """The plugin as it ships."""
    return build(output=server_data / "plugin.mbp")


@pytest.fixture(scope="session")
async def maubot(homeserver: Synapse, server_data: Path) -> AsyncIterator[Maubot]:
    """An unchanged maubot, shared: one client and one instance for each test that needs a bot."""
    async with Maubot(server_data / "maubot", homeserver.url) as running:
        yield running


@pytest.fixture(scope="session")
async def python_irc(server_data: Path) -> AsyncIterator[IrcServer]:
    """The pure-Python IRC server, shared: use nicks and channels of your own."""
    async with PythonIrc(server_data / "python-irc") as running:
        yield running


@pytest.fixture(scope="session")
async def ngircd(server_data: Path) -> AsyncIterator[IrcServer]:
    """ngIRCd, shared: use nicks and channels of your own."""
    if ngircd_program() is None:
        pytest.skip("ngircd is not installed")
    async with Ngircd(server_data / "ngircd") as running:
        yield running

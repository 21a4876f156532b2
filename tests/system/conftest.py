"""Real servers for the system tests, each started once a process and only when a test asks for it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from embedded.inspircd import Inspircd, inspircd_program
from embedded.irc import IrcServer, Ngircd, PythonIrc, ngircd_program
from embedded.maubot import Maubot
from embedded.person import Person
from embedded.prosody import Prosody, prosody_program
from embedded.synapse import Synapse
from scripts.build_plugin import build
from tests.conftest import Newcomer
from tests.system.plugin_world import Bot, plugin_in


@pytest.fixture(scope="session")
def mbp(server_data: Path) -> Path:
    """The plugin as it ships."""
    return build(output=server_data / "plugin.mbp")


@pytest.fixture(scope="session")
async def maubot(homeserver: Synapse, server_data: Path) -> AsyncIterator[Maubot]:
    """An unchanged maubot, shared: one client and one instance for each test that needs a bot."""
    async with Maubot(server_data / "maubot", homeserver.url) as running:
        yield running


@pytest.fixture(scope="module")
async def bot(maubot: Maubot, homeserver: Synapse, mbp: Path, newcomer: Newcomer) -> AsyncIterator[Bot]:
    """One instance of the plugin for the tests of a file."""
    async with plugin_in(maubot, homeserver, mbp, await newcomer("haven")) as running:
        yield running


@pytest.fixture(scope="module")
async def ana(newcomer: Newcomer) -> Person:
    """Somebody who founds communities in the tests of a file."""
    return await newcomer("ana")


@pytest.fixture(scope="session")
async def python_irc(server_data: Path) -> AsyncIterator[IrcServer]:
    """The pure-Python IRC server, shared: use nicks and channels of your own."""
    async with PythonIrc(server_data / "python-irc") as running:
        yield running


@pytest.fixture(scope="session")
async def irc_with_history(server_data: Path) -> AsyncIterator[IrcServer]:
    """The pure-Python IRC server with history and redaction (IRCv3), shared: use nicks and channels of your own."""
    async with PythonIrc(server_data / "python-irc-v3", version3=True) as running:
        yield running


@pytest.fixture(scope="session")
async def ngircd(server_data: Path) -> AsyncIterator[IrcServer]:
    """ngIRCd, shared: use nicks and channels of your own."""
    if ngircd_program() is None:
        pytest.skip("ngircd is not installed")
    async with Ngircd(server_data / "ngircd") as running:
        yield running


@pytest.fixture(scope="session")
async def inspircd(server_data: Path) -> AsyncIterator[IrcServer]:
    """InspIRCd, shared: use nicks and channels of your own."""
    if inspircd_program() is None:
        pytest.skip("inspircd is not installed")
    async with Inspircd(server_data / "inspircd") as running:
        yield running


@pytest.fixture(scope="session")
async def prosody(server_data: Path) -> AsyncIterator[Prosody]:
    """Prosody, shared: use accounts and rooms of your own."""
    if prosody_program() is None:
        pytest.skip("prosody is not installed")
    async with Prosody(server_data / "prosody") as running:
        yield running

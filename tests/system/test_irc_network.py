"""IRC keeps the contract of networks, on InspIRCd, on ngIRCd and on the server in pure Python."""

from collections.abc import AsyncIterator

import pytest

from embedded.irc import IrcServer
from tests.contracts.network import NetworkContract
from tests.system.irc_world import IrcWorld, irc_world

pytestmark = pytest.mark.system


class TestOnNgircd(NetworkContract):
    @pytest.fixture
    async def world(self, ngircd: IrcServer) -> AsyncIterator[IrcWorld]:
        async with irc_world(ngircd) as world:
            yield world


class TestOnPythonIrc(NetworkContract):
    @pytest.fixture
    async def world(self, python_irc: IrcServer) -> AsyncIterator[IrcWorld]:
        async with irc_world(python_irc) as world:
            yield world


class TestOnInspircd(NetworkContract):
    @pytest.fixture
    async def world(self, inspircd: IrcServer) -> AsyncIterator[IrcWorld]:
        async with irc_world(inspircd) as world:
            yield world


class TestOnInspircdWithAConnectionForEachMember(NetworkContract):
    @pytest.fixture
    async def world(self, inspircd: IrcServer) -> AsyncIterator[IrcWorld]:
        async with irc_world(inspircd, members="own") as world:
            yield world


class TestOnNgircdWithAConnectionForEachMember(NetworkContract):
    @pytest.fixture
    async def world(self, ngircd: IrcServer) -> AsyncIterator[IrcWorld]:
        async with irc_world(ngircd, members="own") as world:
            yield world


class TestOnAServerWithHistory(NetworkContract):
    @pytest.fixture
    async def world(self, irc_with_history: IrcServer) -> AsyncIterator[IrcWorld]:
        async with irc_world(irc_with_history) as world:
            yield world


class TestOnAServerWithHistoryWithAConnectionForEachMember(NetworkContract):
    @pytest.fixture
    async def world(self, irc_with_history: IrcServer) -> AsyncIterator[IrcWorld]:
        async with irc_world(irc_with_history, members="own") as world:
            yield world

"""The memory network keeps the contract of networks, rich and poor."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

import pytest

from bridge.message import Message, plain
from bridge.networks.acts import Act
from bridge.networks.base import Capabilities
from bridge.networks.events import Connection, ConnectionState, Said
from bridge.networks.memory import EVERYTHING, LINES, MemoryNetwork, MemoryServer
from haven.errors import Refused
from haven.ids import ChatId, RemoteMessageId, RemoteUserId
from tests.contracts.network import Log, NetworkContract
from tests.contracts.network_content import ContentContract

CHAT = ChatId("fathers")


class MemoryWorld:
    """The people of a memory server."""

    def __init__(self, capabilities: Capabilities) -> None:
        self.server = MemoryServer()
        self.network = MemoryNetwork(self.server, capabilities)
        self.chat = CHAT
        self.log = Log()
        self._ids: dict[str, RemoteUserId] = {}

    async def join(self, name: str) -> None:
        self._ids[name] = (await self.server.join(CHAT, name)).id

    async def speak(self, name: str, text: str) -> None:
        await self.server.speak(CHAT, self._ids[name], text)

    async def rename(self, name: str, new: str) -> None:
        self._ids[new] = self._ids.pop(name)
        await self.server.rename(CHAT, self._ids[new], new)

    async def leave(self, name: str) -> None:
        await self.server.leave(CHAT, self._ids.pop(name))

    async def make_operator(self, name: str) -> None:
        await self.server.make_operator(CHAT, self._ids[name])

    async def set_topic(self, name: str, topic: str) -> None:
        await self.server.set_topic(CHAT, self._ids[name], topic)

    async def drop(self) -> None:
        await self.server.drop()

    async def heard(self, number: int) -> list[str]:
        return await self.server.heard(CHAT, number)

    async def topic(self, expected: str) -> str:
        return self.server.chat(CHAT).topic

    async def send(self, name: str, message: Message) -> RemoteMessageId:
        return await self.server.speak(CHAT, self._ids[name], message)

    async def edit(self, name: str, target: RemoteMessageId, text: str) -> None:
        await self.server.edit(CHAT, self._ids[name], target, text)

    async def delete(self, name: str, target: RemoteMessageId) -> None:
        await self.server.delete(CHAT, self._ids[name], target)

    async def react(self, name: str, target: RemoteMessageId, key: str, *, removed: bool = False) -> None:
        await self.server.react(CHAT, self._ids[name], target, key, removed=removed)

    async def vote(self, name: str, poll: RemoteMessageId, *choices: int) -> None:
        await self.server.vote(CHAT, self._ids[name], poll, *choices)

    async def close_poll(self, name: str, poll: RemoteMessageId) -> None:
        await self.server.close_poll(CHAT, self._ids[name], poll)

    async def set_timer(self, name: str, seconds: int | None) -> None:
        await self.server.set_timer(CHAT, self._ids[name], seconds)

    async def seen(self, number: int) -> Sequence[Act]:
        await self.server.heard(CHAT, number)
        return [part.outgoing.act for part in self.server.chat(CHAT).heard]

    async def timer(self) -> int | None:
        return self.server.chat(CHAT).timer


async def in_a_world(capabilities: Capabilities) -> AsyncIterator[MemoryWorld]:
    world = MemoryWorld(capabilities)
    running = asyncio.create_task(world.network.run(world.log))
    await world.log.wait(Connection, lambda event: event.state is ConnectionState.CONNECTED)
    await world.network.open(CHAT)
    yield world
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


class TestRich(NetworkContract):
    @pytest.fixture
    async def world(self) -> AsyncIterator[MemoryWorld]:
        async for world in in_a_world(EVERYTHING):
            yield world


class TestRichContent(ContentContract):
    @pytest.fixture
    async def world(self) -> AsyncIterator[MemoryWorld]:
        async for world in in_a_world(EVERYTHING):
            await world.join("bob")
            yield world


class TestPoorContent(ContentContract):
    @pytest.fixture
    async def world(self) -> AsyncIterator[MemoryWorld]:
        async for world in in_a_world(LINES):
            await world.join("bob")
            yield world


class TestPoor(NetworkContract):
    @pytest.fixture
    async def world(self) -> AsyncIterator[MemoryWorld]:
        async for world in in_a_world(LINES):
            yield world


async def test_what_is_said_while_it_is_away_is_said_when_it_is_back() -> None:
    async for world in in_a_world(EVERYTHING):
        await world.join("bob")
        world.server.reachable.clear()
        before = len(world.log.events)
        await world.drop()
        await world.log.wait(Connection, lambda event: event.state is ConnectionState.LOST, after=before)
        for text in ("one", "two"):
            await world.speak("bob", text)
        world.server.reachable.set()
        await world.log.wait(Said, lambda event: plain(event.message.text) == "two")
        assert [plain(event.message.text) for event in world.log.events if isinstance(event, Said)] == [
            "one",
            "two",
        ]


async def test_a_chat_that_refuses_stays_closed() -> None:
    server = MemoryServer()
    server.chat(CHAT).refuses = True
    with pytest.raises(Refused):
        await MemoryNetwork(server).open(CHAT)

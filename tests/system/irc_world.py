"""An IRC channel with people in it and the bridge's network running, for the tests of IRC on real servers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count

from bridge.networks.base import Network
from bridge.networks.events import Connection, ConnectionState
from bridge.networks.irc import IrcNetwork, build
from bridge.networks.irc_connection import IrcConnection
from bridge.section import Section
from embedded.chatter import Chatter, IrcRefused, Line
from embedded.irc import IrcServer
from haven.ids import ChatId
from tests.contracts.network import PATIENCE, Log

_numbers = count(1)


def network_on(server: IrcServer, **settings: object) -> IrcNetwork:
    """A network that is in a hurry: no flood limits to keep, back soon after a loss."""
    hurry = {
        "tls": False,
        "rate": 1000,
        "burst": 1000,
        "retry_least": 0.05,
        "retry_most": 0.2,
        "nick": f"haven{next(_numbers)}",
    }
    return build(Section("networks.irc", {"host": server.host, "port": server.port, **hurry, **settings}))


class IrcWorld:
    """The contract's world on IRC. ``founder`` was in the channel first and operates it; our nick is a member like any other."""

    def __init__(
        self, server: IrcServer, founder: Chatter, network: IrcNetwork, chat: ChatId, log: Log
    ) -> None:
        self.server = server
        self.founder = founder
        self.irc = network
        self.network: Network = network
        self.chat = chat
        self.log = log
        self.people: dict[str, Chatter] = {}

    async def connect(self, nick: str) -> Chatter:
        """Somebody connects, once the nick is free again from an earlier test."""
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    return await Chatter.connect(self.server.host, self.server.port, nick)
                except IrcRefused:
                    await asyncio.sleep(0.05)

    async def join(self, name: str) -> None:
        self.people[name] = await self.connect(name)
        await self.people[name].join(self.chat)

    async def speak(self, name: str, text: str) -> None:
        """Returns when the server has it: other connections may overtake this one otherwise."""
        chatter = self.people[name]
        await chatter.say(self.chat, text)
        mark = chatter.mark
        await chatter.send("PING said")
        await chatter.wait_for(lambda line: line.command == "PONG", after=mark)

    async def rename(self, name: str, new: str) -> None:
        self.people[new] = self.people.pop(name)
        await self.people[new].rename(new)

    async def leave(self, name: str) -> None:
        await self.people[name].part(self.chat)

    async def make_operator(self, name: str) -> None:
        await self.founder.send(f"MODE {self.chat} +o {name}")

    async def set_topic(self, name: str, topic: str) -> None:
        await self.people[name].topic(self.chat, topic)

    async def drop(self) -> None:
        self.connection._wire.transport.abort()

    @property
    def connection(self) -> IrcConnection:
        """The connection of now."""
        assert self.irc._now is not None
        return self.irc._now.connection

    async def heard(self, number: int) -> list[str]:
        async with asyncio.timeout(PATIENCE), self.founder._news:
            await self.founder._news.wait_for(lambda: len(self.from_us()) >= number)
        return [line.text for line in self.from_us()]

    def from_us(self) -> list[Line]:
        """What the founder saw the bridge say, under its own nick or a member's."""
        return [
            line
            for line in self.founder.received
            if line.command in {"PRIVMSG", "NOTICE"} and (line.nick.startswith("haven") or "[m]" in line.nick)
        ]

    async def topic(self, expected: str) -> str:
        return (
            await self.founder.wait_for(lambda line: line.command == "TOPIC" and line.text == expected)
        ).text


@asynccontextmanager
async def irc_world(server: IrcServer, **settings: object) -> AsyncIterator[IrcWorld]:
    """A channel of its own on ``server``, open and running."""
    number = next(_numbers)
    chat = ChatId(f"#fathers{number}")
    log, network = Log(), network_on(server, **settings)
    running = asyncio.create_task(network.run(log))  # some servers take a second for each login: both at once
    founder = await Chatter.connect(server.host, server.port, f"founder{number}")
    world = IrcWorld(server, founder, network, chat, log)
    try:
        await founder.join(chat)
        await log.wait(Connection, lambda event: event.state is ConnectionState.CONNECTED)
        await network.open(chat)
        yield world
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        for chatter in (*world.people.values(), world.founder):
            await chatter.aclose()

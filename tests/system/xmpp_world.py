"""A room of XMPP with people in it and the bridge's network running, for the tests of XMPP on a real Prosody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count

from bridge.networks.base import Network
from bridge.networks.events import Connection, ConnectionState
from bridge.networks.xmpp import XmppNetwork, build
from bridge.section import Section
from embedded.jabber import Jabber, body_of, sender
from embedded.prosody import COMPONENT, PASSWORD, ROOMS, SECRET, Prosody
from haven.ids import ChatId
from tests.contracts.network import PATIENCE, Log

_numbers = count(1)


def network_on(server: Prosody, *, component: bool, **settings: object) -> XmppNetwork:
    """A network that is in a hurry: no flood limits to keep, back soon after a loss."""
    hurry = {"rate": 1000, "burst": 1000, "retry_least": 0.05, "retry_most": 0.2, "nick": "haven"}
    if component:
        here = {"component": COMPONENT, "secret": SECRET, "port": server.component_port}
    else:
        address = server.account(f"haven{next(_numbers)}")
        here = {"account": address, "password": PASSWORD, "port": server.port, "tls": False}
    return build(Section("networks.xmpp", {"host": server.host, **hurry, **here, **settings}))


class XmppWorld:
    """The contract's world on XMPP. ``founder`` was in the room first and owns it; we are a member like any other."""

    def __init__(self, server: Prosody, founder: Jabber, network: XmppNetwork, chat: ChatId) -> None:
        self.server = server
        self.founder = founder
        self.xmpp = network
        self.network: Network = network
        self.chat = chat
        self.log = Log()
        self.people: dict[str, Jabber] = {}

    async def join(self, name: str) -> None:
        self.people[name] = await self.server.connect(f"{name}{next(_numbers)}")
        await self.people[name].join(self.chat, name)

    async def speak(self, name: str, text: str) -> None:
        """Returns when the room has handed it on."""
        await self.people[name].say(self.chat, text)

    async def rename(self, name: str, new: str) -> None:
        self.people[new] = self.people.pop(name)
        await self.people[new].rename(self.chat, new)

    async def leave(self, name: str) -> None:
        await self.people[name].part(self.chat)

    async def make_operator(self, name: str) -> None:
        await self.founder.affiliate(self.chat, self.people[name].address, "admin")

    async def set_topic(self, name: str, topic: str) -> None:
        await self.people[name].subject(self.chat, topic)

    async def drop(self) -> None:
        assert self.xmpp._connection is not None
        transport = self.xmpp._connection._stream.transport
        assert transport is not None
        transport.abort()

    async def heard(self, number: int) -> list[str]:
        """What the founder heard from nobody of their own people."""
        async with asyncio.timeout(PATIENCE), self.founder._news:
            await self.founder._news.wait_for(lambda: len(self.from_us()) >= number)
        return self.from_us()

    def from_us(self) -> list[str]:
        theirs = {*self.people, "founder"}
        return [body_of(said) for said in self.founder.said(self.chat) if sender(said)[1] not in theirs]

    async def topic(self, expected: str) -> str:
        stanza = await self.founder.wait_for(
            lambda stanza: stanza.findtext("{jabber:client}subject") == expected
        )
        return stanza.findtext("{jabber:client}subject", "")

    async def aclose(self) -> None:
        """Everybody leaves."""
        for person in (*self.people.values(), self.founder):
            await person.aclose()


@asynccontextmanager
async def xmpp_world(server: Prosody, *, component: bool, **settings: object) -> AsyncIterator[XmppWorld]:
    """A room of its own on ``server``, open and running."""
    chat = ChatId(f"fathers{next(_numbers)}@{ROOMS}")
    founder = await server.connect("founder")
    await founder.join(chat, "founder")
    await founder.configure(chat, changesubject="1")
    world = XmppWorld(server, founder, network_on(server, component=component, **settings), chat)
    running = asyncio.create_task(world.network.run(world.log))
    try:
        await world.log.wait(Connection, lambda event: event.state is ConnectionState.CONNECTED)
        await world.network.open(chat)
        yield world
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await world.aclose()

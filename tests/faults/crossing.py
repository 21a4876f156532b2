"""Rooms and channels joined by the real bridge, with a proxy of ours on every way that it uses."""

import asyncio
import random
import sqlite3
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from embedded.bridge import Bridge
from embedded.chatter import Chatter
from embedded.irc import PythonIrc
from embedded.matrix import path
from embedded.person import Person
from embedded.ports import HOST
from embedded.processes import ChildFailed
from embedded.proxy import Proxy
from embedded.synapse import Synapse
from embedded.waiting import eventually
from embedded.wire import Wire

DOMAIN = "haven.test"
BOT = f"@haven-bridge:{DOMAIN}"
MEMORY = next((each for each in (Path("/dev/shm"),) if each.is_dir()), None)  # noqa: S108  # a tmpfs is three times as fast
LONG = 180.0
"""Seconds that something may take while everything goes wrong and others use the machine."""


@dataclass(frozen=True, slots=True)
class Link:
    """A room and the channel that it is linked to."""

    room: str
    channel: str


@dataclass(slots=True)
class Crossing:
    """All that runs. Two people on either side are in all rooms, or in all channels; they are never hindered themselves.

    ``database`` is the bridge's, as it is reached without the proxy; ``to_database`` is None for SQLite.
    """

    synapse: Synapse
    irc: PythonIrc
    bridge: Bridge
    to_homeserver: Proxy
    to_bridge: Proxy
    to_irc: Wire
    to_database: Wire | None
    database: str
    members: tuple[Person, Person]
    chatters: tuple[Chatter, Chatter]
    links: tuple[Link, ...] = ()
    present: asyncio.Event = field(default_factory=asyncio.Event)
    """Whether the bridge is in all channels, as far as we know: what is said on IRC meanwhile it can have."""
    runs: int = 0

    async def strangers(self, channel: str) -> set[str]:
        """Who is in a channel beside our people: the bridge, if anybody."""
        inside = await self.chatters[0].names(channel)
        return set(inside) - {chatter.nick for chatter in self.chatters}

    async def arrived(self) -> None:
        """Waits until the bridge is in all channels."""

        async def everywhere() -> bool:
            return all([await self.strangers(link.channel) for link in self.links])

        await eventually(everywhere, "the bridge is in all channels", LONG, 0.1)
        self.present.set()

    async def kill(self) -> None:
        """Kills the bridge, and waits until IRC has noticed."""
        self.present.clear()
        await self.bridge.kill()
        for link in self.links:
            await self.gone_from(link.channel)

    async def gone_from(self, channel: str) -> None:
        """Waits until the bridge is no more in a channel."""

        async def empty() -> bool:
            return not await self.strangers(channel)

        await eventually(empty, "the bridge is gone from a channel", LONG)

    async def start(self) -> None:
        """Starts the bridge as often as it takes, as an operator's system would, until it is ready and in all channels."""
        while not self.bridge.process.running:
            with suppress(ChildFailed):
                await self.bridge.start()
        await self.arrived()

    async def waiting(self) -> float | None:
        """How many messages the bridge holds; None while it cannot say."""
        try:
            return (await self.bridge.metrics()).get("haven_bridge_inbox_waiting")
        except aiohttp.ClientConnectionError:
            return None

    def held_back(self) -> bool:
        """Whether Synapse takes the bridge for healthy and has transactions for it lying about all the same."""
        file = self.synapse.directory / "homeserver.db"
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)) as database:
            up = database.execute("SELECT 1 FROM application_services_state WHERE state = 'up'").fetchone()
            left = database.execute("SELECT 1 FROM application_services_txns").fetchone()
        return bool(up and left)

    async def idle(self) -> None:
        """Waits until the bridge has nothing to carry."""

        async def nothing() -> bool:
            return await self.waiting() == 0

        await eventually(nothing, "the bridge has carried everything", LONG, 0.1)

    async def texts(self, room: str) -> list[str]:
        """What ghosts said in a room, oldest first, its whole history."""
        found: list[str] = []
        where, query = path("rooms", room, "messages"), {"dir": "b", "limit": "500"}
        while True:
            answer = await self.members[0].account.request("GET", where, query=query)
            found += [
                str(event["content"].get("body"))
                for event in answer["chunk"]
                if event["type"] == "m.room.message" and event["sender"].startswith("@_haven_")
            ]
            if not answer.get("end"):
                return found[::-1]
            query["from"] = answer["end"]

    def lines(self, channel: str) -> list[str]:
        """What the bridge said in a channel so far, without the names of those it said it for."""
        ours = {chatter.nick for chatter in self.chatters}
        return [
            line.text.rpartition("> ")[2]
            for line in self.chatters[0].received
            if line.command == "PRIVMSG" and line.target == channel and line.nick not in ours
        ]

    async def speak(self, chatter: Chatter, channel: str, text: str) -> None:
        """Says something on IRC; returns when the server has it, so that nobody overtakes."""
        mark = chatter.mark
        await chatter.say(channel, text)
        await chatter.send("PING said")
        await chatter.wait_for(lambda line: line.command == "PONG", after=mark)

    async def link(self, number: int) -> Link:
        """Makes a room and a channel, and links them as members and operators do."""
        channel, (alice, bob), (oscar, olga) = f"#place{number}", self.members, self.chatters
        await oscar.join(channel)
        await olga.join(channel)
        room = await alice.create_room(invite=[BOT, bob.user_id])
        await bob.join(room)
        levels = await alice.state(room, "m.room.power_levels") or {}
        levels.setdefault("users", {})[BOT] = 90
        await alice.send_state(room, "m.room.power_levels", levels)
        wanted = {"version": 1, "network": "irc", "chat": channel, "by": alice.user_id, "proven": False}
        await alice.send_state(room, "chat.haven.link", wanted, f"irc:{channel}")
        await self.speak(oscar, channel, str((await self.status(room, channel, "proof"))["code"]))
        await self.status(room, channel, "linked")
        return Link(room, channel)

    async def status(self, room: str, channel: str, state: str) -> dict[str, object]:
        """The status of a link once it is ``state``."""

        async def said() -> dict[str, object] | None:
            content = await self.members[0].state(room, "m.bridge", f"haven://irc/{channel}") or {}
            status: dict[str, object] = content.get("chat.haven.status", {})
            return status if status.get("state") == state else None

        found = await eventually(said, f"the link is {state}", LONG, 0.1)
        assert found is not None
        return found


@asynccontextmanager
async def crossing(links: int, postgres: str | None = None) -> AsyncIterator[Crossing]:
    """Starts everything and links so many rooms; ``postgres`` is the address of a database, or SQLite it is."""
    async with AsyncExitStack() as stack:
        place = tempfile.TemporaryDirectory(prefix="haven-faults-", dir=MEMORY)
        directory = Path(stack.enter_context(place))
        irc = await stack.enter_async_context(PythonIrc(directory / "irc"))
        to_irc = await stack.enter_async_context(Wire(irc.host, irc.port))
        to_database = await stack.enter_async_context(_wire(postgres)) if postgres else None
        synapse = Synapse(directory / "synapse")
        to_homeserver = await stack.enter_async_context(Proxy(synapse.url))
        bridge = _bridge(directory / "bridge", to_homeserver.url, to_irc.port)
        database = str(bridge.configuration["database"])
        if postgres and to_database:
            database = postgres
            name = postgres.rpartition("/")[2]
            bridge.configuration["database"] = f"postgres://haven@{HOST}:{to_database.port}/{name}"
        to_bridge = await stack.enter_async_context(Proxy(bridge.url))
        bridge.configuration["appservice"]["url"] = to_bridge.url
        made = await bridge.command("registration")
        assert made.status == 0, made.err
        synapse.appservices.append(bridge.registration)
        await stack.enter_async_context(synapse)
        members = (await synapse.register("alice"), await synapse.register("bob"))
        oscar = await stack.enter_async_context(await Chatter.connect(irc.host, irc.port, "oscar"))
        olga = await stack.enter_async_context(await Chatter.connect(irc.host, irc.port, "olga"))
        await stack.enter_async_context(bridge)
        here = Crossing(
            *(synapse, irc, bridge, to_homeserver, to_bridge, to_irc, to_database, database),
            members,
            (oscar, olga),
        )
        here.links = tuple([await here.link(number) for number in range(links)])
        await here.arrived()
        yield here


def _bridge(directory: Path, homeserver: str, irc_port: int) -> Bridge:
    hurry = {"tls": False, "rate": 10000, "burst": 1000, "retry_least": 0.1, "retry_most": 1}
    network = {"host": HOST, "port": irc_port, **hurry}
    return Bridge(directory, homeserver, DOMAIN, {"irc": network}, {"log": "debug"})


def _wire(address: str) -> Wire:
    host, _, port = address.partition("@")[2].partition("/")[0].partition(":")
    return Wire(host, int(port), random.Random(address))

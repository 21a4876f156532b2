"""The stage of the benchmarks of many rooms: one Synapse, one ngIRCd, Haven's bridge behind a proxy, and so many rooms, each linked to its channel.

Beside each linked room stands one of the floor, in which raw requests do the same.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from benchmarks.contestant import CannotMeasure
from benchmarks.floor import IN_FLIGHT, Floor, FloorRoom, send
from benchmarks.irc_talk import lines
from benchmarks.ours import link, registered
from benchmarks.raw import Job, Put, Sent
from benchmarks.watcher import Watcher
from embedded.bridge import Bridge
from embedded.chatter import Chatter
from embedded.irc import Ngircd, ngircd_program
from embedded.matrix import path, transaction
from embedded.person import Person
from embedded.proxy import Proxy
from embedded.synapse import Synapse
from embedded.waiting import NeverHappened

T = TypeVar("T")

DOMAIN = "haven.test"


@dataclass(frozen=True, slots=True)
class Place:
    """A room and the channel it is linked to."""

    room: str
    channel: str


@dataclass(frozen=True, slots=True)
class Rooms:
    """All that runs. `keeper` operates all channels and hears them; `people` are in all of them; `owner` owns all rooms."""

    synapse: Synapse
    irc: Ngircd
    bridge: Bridge
    proxy: Proxy
    owner: Person
    keeper: Chatter
    people: Sequence[Chatter]
    watcher: Watcher
    places: Sequence[Place]
    floors: Sequence[FloorRoom]

    async def floor(self, texts: Sequence[str]) -> Sent:
        """Raw requests into the rooms of the floor, in turn, eight in flight."""
        puts = tuple(
            Put(
                path("rooms", floor.room, "send", "m.room.message", transaction()),
                {"msgtype": "m.text", "body": text},
                floor.users[0],
            )
            for floor, text in zip(_for_ever(self.floors), texts, strict=False)
        )
        return await send(Job(self.floors[0].url, self.floors[0].token, puts, IN_FLIGHT))

    async def speak(self, texts: Iterable[str], rate: float = 0.0) -> dict[str, float]:
        """People say lines in the channels in turn (in each always the same person), so many a second (0: all at once); when each was
        said (`time.perf_counter`).
        """
        said: dict[str, float] = {}
        begun = time.perf_counter()
        for number, text in enumerate(texts):
            if rate:
                await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
            place = self.places[number % len(self.places)]
            said[text] = time.perf_counter()
            await self.people[number % len(self.people)].say(place.channel, text)
        return said

    async def arrived(self, texts: Iterable[str], patience: float) -> dict[str, float]:
        """When each line was first seen in any of the rooms; those that did not come in time are left out."""
        wanted = frozenset(texts)
        deadline = time.perf_counter() + patience
        while True:
            came = self._seen(wanted)
            if len(came) == len(wanted) or time.perf_counter() > deadline:
                return came
            await asyncio.sleep(0.25)

    def _seen(self, wanted: frozenset[str]) -> dict[str, float]:
        came: dict[str, float] = {}
        for place in self.places:
            for seen in self.watcher.seen(place.room):
                if seen.event.body in wanted:
                    came.setdefault(seen.event.body, seen.at)
        return came


def _for_ever(floors: Sequence[FloorRoom]) -> Iterable[FloorRoom]:
    while True:
        yield from floors


@asynccontextmanager
async def rooms(directory: Path, count: int, people: int = 10) -> AsyncIterator[Rooms]:
    """Starts everything, links all rooms and has a line said in each, so that those who speak have their ghosts there. Ends everything."""
    if ngircd_program() is None:
        raise CannotMeasure("ngIRCd is not installed (Debian: apt install ngircd)")
    async with AsyncExitStack() as open_:
        irc = await open_.enter_async_context(Ngircd(directory / "irc"))
        synapse = Synapse(directory / "synapse", DOMAIN)
        proxy = await open_.enter_async_context(Proxy(synapse.url))
        floor = Floor(directory / "floor")
        bridge = await registered(directory / "bridge", proxy.url, DOMAIN, irc)
        synapse.appservices += [floor.registration, bridge.registration]
        await open_.enter_async_context(synapse)
        owner = await synapse.register("owner")
        keeper, *chatters = [
            await _enter(open_, Chatter.connect(irc.host, irc.port, name))
            for name in ("keeper", *(f"sam{number}" for number in range(people)))
        ]
        await open_.enter_async_context(bridge)
        places = await _in_turn(_place(bridge, owner, keeper, number) for number in range(count))
        floors = await _in_turn(_floor(floor, synapse, owner, number) for number in range(count))
        for person in chatters:
            for place in places:
                await person.join(place.channel)
        watcher = await open_.enter_async_context(Watcher(owner))
        stage = Rooms(synapse, irc, bridge, proxy, owner, keeper, chatters, watcher, places, floors)
        await _warm(stage)
        yield stage


async def _enter(open_: AsyncExitStack, connecting: Awaitable[Chatter]) -> Chatter:
    chatter = await connecting
    open_.push_async_callback(chatter.aclose)
    return chatter


async def _in_turn(work: Iterable[Awaitable[T]]) -> list[T]:
    return [await each for each in work]


async def _place(bridge: Bridge, owner: Person, keeper: Chatter, number: int) -> Place:
    channel = f"#r{number}"
    room = await owner.create_room(
        f"r{number}", power_level_content_override={"users": {f"@haven-bridge:{DOMAIN}": 100}}
    )
    await keeper.join(channel)
    await link(bridge, owner, keeper, room, channel)
    return Place(room, channel)


async def _floor(floor: Floor, synapse: Synapse, owner: Person, number: int) -> FloorRoom:
    return await floor.enter(synapse, owner, await owner.create_room(f"f{number}"), 1)


async def _warm(on: Rooms) -> None:
    """Whoever speaks in a room later has their ghost there afterwards."""
    texts = lines(len(on.places))
    await on.speak(texts)
    came = await on.arrived(texts, 300.0)
    if len(came) < len(texts):
        raise NeverHappened(f"{len(texts) - len(came)} of {len(texts)} first lines did not arrive")

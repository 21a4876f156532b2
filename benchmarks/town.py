"""A community of many rooms, made by the plugin in an unchanged maubot on a real homeserver, with a counting proxy between the two."""

import asyncio
import json
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.floor import IN_FLIGHT, send
from benchmarks.paper import Paper
from benchmarks.program import note
from benchmarks.raw import Job, Put, Sent
from embedded.matrix import Json, path
from embedded.maubot import Maubot
from embedded.person import Person
from embedded.proxy import Answered, Asked, Proxy
from embedded.synapse import Synapse
from embedded.waiting import NeverHappened, eventually
from scripts.build_plugin import build

POWER = "m.room.power_levels"
AT_ONCE = 10
"""How many groups a community may be founded with."""
FIXED = 3
"""Announcements, general chat and the admins' room: every community has them."""
INSTANCE = "haven"
"""What the instance of the plugin is called in maubot."""
QUIET = 1.5
"""Seconds without a request (but /sync) after which the bot counts as done."""
PATIENCE = 300.0

Work = Callable[[], Awaitable[object]]
"""Something that is done in a town and looked at."""


@dataclass(slots=True)
class Town:
    """The community: `space` and all `rooms` of it (the space included), its `owner` in the direct chat `office` with the bot."""

    synapse: Synapse
    maubot: Maubot
    proxy: Proxy
    bot: Person
    owner: Person
    office: str = ""
    space: str = ""
    rooms: list[str] = field(default_factory=list)
    last: float = field(default_factory=time.perf_counter)
    """When the last request but /sync was answered."""
    open: int = 0
    """How many requests but /sync are on the way."""
    heard: list[tuple[float, Asked]] = field(default_factory=list)
    """What was answered since it was last forgotten, and when; /sync is not among it."""
    paper: Paper = field(default_factory=Paper)
    """Rooms and people that are not really there."""

    async def asked(self, asked: Asked) -> Answered | None:
        """Notes that the bot asks for something; a hook of the proxy."""
        answer = self.paper.before(asked)
        if answer is not None:
            self._note(asked)
        elif asked.route != "/sync":
            self.open += 1
        return answer

    async def answered(self, asked: Asked, answer: Answered) -> Answered | None:
        """Notes when the homeserver answered; a hook of the proxy."""
        if asked.route != "/sync":
            self.open -= 1
            self._note(asked)
        return self.paper.after(asked, answer)

    def _note(self, asked: Asked) -> None:
        self.last = time.perf_counter()
        self.heard.append((self.last, asked))

    async def command(self, words: str) -> None:
        """Says a command in the office."""
        await self.owner.say(self.office, words)

    async def newcomer(self, name: str) -> Person:
        """Somebody who is in the community now."""
        person = await self.synapse.register(name)
        await self.owner.invite(self.space, person.user_id)
        await person.join(self.space)
        self.last = time.perf_counter()  # the bot may look at who has come
        return person

    async def open_groups(self) -> Sequence[str]:
        """The rooms that every member may join."""
        rules = await asyncio.gather(*(self.bot.state(room, "m.room.join_rules") for room in self.rooms))
        pairs = zip(self.rooms, rules, strict=True)
        return [room for room, rule in pairs if rule and rule["join_rule"] == "restricted"]

    async def stop(self) -> None:
        """Stops the plugin when it has nothing to do."""
        await self.quiet()
        await self.maubot.stop_instance(INSTANCE)

    async def start(self) -> None:
        """Starts the plugin again, and waits until it has read everything."""
        await self.watched(lambda: self.maubot.start_instance(INSTANCE))

    async def quiet(self) -> None:
        """Waits until the bot has asked for nothing for a while."""

        async def is_quiet() -> bool:
            return not self.open and time.perf_counter() - self.last > QUIET

        await eventually(is_quiet, "the bot being done", timeout=PATIENCE, interval=0.1)

    async def watched(self, work: Work) -> float:
        """Does something, and waits until the bot has made of it what it makes; gives when it was begun."""
        await self.quiet()
        self.proxy.forget()
        self.heard.clear()
        begun = self.last = time.perf_counter()
        await work()
        await self.quiet()
        return begun

    def ended(self, fits: Callable[[Asked], bool]) -> float:
        """When the last such request was answered; raises NeverHappened where there was none."""
        times = [at for at, asked in self.heard if fits(asked)]
        if not times:
            raise NeverHappened("the bot did not do what was to be measured")
        return max(times)

    def requests(self) -> Counter[str]:
        """What the bot asked for since the proxy last forgot, but for /sync."""
        counts = {
            f"{method} {route}": n for (method, route), n in self.proxy.counts.items() if route != "/sync"
        }
        return Counter(counts)

    async def levels(self) -> Mapping[str, Json]:
        """The power levels of every room, asked past the proxy."""
        each = await asyncio.gather(*(self.bot.state(room, POWER) for room in self.rooms))
        return {room: content or {} for room, content in zip(self.rooms, each, strict=True)}

    async def put(self, levels: Mapping[str, Json]) -> Sent:
        """The floor: sets the levels of rooms with raw requests, in the bot's name, through the same proxy."""
        puts = tuple(
            Put(path("rooms", room, "state", POWER, ""), content) for room, content in levels.items()
        )
        return await send(Job(self.proxy.url, self.bot.token, puts, IN_FLIGHT))


@asynccontextmanager
async def house(directory: Path) -> AsyncIterator[Town]:
    """Starts the servers, with the bot's account in maubot; the plugin is not there yet, and nothing founded."""
    async with (
        Synapse(directory / "synapse") as synapse,
        Proxy(synapse.url) as proxy,
        Maubot(directory / "maubot", proxy.url) as maubot,
    ):
        bot = await synapse.register("haven", secrets.token_hex(8))
        owner = await synapse.register("owner")
        place = Town(synapse, maubot, proxy, bot, owner)
        proxy.before, proxy.after = place.asked, place.answered
        await maubot.add_client(bot.user_id, bot.token, autojoin=False)
        yield place


@asynccontextmanager
async def town(directory: Path, size: int) -> AsyncIterator[Town]:
    """Starts the servers and has a community of that many rooms made, the space not counted."""
    async with house(directory) as place:
        await move_in(place, directory)
        await found(place, size)
        yield place


async def move_in(place: Town, directory: Path) -> None:
    """Uploads the plugin and starts an instance of it."""
    plugin = await place.maubot.upload(await asyncio.to_thread(build, output=directory))
    await place.maubot.add_instance(INSTANCE, plugin, place.bot.user_id, json.dumps({"language": "en"}))


async def found(place: Town, size: int) -> None:
    """By the commands that people give: announcements, general chat and the admins' room are made with it; the rest are groups."""
    place.office = await place.owner.create_dm(place.bot.user_id)

    async def has_come() -> bool:
        return place.bot.user_id in await place.owner.joined(place.office)

    await eventually(has_come, "the bot accepting the direct chat")
    names = [f"Group {number}" for number in range(1, size - FIXED + 1)]
    first, others = names[:AT_ONCE], names[AT_ONCE:]
    begun = time.perf_counter()
    await place.command("!community create Town " + " ".join(f'--group "{name}"' for name in first))
    await _until_rooms(place, FIXED + len(first))
    await place.quiet()
    await place.owner.join(place.space)
    for made, name in enumerate(others, start=FIXED + AT_ONCE):
        await place.command(f'!community group add "{name}"')
        await _until_rooms(place, made + 1)
    await place.quiet()
    note(f"a community of {len(place.rooms) - 1} rooms was made in {time.perf_counter() - begun:.0f} s")


async def _until_rooms(place: Town, count: int) -> None:
    """Waits until so many managed rooms are there, the space not counted."""

    async def are_there() -> bool:
        known = set(place.rooms) | {place.office}
        for room in sorted(await place.bot.joined_rooms() - known):
            if await place.bot.state(room, "chat.haven.community"):
                place.space = room
            elif not await place.bot.state(room, "chat.haven.group"):
                continue
            place.rooms.append(room)
        return len(place.rooms) > count

    await eventually(are_there, f"{count} rooms", timeout=PATIENCE)

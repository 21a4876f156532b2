"""P10: somebody is banned from a community of 100 rooms: what the bot asks for, in which order, and how long it takes.

By command and by hand in the space. The space is one of the 100 rooms. Requests are counted, and their order is seen, by a proxy between
maubot and Synapse. The floor is the same bans with raw HTTP, 8 in flight, through the same proxy, while the plugin is stopped.
"""

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from benchmarks.calm import calm
from benchmarks.figures import median
from benchmarks.floor import IN_FLIGHT, send
from benchmarks.program import note, run
from benchmarks.raw import Job, Put
from benchmarks.table import Cell, Table, ratio
from benchmarks.town import Town, town
from embedded.matrix import path
from embedded.proxy import Asked
from embedded.waiting import eventually

ROOMS = 100
CROWD = 5
"""How many people make the rooms differ in size: the first is in every second room, the next in every third, and so on."""
FEW_ROOMS = 3
"""How many groups the banned person is in, besides the space."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one ban came to: rooms in which the person is banned now by the bot, its writes of state, messages, seconds, and how many
    rooms came before a larger one (the space, which is always the first, not counted).
    """

    rooms: int
    writes: int
    messages: int
    seconds: float
    early: int


async def measure(directory: Path, rounds: int) -> Sequence[Table]:
    """Each way of banning once in each round, and the floor."""
    return [await measured(directory, ROOMS, rounds)]


async def measured(directory: Path, size: int, rounds: int) -> Table:
    """The same with a community of another size, the space counted."""
    results: dict[str, list[Result]] = defaultdict(list)
    floors: list[float] = []
    async with town(directory, size - 1) as place:
        await _crowd(place)
        for number in range(rounds):
            for way, (name, work) in enumerate(ways(place).items()):
                who = await _spammer(place, f"spammer{number}{way}")
                await calm()
                results[name].append(await observed(place, who, work))
                note(f"{name}: {results[name][-1]}")
            floors.append(await floor(place, f"@nobody{number}:{place.synapse.server_name}"))
    return table(results, floors, size)


def ways(place: Town) -> Mapping[str, Callable[[str], Awaitable[object]]]:
    """How somebody can be banned."""
    return {
        "banned by command": lambda who: place.command(f"!community ban {who} spam"),
        "banned by hand in the space": lambda who: place.owner.ban(place.space, who, "spam"),
    }


async def _crowd(place: Town) -> None:
    """Brings people into the rooms, while the plugin is stopped, since it is no part of what is measured."""
    await place.stop()
    groups = await place.open_groups()
    for number in range(CROWD):
        person = await place.newcomer(f"crowd{number}")
        await asyncio.gather(*(person.join(room) for room in groups[:: number + 2]))
    await place.start()


async def _spammer(place: Town, name: str) -> str:
    """Somebody who is in the space and in a few groups, not in the general chat, where they would be greeted."""
    person = await place.newcomer(name)
    for room in (await place.open_groups())[-FEW_ROOMS:]:
        await person.join(room)
    await place.quiet()
    return person.user_id


async def observed(place: Town, who: str, work: Callable[[str], Awaitable[object]]) -> Result:
    """Bans somebody, and looks at what the bot makes of it until the admins were told."""
    sizes = {room: len(await place.bot.joined(room)) for room in place.rooms}

    async def told() -> bool:
        return any(_is_message(asked) for _, asked in place.heard)

    async def until_told() -> None:
        await work(who)
        await eventually(told, "the notice")

    begun = await place.watched(until_told)
    asked = [each for _, each in sorted(place.heard, key=lambda pair: pair[1].number)]
    bans = [unquote(each.path.split("/")[5]) for each in asked if _is_ban(each)]
    held = await asyncio.gather(*(place.bot.members(room) for room in bans))
    return Result(
        rooms=sum(members[who].membership == "ban" for members in held),
        writes=sum(each.method != "GET" and not _is_message(each) for each in asked),
        messages=sum(_is_message(each) for each in asked),
        seconds=place.ended(_is_ban) - begun,
        early=early([sizes[room] for room in bans if room != place.space]),
    )


def early(sizes: Sequence[int]) -> int:
    """How many of these come right before a larger one."""
    return sum(later > earlier for earlier, later in itertools.pairwise(sizes))


def _is_ban(asked: Asked) -> bool:
    return asked.route.endswith("/ban")


def _is_message(asked: Asked) -> bool:
    return "/send/" in asked.route


async def floor(place: Town, nobody: str) -> float:
    """The same bans with raw requests, lifted again after that; the seconds they took."""
    await place.stop()
    await calm()
    spans = (await send(_memberships(place, nobody, "ban"))).spans
    await send(_memberships(place, nobody, "leave"))
    await place.start()
    seconds = max(ended for _, ended in spans) - min(begun for begun, _ in spans)
    note(f"floor: {seconds:.2f}")
    return seconds


def _memberships(place: Town, who: str, membership: str) -> Job:
    content = {"membership": membership, "reason": "spam"}
    puts = (Put(path("rooms", room, "state", "m.room.member", who), content) for room in place.rooms)
    return Job(place.proxy.url, place.bot.token, tuple(puts), IN_FLIGHT)


def table(results: Mapping[str, Sequence[Result]], floors: Sequence[float], size: int) -> Table:
    """What came out, with the bar in the title: counts of the worst round, times the median."""
    base = median(floors)
    rows: list[list[Cell]] = [["floor: the bans alone", size, size, 0, None, base, "1.00 x"]]
    for name, own in results.items():
        worst = max(own, key=lambda result: (result.writes - result.rooms, result.messages, result.early))
        seconds = median([result.seconds for result in own])
        of_floor = ratio(seconds, base * worst.rooms / size)
        rows.append([name, worst.rooms, worst.writes, worst.messages, worst.early, seconds, of_floor])
    columns = ["", "rooms banned in", "writes", "messages", "before a larger room", "seconds", "of floor"]
    title = (
        f"P10: a ban in {size} rooms, the space counted "
        f"(bar: at most {size} writes, one notice, largest rooms first, 1.3 x)"
    )
    return Table(title, columns, rows)


if __name__ == "__main__":
    run(measure, __doc__ or "", 3)

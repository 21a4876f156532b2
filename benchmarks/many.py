"""P11: how long the plugin takes to be ready for 100 communities of 10 rooms, from when maubot starts its instance.

Ready: every room has been read, and a command is answered; after that, everything has been looked through and nothing had to be done. One
community is made by the plugin, the others are copies of it (`benchmarks.copies`). The floor is reading the same rooms with raw HTTP, 8 in flight.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.calm import calm
from benchmarks.copies import copied, original
from benchmarks.figures import median
from benchmarks.floor import IN_FLIGHT
from benchmarks.program import note, run
from benchmarks.table import Table, ratio
from benchmarks.town import INSTANCE, Town, town
from embedded.proxy import Asked

COMMUNITIES, ROOMS = 100, 10


@dataclass(frozen=True, slots=True)
class Result:
    """One start: seconds until the last room was read, until a command was answered, and until the bot asked for nothing more;
    how many requests that took, and how many requests wrote anything but an answer.
    """

    read: float
    answered: float
    done: float
    requests: int
    writes: int


@asynccontextmanager
async def many(directory: Path, communities: int, rooms: int) -> AsyncIterator[Town]:
    """Servers with so many communities of so many rooms, the spaces not counted; the plugin is stopped."""
    async with town(directory, rooms) as place:
        await place.stop()
        begun = time.perf_counter()
        first = await original(place.bot, place.space, place.rooms)
        await copied(place.bot, place.owner, first, communities - 1)
        note(f"{communities - 1} copies were made in {time.perf_counter() - begun:.0f} s")
        yield place


async def measure(directory: Path, rounds: int) -> Sequence[Table]:
    """A start in each round, and the floor."""
    return [await measured(directory, COMMUNITIES, ROOMS, rounds)]


async def measured(directory: Path, communities: int, rooms: int, rounds: int) -> Table:
    """The same with other numbers of communities and of rooms in each."""
    results: list[Result] = []
    floors: list[float] = []
    async with many(directory, communities, rooms) as place:
        for _ in range(rounds):
            await calm()
            floors.append(await floor(place))
            await calm()
            results.append(await observed(place))
            note(f"floor: {floors[-1]:.2f}; {results[-1]}")
            await place.stop()
    return table(results, floors, communities, rooms)


async def observed(place: Town) -> Result:
    """One start of the instance."""

    async def start_and_ask() -> None:
        await place.maubot.start_instance(INSTANCE)
        await place.command("!community list")

    begun = await place.watched(start_and_ask)
    return Result(
        read=place.ended(_reads) - begun,
        answered=min(at for at, asked in place.heard if _says(asked)) - begun,
        done=place.last - begun,
        requests=sum(_reads(asked) for _, asked in place.heard),
        writes=sum(asked.method != "GET" and not _says(asked) for _, asked in place.heard),
    )


def _reads(asked: Asked) -> bool:
    return asked.route == "/rooms/{room}/state"


def _says(asked: Asked) -> bool:
    return "/send/" in asked.route


async def floor(place: Town) -> float:
    """Reads all rooms with raw requests, past the proxy; the seconds it took."""
    begun = time.perf_counter()
    lanes = asyncio.Semaphore(IN_FLIGHT)

    async def read(room: str) -> None:
        async with lanes:
            await place.bot.all_state(room)

    await asyncio.gather(*(read(room) for room in await place.bot.joined_rooms()))
    return time.perf_counter() - begun


def table(results: Sequence[Result], floors: Sequence[float], communities: int, rooms: int) -> Table:
    """What came out, with the bar in the title: medians; counts of the worst start."""
    base = median(floors)
    worst = max(results, key=lambda result: (result.writes, result.requests))
    read, answered = (median([getattr(each, name) for each in results]) for name in ("read", "answered"))
    done = median([result.done for result in results])
    return Table(
        f"P11: the start with {communities} communities of {rooms} rooms, median of {len(results)} (bar: ready within 5 s)",
        ["", "requests", "writes", "seconds", "of floor"],
        [
            ["floor: reading room by room", communities * (rooms + 1) + 1, 0, base, "1.00 x"],
            ["all rooms read", worst.requests, None, read, ratio(read, base)],
            ["ready: a command is answered", None, None, answered, ratio(answered, base)],
            ["everything looked through", None, worst.writes, done, ratio(done, base)],
        ],
    )


if __name__ == "__main__":
    run(measure, __doc__ or "", 3)

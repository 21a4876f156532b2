"""R19, waves: 1,000 people come to an open community at once, and how long it takes until its door asks about everybody.

They join as fast as the homeserver lets them, 8 at a time, until the door is closed to the rest. Seen by a proxy between maubot and Synapse: the
door is closed when the homeserver has answered the request that makes it so.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.calm import calm
from benchmarks.figures import median
from benchmarks.floor import IN_FLIGHT
from benchmarks.program import note, run
from benchmarks.table import Table
from benchmarks.town import Town, town
from embedded.matrix import MatrixRefused
from embedded.person import Person
from embedded.proxy import Asked
from embedded.waiting import eventually

PEOPLE, LIMIT, ROOMS = 1_000, 50, 4
"""How many come, and how many within ten minutes are a wave (what a community has set unless told otherwise)."""
DOOR = "m.room.join_rules"


@dataclass(frozen=True, slots=True)
class Result:
    """One wave: seconds from the first join, and from the one that was too many, until the door was closed; who came in and who did not.

    `notices`: how often the admins were told of it.
    """

    from_first: float
    from_limit: float
    came: int
    refused: int
    notices: int


async def measure(directory: Path, rounds: int) -> Sequence[Table]:
    """One wave in each round."""
    return [await measured(directory, PEOPLE, rounds)]


async def measured(directory: Path, count: int, rounds: int) -> Table:
    """The same with another number of people."""
    results: list[Result] = []
    for number in range(rounds):
        async with town(directory / f"{number}", ROOMS) as place:
            people = await _people(place, count)
            await place.watched(lambda: place.command("!community settings join open"))
            await calm()
            results.append(await observed(place, people))
            note(f"{results[-1]}")
    return table(results, count)


async def _people(place: Town, count: int) -> Sequence[Person]:
    lanes = asyncio.Semaphore(IN_FLIGHT)

    async def one(number: int) -> Person:
        async with lanes:
            return await place.synapse.register(f"somebody{number}")

    return await asyncio.gather(*(one(number) for number in range(count)))


async def observed(place: Town, people: Sequence[Person]) -> Result:
    """One wave, and what the bot made of it."""
    joined: list[float] = []
    refused = 0
    left = iter(people)

    async def lane() -> None:
        nonlocal refused
        for person in left:
            try:
                await person.join(place.space)
                joined.append(time.perf_counter())
            except MatrixRefused:
                refused += 1

    async def closed() -> bool:
        return any(_closes(place, asked) for _, asked in place.heard)

    async def all_come() -> None:
        await asyncio.gather(*(lane() for _ in range(IN_FLIGHT)))
        await eventually(closed, "the door being closed")

    begun = await place.watched(all_come)
    at = place.ended(lambda asked: _closes(place, asked))
    joined.sort()
    return Result(
        from_first=at - begun,
        from_limit=at - joined[LIMIT],
        came=len(joined),
        refused=refused,
        notices=sum(str(LIMIT).encode() in asked.body for _, asked in place.heard if "/send/" in asked.route),
    )


def _closes(place: Town, asked: Asked) -> bool:
    return asked.method == "PUT" and asked.route.rstrip("/").endswith(DOOR) and b"knock" in asked.body


def table(results: Sequence[Result], count: int) -> Table:
    """What came out, with the bar in the title."""
    worst = max(results, key=lambda result: result.from_first)
    middle = median([result.from_first for result in results])
    return Table(
        f"R19: {count} people come at once, more than {LIMIT} are a wave (bar: the door asks within 10 s)",
        ["", "median s", "worst s", "came in", "were refused", "notices"],
        [
            ["from the first who came", middle, worst.from_first, worst.came, worst.refused, worst.notices],
            [
                f"from the {LIMIT + 1}st",
                median([result.from_limit for result in results]),
                max(result.from_limit for result in results),
                None,
                None,
                None,
            ],
        ],
    )


if __name__ == "__main__":
    run(measure, __doc__ or "", 2)

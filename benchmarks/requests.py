"""P14: how many requests a bridge sends to its homeserver for each message, counted by a proxy between the two."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from benchmarks.contestant import OURS, PEER, Contestant
from benchmarks.irc_talk import LATE, lines, on_irc
from benchmarks.program import note, run
from benchmarks.stage import Stage, stage
from benchmarks.table import Cell, Table
from embedded.chatter import Chatter

STEADY, NEWCOMERS, OUTWARD, PEOPLE = 100, 10, 5, 5
PACE = 0.2
"""Seconds between lines: slow enough that nobody merges what different people say."""
CALM = 1.2
"""Seconds between messages to IRC: slow enough for the flood protection of both bridges."""

Counts = dict[str, Counter[str]]


async def measure(directory: Path, rounds: int) -> Sequence[Table]:
    """Each contestant once a round; a count does not depend on who goes first."""
    totals: dict[str, Counts] = {}
    async with stage(directory, [OURS, PEER], counted=True) as on:
        for number in range(rounds):
            for contestant in on.contestants:
                counted = await _one(on, contestant, number)
                known = totals.setdefault(contestant.name, {case: Counter() for case in counted})
                for case, requests in counted.items():
                    known[case] += requests
                note(f"{contestant.name}: {counted}")
    return [table(totals, rounds), *(routes(name, counts, rounds) for name, counts in totals.items())]


async def _one(on: Stage, contestant: Contestant, number: int) -> Counts:
    people = await on.chatters(PEOPLE, contestant, name=f"r{number}p")
    await on_irc(on, contestant, people, PEOPLE)
    steady = await counting(contestant, lambda: on_irc(on, contestant, people, STEADY, PACE))
    new: list[Chatter] = []
    first = await counting(contestant, lambda: _newcomers(on, contestant, f"r{number}new", new))
    outward = await counting(contestant, lambda: _to_irc(on, contestant))
    for person in (*people, *new):
        await person.aclose()
    return {"steady": steady, "first": first, "outward": outward}


async def _newcomers(on: Stage, contestant: Contestant, name: str, people: list[Chatter]) -> None:
    """People enter the channel, and each says a line."""
    people += await on.chatters(NEWCOMERS, contestant, name=name)
    await on_irc(on, contestant, people, NEWCOMERS, PACE)


async def counting(contestant: Contestant, work: Callable[[], Awaitable[object]]) -> Counter[str]:
    """Does the work; what was asked for meanwhile. What comes after an answer has the time to be counted."""
    await asyncio.sleep(LATE)
    before = contestant.requests()
    await work()
    await asyncio.sleep(LATE)
    return contestant.requests() - before


async def _to_irc(on: Stage, contestant: Contestant) -> None:
    for text in lines(OUTWARD):
        mark = on.keeper.mark
        await on.owner.say(contestant.room, text)
        await on.keeper.heard(text, after=mark)
        await asyncio.sleep(CALM)


def table(totals: dict[str, Counts], rounds: int) -> Table:
    """What came out, with the bar in the title."""
    sizes = {"steady": STEADY * rounds, "first": NEWCOMERS * rounds, "outward": OUTWARD * rounds}
    rows: list[list[Cell]] = [
        [name, *(counts[case].total() / size for case, size in sizes.items())]
        for name, counts in totals.items()
    ]
    columns = ["requests a message", "from IRC", "from IRC, new person", "to IRC"]
    return Table(
        "P14: requests to the homeserver (bar: 1 in steady state, at most 4 for a new ghost)", columns, rows
    )


def routes(name: str, counts: Counts, rounds: int) -> Table:
    """Which requests they were."""
    asked = sorted({route for each in counts.values() for route in each})
    rows: list[list[Cell]] = [[f"`{route}`", *(each[route] for each in counts.values())] for route in asked]
    sizes = (STEADY * rounds, NEWCOMERS * rounds, OUTWARD * rounds)
    columns = [name, *(f"{case}, {size} messages" for case, size in zip(counts, sizes, strict=True))]
    return Table(f"What {name} asked for", columns, rows)


if __name__ == "__main__":
    run(measure, __doc__ or "", 1)

"""P17: the homeserver was away while people talked in 100 rooms: how fast what waits is carried, and what live talk notices of it.

5,000 lines are said while the proxy answers 502 for the homeserver; then it answers again, and people go on in other rooms.
"""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.calm import calm
from benchmarks.figures import percentile
from benchmarks.irc_talk import lines
from benchmarks.program import note, run
from benchmarks.rooms import Rooms, rooms
from benchmarks.table import Cell, Table, ratio
from embedded.proxy import Answered, Asked, broken

ROOMS, LIVE, QUEUED = 100, 5, 5000
RATE = 5.0
"""Lines a second of the live talk."""


async def measure(directory: Path, rounds: int) -> Sequence[Table]:
    """The floor, live talk alone, and the drain, in turn."""
    return [await measured(directory, ROOMS, QUEUED, rounds)]


async def measured(directory: Path, count: int, queued: int, rounds: int, alone: float = 20.0) -> Table:
    """What came out, a row for each round. `alone`: seconds of live talk with nothing beside it."""
    rows: list[list[Cell]] = []
    async with rooms(directory, count + LIVE) as on:
        for number in range(rounds):
            await calm()
            sent = await on.floor(lines(queued // 4))
            floor = len(sent.spans) / (max(end for _, end in sent.spans) - sent.spans[0][0])
            quiet = await _live(on, alone)
            rows.append([f"round {number + 1}", floor, *await _drain(on, queued, floor, quiet)])
            note(f"{rows[-1]}")
    columns = [
        "",
        "floor a second",
        "drained a second",
        "of floor",
        "live p95 ms",
        "live p95 ms, draining",
        "times",
        "lost",
    ]
    title = f"P17: {queued} lines over {count} rooms after an outage (bar: 0.8 x floor, live p95 at most 3 x)"
    return Table(title, columns, rows)


async def _live(on: Rooms, seconds: float) -> float:
    """The p95 of talk in the rooms that have no queue."""
    texts = lines(int(seconds * RATE))
    said: dict[str, float] = {}
    for number, text in enumerate(texts):
        said[text] = time.perf_counter()
        await on.people[number % LIVE].say(on.places[-1 - number % LIVE].channel, text)
        await asyncio.sleep(1 / RATE)
    came = await on.arrived(texts, 60.0)
    return percentile([came[text] - said[text] for text in came], 0.95)


async def _drain(on: Rooms, queued: int, floor: float, quiet: float) -> list[Cell]:
    async def away(asked: Asked) -> Answered | None:
        return broken(502) if "/send/" in asked.path else None

    texts = lines(queued)
    on.proxy.before = away
    for number, text in enumerate(texts):
        await on.people[number % len(on.people)].say(
            on.places[number % (len(on.places) - LIVE)].channel, text
        )
    await _waits(on, queued)
    on.proxy.before = None
    begun = time.perf_counter()
    live = asyncio.create_task(_live(on, max(1.0, 0.6 * queued / floor)))
    came = await on.arrived(texts, 300.0)
    busy = await live
    rate = len(came) / (max(came.values()) - begun)
    return [rate, ratio(rate, floor), 1000 * quiet, 1000 * busy, ratio(busy, quiet), queued - len(came)]


async def _waits(on: Rooms, queued: int) -> None:
    """Until the bridge has taken in all of it, or takes no more."""
    before = -1.0
    while (
        now := (await on.bridge.metrics()).get("haven_bridge_inbox_waiting", 0.0)
    ) < queued and now != before:
        before = now
        await asyncio.sleep(2)


if __name__ == "__main__":
    run(measure, __doc__ or "", 1)

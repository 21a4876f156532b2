"""P5: one of several rooms hangs, the homeserver does not answer for it: whether the others notice.

People talk in all rooms at an easy pace; first as it is, then while every request for the first room is held by the proxy.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from benchmarks.calm import calm
from benchmarks.figures import median, percentile
from benchmarks.irc_talk import lines
from benchmarks.program import note, run
from benchmarks.rooms import Rooms, rooms
from benchmarks.table import Cell, Table, ratio
from embedded.proxy import Answered, Asked

ROOMS, SECONDS, RATE = 10, 60.0, 10.0


async def measure(directory: Path, rounds: int) -> Sequence[Table]:
    """As it is, and with a room that hangs, in turn."""
    return [await measured(directory, ROOMS, SECONDS, rounds)]


async def measured(directory: Path, count: int, seconds: float, rounds: int) -> Table:
    """What came out; the first room is left out of the figures, and what was said there must all come in the end."""
    rows: list[list[Cell]] = []
    async with rooms(directory, count, people=count) as on:
        for number in range(rounds):
            await calm()
            free = await _others(on, seconds)
            await calm()
            held, lost = await _with_one_held(on, seconds)
            p95 = [percentile(took, 0.95) for took in (free, held)]
            cells: list[Cell] = [1000 * median(free), 1000 * p95[0], 1000 * median(held), 1000 * p95[1]]
            rows.append([f"round {number + 1}", *cells, ratio(p95[1], p95[0]), lost])
            note(f"{rows[-1]}")
    columns = ["", "p50 ms", "p95 ms", "p50 ms, one hangs", "p95 ms, one hangs", "p95 of before", "lost"]
    title = f"P5: one of {count} rooms hangs for {seconds:.0f} s (bar: the others' p95 at most 1.2 x)"
    return Table(title, columns, rows)


async def _others(on: Rooms, seconds: float) -> list[float]:
    texts = lines(int(seconds * RATE))
    said = await on.speak(texts, RATE)
    others = [text for number, text in enumerate(texts) if number % len(on.places)]
    came = await on.arrived(others, 30.0)
    return [came[text] - said[text] for text in came]


async def _with_one_held(on: Rooms, seconds: float) -> tuple[list[float], int]:
    """How long the others took, and how many messages of all were lost."""
    free = asyncio.Event()
    hung = on.places[0].room

    async def hold(asked: Asked) -> Answered | None:
        if hung.lstrip("!").partition(":")[0] in asked.path:
            await free.wait()
        return None

    texts = lines(int(seconds * RATE))
    on.proxy.before = hold
    said = await on.speak(texts, RATE)
    others = [text for number, text in enumerate(texts) if number % len(on.places)]
    came = await on.arrived(others, 30.0)
    on.proxy.before = None
    free.set()
    lost = len(texts) - len(await on.arrived(texts, 90.0))
    return [came[text] - said[text] for text in came], lost


if __name__ == "__main__":
    run(measure, __doc__ or "", 2)

"""P4: people talk in 100 rooms at once for a minute, nearly as fast as the homeserver can take it: whether the bridge keeps up.

The floor is raw requests into as many rooms, eight in flight, as fast as they go. Then lines are said on IRC at 0.9 of that rate for so many
seconds; what has not arrived within five seconds after the last was said is late.
"""

import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.calm import calm
from benchmarks.figures import median, percentile
from benchmarks.irc_talk import lines
from benchmarks.program import note, run
from benchmarks.rooms import Rooms, rooms
from benchmarks.table import Cell, Table

ROOMS, SECONDS = 100, 60.0
SHARE = 0.9
"""Of the floor's rate, what people say."""
AFTER = 5.0
"""Seconds after the last line within which all must have arrived."""


async def measure(directory: Path, rounds: int) -> Sequence[Table]:
    """The floor and the bridge, in turn."""
    return [await measured(directory, ROOMS, SECONDS, rounds)]


async def measured(directory: Path, count: int, seconds: float, rounds: int) -> Table:
    """What came out, a row for each round."""
    rows: list[list[Cell]] = []
    async with rooms(directory, count) as on:
        for number in range(rounds):
            await calm()
            rate = await _floor(on, seconds / 4)
            await calm()
            row = await _talk(on, SHARE * rate, seconds)
            rows.append([f"round {number + 1}", rate, *row])
            note(f"{rows[-1]}")
    columns = [
        "",
        "floor a second",
        "said a second",
        "arrived a second",
        "of floor",
        "late",
        "lost",
        "p50 ms",
        "p99 ms",
    ]
    title = f"P4: {count} rooms for {seconds:.0f} s (bar: 0.9 x floor, nothing left {AFTER:.0f} s after)"
    return Table(title, columns, rows)


async def _floor(on: Rooms, seconds: float) -> float:
    """Messages a second."""
    trial = await on.floor(lines(2 * len(on.places)))
    rate = _rate(trial.spans)
    return _rate((await on.floor(lines(int(rate * seconds)))).spans)


def _rate(spans: Sequence[tuple[float, float]]) -> float:
    return len(spans) / (max(end for _, end in spans) - min(begun for begun, _ in spans))


async def _talk(on: Rooms, rate: float, seconds: float) -> list[Cell]:
    texts = lines(int(rate * seconds))
    said = await on.speak(texts, rate)
    ended = time.perf_counter()
    came = await on.arrived(texts, 60.0)
    took = [came[text] - said[text] for text in came]
    late = sum(at > ended + AFTER for at in came.values())
    first = min(said.values())
    real = len(texts) / (ended - first)
    arrived = len(came) / (max(came.values()) - first)
    of_floor = f"{SHARE * arrived / rate:.2f} x"
    return [
        real,
        arrived,
        of_floor,
        late,
        len(texts) - len(came),
        1000 * median(took),
        1000 * percentile(took, 0.99),
    ]


if __name__ == "__main__":
    run(measure, __doc__ or "", 2)

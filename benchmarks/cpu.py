"""P15: processor time of the bridge's process for each message from IRC, at a steady pace and in a burst.

The kernel's count of the process (proc(5)); what it uses while nothing happens is told apart, not taken off. Processor time depends on the
machine and on who else uses it, so the floor says what a bare PUT costs its sender in the same run: a Python process, aiohttp, nothing else.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from benchmarks.calm import calm
from benchmarks.contestant import FLOOR, OURS, PEER, Contestant
from benchmarks.figures import median, rotations
from benchmarks.irc_talk import lines, on_irc
from benchmarks.program import note, run
from benchmarks.stage import Stage, stage
from benchmarks.table import Cell, Table
from embedded.chatter import Chatter

STEADY, BURST, PEOPLE = 100, 200, 10
PACE = 0.1
"""Seconds between lines at the steady pace."""
IDLE = 3.0
"""Seconds to look at a process that has nothing to do."""

Spent = dict[tuple[str, str], list[float]]
"""Milliseconds for each message (or each second, idle), by contestant and case."""


async def measure(directory: Path, rounds: int) -> Sequence[Table]:
    """Everybody once in each round, in turn."""
    spent: Spent = defaultdict(list)
    async with stage(directory, [OURS, PEER]) as on:
        people = {each.name: await on.chatters(PEOPLE, each) for each in on.contestants}
        for contestant in on.contestants:
            await on_irc(on, contestant, people[contestant.name], 3 * PEOPLE)
        for order in rotations([FLOOR, *people], rounds):
            for name in order:
                await calm()
                if name == FLOOR:
                    await _floor(on, spent)
                else:
                    await _one(on, on.contestant(name), people[name], spent)
                note(f"{name}: {spent[name, 'steady'][-1]:.1f} ms a message")
        for each in people.values():
            for person in each:
                await person.aclose()
    return [table(spent, [FLOOR, *people])]


async def _floor(on: Stage, spent: Spent) -> None:
    spent[FLOOR, "idle"].append(0.0)
    for case, count, pause in (("steady", STEADY, PACE), ("burst", BURST, 0.0)):
        sent = await on.floor.say(lines(count), pause=pause)
        spent[FLOOR, case].append(sent.cpu / count * 1000)


async def _one(on: Stage, contestant: Contestant, people: Sequence[Chatter], spent: Spent) -> None:
    begun, before = time.perf_counter(), contestant.cpu()
    await asyncio.sleep(IDLE)
    seconds = time.perf_counter() - begun
    spent[contestant.name, "idle"].append((contestant.cpu() - before) / seconds * 1000)
    for case, count, pause in (("steady", STEADY, PACE), ("burst", BURST, 0.0)):
        before = contestant.cpu()
        talk = await on_irc(on, contestant, people, count, pause)
        arrived = talk.came.sent - talk.came.lost
        spent[contestant.name, case].append((contestant.cpu() - before) / arrived * 1000)


def table(spent: Spent, names: Sequence[str]) -> Table:
    """What came out, with the bar in the title."""
    rows: list[list[Cell]] = [
        [name, *(median(spent[name, case]) for case in ("steady", "burst", "idle"))] for name in names
    ]
    columns = ["", f"ms a message, {1 / PACE:.0f}/s", "ms a message, burst", "ms a second, idle"]
    rounds = len(spent[names[0], "idle"])
    return Table(
        f"P15: processor time of the bridge, median of {rounds} (bar: at most 3 ms a message)", columns, rows
    )


if __name__ == "__main__":
    run(measure, __doc__ or "", 4)

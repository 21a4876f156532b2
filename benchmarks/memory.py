"""P12: the memory of maubot with the plugin, idle and with many communities of 100 rooms.

What the kernel counts as resident (proc(5), VmRSS) of the whole process, each time in one that was started anew, when it has done all that it
does at the start. One community is real; its copies are on paper (`benchmarks.paper`): reading and keeping them is real.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import median
from benchmarks.paper import states
from benchmarks.program import note, run
from benchmarks.table import Cell, Table
from benchmarks.town import Town, found, house, move_in

ROOMS = 100
COUNTS = (1, 10, 100)
CROWD = 300
"""How many members the rooms have in the last rows."""
SETTLED = 3.0
"""Seconds after the last request before memory is looked at."""


@dataclass(frozen=True, slots=True)
class Case:
    """What maubot has to do with: so many communities, so many members in each of their rooms beside bot and owner."""

    communities: int
    members: int = 0


CASES = (Case(0), *(Case(count) for count in COUNTS), Case(COUNTS[1], CROWD))


async def measure(directory: Path, rounds: int) -> Sequence[Table]:
    """Each case once in each round."""
    return [await measured(directory, ROOMS, rounds)]


async def measured(directory: Path, rooms: int, rounds: int, cases: Sequence[Case] = CASES) -> Table:
    """The same with communities of another size, or other cases."""
    async with house(directory) as place:
        alone = [await _resident(place) for _ in range(rounds)]
        await move_in(place, directory)
        await found(place, rooms)
        place.paper.states = await states(place.bot, place.rooms)
        place.paper.server, place.paper.alone = place.synapse.server_name, True
        seen: dict[Case, list[float]] = {case: [] for case in cases}
        for _ in range(rounds):
            for case in cases:
                place.paper.copies, place.paper.members = case.communities, case.members
                seen[case].append(await _resident(place))
                note(f"{case}: {seen[case][-1]:.1f} MiB")
    return table(median(alone), {case: median(values) for case, values in seen.items()}, rooms)


async def _resident(place: Town) -> float:
    """The memory of maubot in MiB, started anew and settled."""
    await place.maubot.stop()
    await place.watched(place.maubot.start)
    await asyncio.sleep(SETTLED)
    return resident(place.maubot.process.pid)


def resident(process: int) -> float:
    """The resident memory of a process in MiB (proc(5), status)."""
    status = Path(f"/proc/{process}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def table(alone: float, seen: dict[Case, float], rooms: int) -> Table:
    """What came out, with the bar in the title."""
    idle = next(memory for case, memory in seen.items() if not case.communities)
    rows: list[list[Cell]] = [["maubot and a bot account, without the plugin", alone, None, None]]
    for case, memory in seen.items():
        each = (memory - idle) / case.communities if case.communities else None
        rows.append([_name(case, rooms), memory, memory - alone, each])
    title = "P12: memory in MiB (bar: 80 idle, 0.5 for each community of 100 rooms, 250 with 100 communities)"
    return Table(title, ["", "whole", "above maubot", "for each community"], rows)


def _name(case: Case, rooms: int) -> str:
    if not case.communities:
        return "with the plugin, idle"
    people = f", {case.members} members in each" if case.members else ""
    communities = "1 community" if case.communities == 1 else f"{case.communities} communities"
    return f"{communities} of {rooms} rooms{people}"


if __name__ == "__main__":
    run(measure, __doc__ or "", 1)

"""P1 and P2: how long a message takes between IRC and a room, and how much of that is not the homeserver's.

From IRC: from the line being said until a client that watches the room has it. The floor is the same for a raw PUT by an appservice: from the
request until that client has it; once in a room of its own, and once in the bridged room as a ghost. To IRC: from the request of a person's client until somebody in the channel hears it. One message at a
time; everybody in each round, in turn.
"""

import asyncio
import itertools
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from benchmarks.calm import calm
from benchmarks.contestant import AS_GHOST, FLOOR, OURS, PEER, Contestant
from benchmarks.figures import percentile, rotations
from benchmarks.floor import FloorRoom
from benchmarks.program import note, run
from benchmarks.stage import Stage, stage
from benchmarks.table import Cell, Table, ratio
from embedded.chatter import Chatter

INWARD, OUTWARD, NEWCOMERS = 40, 8, 2
"""Messages in each round: from IRC, to IRC, and first messages of new people."""
PAUSE = 0.05
"""Seconds between messages from IRC."""
CALM = 1.2
"""Seconds between messages to IRC: slow enough for the flood protection of both bridges."""

Times = dict[str, list[float]]
"""Milliseconds by contestant."""

_number = itertools.count(1)


async def measure(directory: Path, rounds: int) -> Sequence[Table]:
    """Everybody once in each round, in turn."""
    inward: Times = defaultdict(list)
    first: Times = defaultdict(list)
    outward: Times = defaultdict(list)
    async with stage(directory, [OURS, PEER]) as on:
        people = {each.name: (await on.chatters(1, each))[0] for each in on.contestants}
        for contestant in on.contestants:
            await from_irc(on, contestant, people[contestant.name], 3)
        floors = {FLOOR: on.floor, AS_GHOST: on.as_ghosts(on.contestant(OURS))}
        for order in rotations([*floors, *people], rounds):
            for name in order:
                await calm()
                if name in floors:
                    inward[name] += await floor(on, floors[name], INWARD)
                    continue
                contestant = on.contestant(name)
                inward[name] += await from_irc(on, contestant, people[name], INWARD)
                first[name] += await first_words(on, contestant, NEWCOMERS)
                outward[name] += await to_irc(on, contestant, OUTWARD)
            note(f"{order}: { ({name: f'{percentile(inward[name], 0.5):.1f} ms' for name in order}) }")
        for person in people.values():
            await person.aclose()
    return [inward_table(inward), outward_table(outward, first)]


def inward_table(times: Times) -> Table:
    """P1: what came out for messages from IRC."""
    floor_half, floor_most = (percentile(times[FLOOR], share) for share in (0.5, 0.99))
    ghost_half = percentile(times[AS_GHOST], 0.5)
    rows: list[list[Cell]] = []
    for name, measured in times.items():
        half, most = percentile(measured, 0.5), percentile(measured, 0.99)
        to_ghost = None if name == FLOOR else half - ghost_half
        rows.append([name, len(measured), half, half - floor_half, to_ghost, most, ratio(most, floor_most)])
    columns = [
        "",
        "messages",
        "p50 ms",
        "added to floor",
        "added to floor as a ghost",
        "p99 ms",
        "p99 of floor's",
    ]
    return Table(
        "P1: IRC to Matrix (bar: at most 10 ms added at p50; p99 at most 1.5 x the floor's)", columns, rows
    )


def outward_table(outward: Times, first: Times) -> Table:
    """P2: what came out for messages to IRC, and for people never seen before."""
    rows: list[list[Cell]] = []
    for name, measured in outward.items():
        half, most = percentile(measured, 0.5), percentile(measured, 0.99)
        rows.append([name, len(measured), half, most, len(first[name]), max(first[name])])
    columns = ["", "messages", "p50 ms", "p99 ms", "new people", "slowest first message ms"]
    return Table(
        "P2: Matrix to IRC (bar: p50 80 ms, p99 150 ms; a first message from IRC within 1,000 ms)",
        columns,
        rows,
    )


async def floor(on: Stage, place: FloorRoom, count: int) -> list[float]:
    """From each raw PUT to its being seen."""
    room = place.room
    mark = on.watcher.mark(room)
    texts = [f"floor {next(_number)}" for _ in range(count)]
    sent = await place.say(texts, pause=PAUSE)
    seen = [await on.watcher.wait_for(room, text, after=mark) for text in texts]
    return [(each.at - begun) * 1000 for each, (begun, _) in zip(seen, sent.spans, strict=True)]


async def from_irc(on: Stage, contestant: Contestant, person: Chatter, count: int) -> list[float]:
    """From each line on IRC to its being seen in the room."""
    times = []
    for _ in range(count):
        text, mark = f"{contestant.name} {next(_number)}", on.watcher.mark(contestant.room)
        begun = time.perf_counter()
        await person.say(contestant.channel, text)
        seen = await on.watcher.wait_for(contestant.room, text, after=mark)
        times.append((seen.at - begun) * 1000)
        await asyncio.sleep(PAUSE)
    return times


async def first_words(on: Stage, contestant: Contestant, count: int) -> list[float]:
    """The same for people who were never there before."""
    times = []
    for person in await on.chatters(count, contestant, name=f"new{next(_number)}x"):
        times += await from_irc(on, contestant, person, 1)
        await person.aclose()
    return times


async def to_irc(on: Stage, contestant: Contestant, count: int) -> list[float]:
    """From each message in the room to its being heard in the channel."""
    times = []
    for _ in range(count):
        await asyncio.sleep(CALM)
        text, mark = f"to {contestant.name} {next(_number)} end", on.keeper.mark
        begun = time.perf_counter()
        sending = asyncio.create_task(on.owner.say(contestant.room, text))
        await on.keeper.heard(text, after=mark)
        times.append((time.perf_counter() - begun) * 1000)
        await sending
    return times


if __name__ == "__main__":
    run(measure, __doc__ or "", 6)

"""P3: a burst of 200 lines by 10 people on IRC: how fast it reaches the room, and whether it is lost, doubled or out of order.

The floor is as many messages by as many users of an appservice, one in flight, straight to the homeserver. The order that counts is the one
in which the IRC server told everybody, as a bystander in the channel heard it.
"""

import asyncio
import itertools
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from benchmarks.contestant import FLOOR, OURS, PEER, Contestant
from benchmarks.figures import Arrival, arrival, median, rotations
from benchmarks.program import note, run
from benchmarks.stage import Stage, stage
from benchmarks.table import Cell, Table, ratio
from embedded.chatter import Chatter

LINES, PEOPLE = 200, 10
PATIENCE = 60.0
"""Seconds for a burst to arrive; what has not come then is lost."""

_number = itertools.count(1)


async def measure(directory: Path, rounds: int) -> Sequence[Table]:
    """Everybody once in each round, in turn."""
    rates: dict[str, list[float]] = defaultdict(list)
    arrivals: dict[str, Arrival] = defaultdict(lambda: Arrival(0, 0, 0, 0))
    events: dict[str, int] = defaultdict(int)
    async with stage(directory, [OURS, PEER], speakers=PEOPLE) as on:
        people = {each.name: await on.chatters(PEOPLE, each) for each in on.contestants}
        for contestant in on.contestants:
            await burst(on, contestant, people[contestant.name], PEOPLE)
        for order in rotations([FLOOR, *people], rounds):
            for name in order:
                seconds, came, count = (
                    await floor_burst(on)
                    if name == FLOOR
                    else await burst(on, on.contestant(name), people[name], LINES)
                )
                rates[name].append((came.sent - came.lost) / seconds)
                arrivals[name] += came
                events[name] += count
                note(f"{name}: {rates[name][-1]:.1f} lines/s, {came}")
        for chatter in itertools.chain.from_iterable(people.values()):
            await chatter.aclose()
    return [table(rates, arrivals, events)]


def table(rates: dict[str, list[float]], arrivals: dict[str, Arrival], events: dict[str, int]) -> Table:
    """What came out, with the bar in the title."""
    floor = median(rates[FLOOR])
    rows: list[list[Cell]] = []
    for name, measured in rates.items():
        came = arrivals[name]
        rate = median(measured)
        rows.append(
            [
                name,
                rate,
                ratio(rate, floor),
                came.sent,
                events[name],
                came.inversions,
                came.lost,
                came.doubled,
            ]
        )
    columns = ["", "lines/s", "of floor", "lines", "events", "inversions", "lost", "doubled"]
    return Table(
        f"P3: bursts of {LINES} lines by {PEOPLE} people, median of {len(rates[FLOOR])} (bar: 0.9 x floor, no inversion)",
        columns,
        rows,
    )


async def floor_burst(on: Stage) -> tuple[float, Arrival, int]:
    """The burst by raw requests, one after the other: seconds, what arrived, in how many events."""
    texts = [f"floor line {next(_number)}" for _ in range(LINES)]
    room = on.floor.room
    mark = on.watcher.mark(room)
    spans = await on.floor.say(texts)
    ended = await on.watcher.wait_for_lines(room, frozenset(texts), after=mark, patience=PATIENCE)
    came = arrival(texts, on.watcher.lines(room, after=mark))
    return (ended or time.perf_counter()) - spans[0][0], came, len(on.watcher.seen(room, after=mark))


async def burst(
    on: Stage, contestant: Contestant, people: Sequence[Chatter], lines: int
) -> tuple[float, Arrival, int]:
    """The burst on IRC: seconds until the last line was seen, what arrived, in how many events."""
    texts = [f"{contestant.name} line {next(_number)}" for _ in range(lines)]
    mark, heard = on.watcher.mark(contestant.room), on.keeper.mark
    begun = time.perf_counter()
    for text, person in zip(texts, itertools.cycle(people)):
        await person.say(contestant.channel, text)
    ended = await on.watcher.wait_for_lines(contestant.room, frozenset(texts), after=mark, patience=PATIENCE)
    await asyncio.sleep(1)  # what comes twice may come late
    told = [
        line.text for line in on.keeper.received[heard:] if line.command == "PRIVMSG" and line.text in texts
    ]
    came = arrival(told, on.watcher.lines(contestant.room, after=mark))
    return (ended or time.perf_counter()) - begun, came, len(on.watcher.seen(contestant.room, after=mark))


if __name__ == "__main__":
    run(measure, __doc__ or "", 6)

"""P3: a burst of 200 lines by 10 people on IRC: how fast it reaches the room, and whether it is lost, doubled or out of order.

The floor is as many messages by as many users of an appservice, one in flight, straight to the homeserver; once in a room of its own, and once
in the bridged room as the ghosts. Ratios are taken within each round.
"""

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.calm import calm
from benchmarks.contestant import AS_GHOST, FLOOR, OURS, PEER
from benchmarks.figures import Arrival, median, rotations
from benchmarks.irc_talk import Talk, on_irc, on_the_floor
from benchmarks.program import note, run
from benchmarks.stage import stage
from benchmarks.table import Cell, Table

LINES, PEOPLE = 200, 10


async def measure(directory: Path, rounds: int) -> Sequence[Table]:
    """Everybody once in each round, in turn."""
    talks: dict[str, list[Talk]] = defaultdict(list)
    async with stage(directory, [OURS, PEER], speakers=PEOPLE) as on:
        people = {each.name: await on.chatters(PEOPLE, each) for each in on.contestants}
        for contestant in on.contestants:
            await on_irc(on, contestant, people[contestant.name], PEOPLE)
        floors = {FLOOR: on.floor, AS_GHOST: on.as_ghosts(on.contestant(OURS))}
        for order in rotations([*floors, *people], rounds):
            for name in order:
                await calm()
                talk = (
                    await on_the_floor(on, floors[name], LINES)
                    if name in floors
                    else await on_irc(on, on.contestant(name), people[name], LINES)
                )
                talks[name].append(talk)
                note(f"{name}: {talk.rate:.1f} lines/s, {talk.came}")
        for chatter in itertools.chain.from_iterable(people.values()):
            await chatter.aclose()
    return [table(talks)]


def table(talks: Mapping[str, Sequence[Talk]]) -> Table:
    """What came out, with the bar in the title."""
    rows: list[list[Cell]] = []
    for name, own in talks.items():
        rates = [talk.rate for talk in own]
        of_floor, of_ghost = (median(_ratios(own, talks[base])) for base in (FLOOR, AS_GHOST))
        ratios = [f"{of_floor:.2f} x", None if name == FLOOR else f"{of_ghost:.2f} x"]
        came = sum((talk.came for talk in own), Arrival(0, 0, 0, 0))
        events = sum(talk.events for talk in own)
        counts = [came.sent, events, came.inversions, came.lost, came.doubled]
        rows.append([name, median(rates), *ratios, *counts])
    title = f"P3: bursts of {LINES} lines by {PEOPLE} people, median of {len(talks[FLOOR])} (bar: 0.9 x floor, no inversion)"
    return Table(
        title,
        [
            "",
            "lines/s",
            "of floor",
            "of floor as a ghost",
            "lines",
            "events",
            "inversions",
            "lost",
            "doubled",
        ],
        rows,
    )


def _ratios(talks: Sequence[Talk], floors: Sequence[Talk]) -> list[float]:
    return [talk.rate / floor.rate for talk, floor in zip(talks, floors, strict=True)]


if __name__ == "__main__":
    run(measure, __doc__ or "", 6)

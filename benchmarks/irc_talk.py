"""People talking in a benchmark: so many lines, at a pace or all at once, until all of them are in the room, and what became of them."""

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.contestant import Contestant
from benchmarks.figures import Arrival, arrival
from benchmarks.floor import FloorRoom
from benchmarks.stage import Stage
from embedded.chatter import Chatter

PATIENCE = 60.0
"""Seconds for all lines to arrive; what has not come then is lost."""
LATE = 1.0
"""Seconds to wait for what comes twice."""

_number = itertools.count(1)


def lines(count: int) -> list[str]:
    """Lines unlike all others of this program."""
    return [f"this is line {next(_number)} of many" for _ in range(count)]


@dataclass(frozen=True, slots=True)
class Talk:
    """How it went: seconds until the last line was seen, what arrived, in how many events."""

    seconds: float
    came: Arrival
    events: int

    @property
    def rate(self) -> float:
        """Lines a second."""
        return (self.came.sent - self.came.lost) / self.seconds


async def on_irc(
    on: Stage, contestant: Contestant, people: Sequence[Chatter], count: int, pause: float = 0.0
) -> Talk:
    """People say lines in turn, with so many seconds between. The order that counts is the one a bystander in the channel heard."""
    texts = lines(count)
    mark, heard = on.watcher.mark(contestant.room), on.keeper.mark
    begun = time.perf_counter()
    for text, person in zip(texts, itertools.cycle(people), strict=False):
        await person.say(contestant.channel, text)
        if pause:
            await asyncio.sleep(pause)
    ended = await on.watcher.wait_for_lines(contestant.room, frozenset(texts), after=mark, patience=PATIENCE)
    await asyncio.sleep(LATE)
    told = [line.text for line in on.keeper.received[heard:] if line.command == "PRIVMSG"]
    told = [text for text in told if text in texts]
    came = arrival(told, on.watcher.lines(contestant.room, after=mark))
    return Talk(
        (ended or time.perf_counter()) - begun, came, len(on.watcher.seen(contestant.room, after=mark))
    )


async def on_the_floor(on: Stage, floor: FloorRoom, count: int) -> Talk:
    """The users of an appservice say lines by raw requests, one after the other."""
    texts, room = lines(count), floor.room
    mark = on.watcher.mark(room)
    sent = await floor.say(texts)
    ended = await on.watcher.wait_for_lines(room, frozenset(texts), after=mark, patience=PATIENCE)
    came = arrival(texts, on.watcher.lines(room, after=mark))
    return Talk(
        (ended or time.perf_counter()) - sent.spans[0][0], came, len(on.watcher.seen(room, after=mark))
    )

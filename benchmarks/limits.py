"""P8: an admin in a community of 100 rooms, where the homeserver allows two events a second after the first ten: how near to that we come.

The theoretical time is what the limit leaves for the rooms alone, however fast everything is: a homeserver that gives `burst` at once and then `rate` a
second needs (rooms - burst) / rate seconds. What the bot says to people meanwhile takes its share of the limit, too. Beside it a plain client that
sets the same levels one after the other and waits as it is told. Servers as for P6; only the limit is another.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.calm import calm
from benchmarks.figures import median
from benchmarks.program import note, run
from benchmarks.promotion import ADMIN, with_level
from benchmarks.table import Cell, Table, ratio
from benchmarks.town import POWER, Town, town
from embedded.proxy import Asked
from embedded.waiting import NeverHappened

ROOMS = 100
RATE, BURST = 2.0, 10
"""Events a second, and how many at once before (Synapse: `rc_message`)."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one change came to: rooms in which it holds, requests for it (those that were told to wait included), messages, seconds."""

    rooms: int
    requests: int
    messages: int
    seconds: float

    @property
    def theoretical(self) -> float:
        """Seconds that the limit asks for at least."""
        return max(0.0, (self.rooms - BURST) / RATE)


async def measure(directory: Path, rounds: int) -> Sequence[Table]:
    """A promotion and its end in each round, and the plain client."""
    results: dict[str, list[Result]] = defaultdict(list)
    async with town(directory, ROOMS) as place:
        friend = (await place.newcomer("friend")).user_id
        await place.quiet()
        await _limit(place)
        for _ in range(rounds):
            results["a plain client"].append(await plain(place, friend))
            for name, words in (("promoted", "add"), ("dropped", "remove")):
                own = await observed(place, friend, f"!community role {words} {friend} admin")
                results[f"haven: {name} by command"].append(own)
                note(f"{name}: {own}")
    return [table(results)]


async def _limit(place: Town) -> None:
    """The homeserver begins anew with the limit, and the bot is back."""
    await place.maubot.stop_instance("haven")
    await place.synapse.stop()
    place.synapse.extra["rc_message"] = {"per_second": RATE, "burst_count": BURST}
    await place.synapse.start()
    await place.start()


async def _full(place: Town) -> None:
    """Waits until the bot may write as much at once as it ever may, and the machine is calm."""
    await place.quiet()
    await asyncio.sleep(BURST / RATE)
    await calm()


def _sets_levels(asked: Asked) -> bool:
    return asked.method == "PUT" and f"/state/{POWER}" in asked.path


async def observed(place: Town, friend: str, command: str) -> Result:
    """Gives a command, and sees to it that it comes to hold in every room."""
    await _full(place)
    before = await place.levels()
    begun = await place.watched(lambda: _answered(place, command))
    after = await place.levels()
    held = sum(before[room]["users"].get(friend) != after[room]["users"].get(friend) for room in place.rooms)
    if held != len(place.rooms):
        raise NeverHappened(f"the change holds in {held} of {len(place.rooms)} rooms")
    asked = [each for _, each in place.heard]
    messages = sum("/send/" in each.path for each in asked)
    return Result(held, sum(map(_sets_levels, asked)), messages, place.ended(_sets_levels) - begun)


async def _answered(place: Town, command: str) -> None:
    """Says a command, and waits until the bot says that it is done."""
    asked = await place.owner.say(place.office, command)
    await place.owner.wait_for(
        place.office, lambda event: event.body.startswith("Done:"), after=asked, timeout=300
    )


async def plain(place: Town, friend: str) -> Result:
    """The same by a client that knows nothing but to wait; then all is as it was, which is not measured."""
    await place.stop()
    before = await place.levels()
    await _full(place)
    client = place.bot.through(place.proxy.url)
    place.heard.clear()
    begun = time.perf_counter()
    for room, levels in before.items():
        await client.send_state(room, POWER, with_level(levels, friend, ADMIN))
    seconds = time.perf_counter() - begun
    requests = len(place.heard)
    for room, levels in before.items():
        await client.send_state(room, POWER, levels)
    await place.start()
    return Result(len(before), requests, 0, seconds)


def table(results: Mapping[str, Sequence[Result]]) -> Table:
    """What came out, with the bar in the title. Counts are the worst, times the median."""
    rows: list[list[Cell]] = []
    for name, own in results.items():
        seconds, theoretical = median([each.seconds for each in own]), own[0].theoretical
        counts = [max(each.requests for each in own), max(each.messages for each in own)]
        rows.append([name, own[0].rooms, *counts, theoretical, seconds, ratio(seconds, theoretical)])
    columns = ["", "rooms in step", "requests", "messages", "theoretical s", "seconds", "of theoretical"]
    title = f"P8: an admin in {ROOMS} rooms and the space at {RATE:.0f}/s after {BURST} (bar: all in step, 1.15 x the theoretical time)"
    return Table(title, columns, rows)


if __name__ == "__main__":
    run(measure, __doc__ or "", 1)

"""P7, the event loop: for how long nobody else in the same maubot gets a turn while the plugin works.

A probe, a plugin of its own in the same process, looks at the clock every 5 ms (`benchmarks.lag_probe`). A community of 100 rooms, once with few members
and once with several hundred in every room, who are on paper (`benchmarks.paper`): changes of an admin, repairs, a ban, and the start. Then the
start of maubot with 100 communities of 10 rooms, on paper too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.calm import calm
from benchmarks.lag import Lag, add_probe, lag_since
from benchmarks.paper import states
from benchmarks.program import note, run
from benchmarks.promotion import changes
from benchmarks.table import Cell, Table
from benchmarks.town import Town, Work, town

ROOMS, MEMBERS = 100, 300
COMMUNITIES, SMALL = 100, 10
LIMIT = 100.0
"""Milliseconds that the event loop may be blocked at most (P7)."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """A community of so many `rooms`, with so many more `members` in each; and so many `communities` of `small` size."""

    rooms: int = ROOMS
    members: int = MEMBERS
    communities: int = COMMUNITIES
    small: int = SMALL


async def measure(directory: Path, rounds: int) -> Sequence[Table]:
    """All of it once in each round."""
    return [await measured(directory, Sizes(), rounds)]


async def measured(directory: Path, sizes: Sizes, rounds: int) -> Table:
    """The same in other sizes."""
    seen: dict[str, list[Lag]] = {}
    async with town(directory / "one", sizes.rooms) as place:
        await add_probe(place.maubot, place.bot.user_id, directory)
        for number in range(rounds):
            for members in (0, sizes.members):
                friend = (await place.newcomer(f"friend{number}of{members}")).user_id
                place.paper.server, place.paper.members = place.synapse.server_name, members
                await calm()
                crowd = f", {members} members in each" if members else ""
                for name, work in works(place, friend).items():
                    await _seen(place, f"{sizes.rooms} rooms{crowd}: {name}", work, seen)
    async with town(directory / "many", sizes.small) as place:
        await add_probe(place.maubot, place.bot.user_id, directory)
        place.paper.states = await states(place.bot, place.rooms)
        place.paper.copies, place.paper.alone = sizes.communities, True
        for _ in range(rounds):
            await calm()
            name = f"{sizes.communities} communities of {sizes.small} rooms: start"
            await _seen(place, name, _start(place), seen)
    return table(seen, rounds)


def works(place: Town, friend: str) -> Mapping[str, Work]:
    """What the plugin is made to do, in this order."""
    return {
        "start": _start(place),
        **changes(place, friend),
        "banned by command": lambda: place.command(f"!community ban {friend}"),
        "unbanned": lambda: place.command(f"!community unban {friend}"),
    }


def _start(place: Town) -> Work:
    async def start_again() -> None:
        await place.stop()
        await lag_since(place.maubot)
        await place.start()

    return start_again


async def _seen(place: Town, name: str, work: Work, seen: dict[str, list[Lag]]) -> None:
    await place.quiet()
    await lag_since(place.maubot)
    await place.watched(work)
    lag = await lag_since(place.maubot)
    seen.setdefault(name, []).append(lag)
    note(
        f"{name}: {lag.worst:.0f} ms, {lag.busiest:.0f} ms at work, of {lag.looks} looks {lag.over(LIMIT)} over"
    )


def table(seen: Mapping[str, Sequence[Lag]], rounds: int) -> Table:
    """What came out, with the bar in the title: the worst of all rounds."""
    rows: list[list[Cell]] = [
        [
            name,
            max(lag.worst for lag in lags),
            max(lag.busiest for lag in lags),
            sum(lag.over(LIMIT) for lag in lags),
            sum(lag.looks for lag in lags),
        ]
        for name, lags in seen.items()
    ]
    columns = ["", "longest ms", "longest at work ms", f"over {LIMIT:.0f} ms", "looks"]
    title = f"P7: how long the event loop was blocked, the worst of {rounds} (bar: never over {LIMIT:.0f} ms)"
    return Table(title, columns, rows)


if __name__ == "__main__":
    run(measure, __doc__ or "", 2)

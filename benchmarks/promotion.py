"""P6: somebody is made an admin of a community of 100 rooms, and is no longer one: what the bot asks for, and how long it takes.

By command and by hand in the space, and then the same again, when nothing is to be done. Requests are counted by a proxy between maubot and
Synapse. The floor is the same PUTs with raw HTTP, 8 in flight, through the same proxy, while the plugin is stopped.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.calm import calm
from benchmarks.figures import median
from benchmarks.program import note, run
from benchmarks.table import Cell, Table
from benchmarks.town import POWER, Town, Work, town
from embedded.matrix import Json

ROOMS = 100
ADMIN = 90
LEVELS = f"PUT /rooms/{{room}}/state/{POWER}"


@dataclass(frozen=True, slots=True)
class Result:
    """What one change came to: rooms whose levels changed through the bot, seconds until the bot's last request, what it asked for."""

    changed: int
    seconds: float
    requests: Counter[str]

    @property
    def puts(self) -> int:
        """How often levels were set."""
        return sum(count for route, count in self.requests.items() if route.startswith(LEVELS))

    @property
    def messages(self) -> int:
        """How many messages were sent or edited: what the bot answers."""
        return sum(count for route, count in self.requests.items() if "/send/" in route)

    @property
    def others(self) -> int:
        """Everything else."""
        return self.requests.total() - self.puts - self.messages


async def measure(directory: Path, rounds: int) -> Sequence[Table]:
    """Each change once in each round, and the floor."""
    results: dict[str, list[Result]] = defaultdict(list)
    floors: list[float] = []
    async with town(directory, ROOMS) as place:
        friend = (await place.newcomer("friend")).user_id
        for _ in range(rounds):
            for name, work in changes(place, friend).items():
                await calm()
                results[name].append(await observed(place, work))
                note(f"{name}: {results[name][-1]}")
            floors += await floor(place, friend)
    return [table(results, floors), routes(results)]


def changes(place: Town, friend: str) -> Mapping[str, Work]:
    """What is done in a round, in this order."""
    return {
        "promoted by command": lambda: place.command(f"!community role add {friend} admin"),
        "the same command again": lambda: place.command(f"!community role add {friend} admin"),
        "repair": lambda: place.command("!community repair"),
        "dropped by command": lambda: place.command(f"!community role remove {friend} admin"),
        "promoted by hand": lambda: by_hand(place, friend, ADMIN),
        "the same by hand again": lambda: by_hand(place, friend, ADMIN),
        "dropped by hand": lambda: by_hand(place, friend, None),
    }


async def by_hand(place: Town, user: str, level: int | None) -> None:
    """The owner sets somebody's level in the space, as any client does; None takes it away."""
    levels = await place.owner.state(place.space, POWER) or {}
    await place.owner.send_state(place.space, POWER, with_level(levels, user, level))


def with_level(levels: Json, user: str, level: int | None) -> Json:
    """The content with somebody's level set, or taken away."""
    users = {**levels.get("users", {}), user: level}
    return {**levels, "users": {name: value for name, value in users.items() if value is not None}}


async def observed(place: Town, work: Work) -> Result:
    """Does one change, and looks at what the bot makes of it until it is done."""
    await place.quiet()
    before = await place.levels()
    begun = await place.watched(work)
    seconds = place.last - begun
    requests = place.requests()
    after = await place.levels()
    changed = sum(before[room] != after[room] for room in place.rooms)
    by_bot = sum(
        asked.path.endswith(f"/{POWER}/") or asked.path.endswith(f"/{POWER}") for asked in place.proxy.asked
    )
    space_by_hand = before[place.space] != after[place.space] and by_bot < changed
    return Result(changed - space_by_hand, seconds, requests)


async def floor(place: Town, friend: str) -> list[float]:
    """The same PUTs there and back; the seconds each took."""
    await place.stop()
    before = await place.levels()
    seconds = []
    await calm()
    for levels in ({room: with_level(content, friend, ADMIN) for room, content in before.items()}, before):
        spans = (await place.put(levels)).spans
        seconds.append(max(ended for _, ended in spans) - min(begun for begun, _ in spans))
    note(f"floor: {seconds}")
    await place.start()
    return seconds


def table(results: Mapping[str, Sequence[Result]], floors: Sequence[float]) -> Table:
    """What came out, with the bar in the title. Counts are those of the worst round, times the median."""
    base = median(floors)
    rows: list[list[Cell]] = [["floor: the PUTs alone", ROOMS + 1, ROOMS + 1, 0, 0, base, "1.00 x"]]
    for name, own in results.items():
        worst = max(own, key=lambda result: abs(result.puts - result.changed) * 1000 + result.others)
        seconds = median([result.seconds for result in own])
        of_floor = f"{seconds / (base * worst.changed / (ROOMS + 1)):.2f} x" if worst.changed else None
        rows.append([name, worst.changed, worst.puts, worst.others, worst.messages, seconds, of_floor])
    columns = ["", "rooms changed", "PUTs", "other requests", "messages", "seconds", "of floor"]
    title = f"P6: an admin in {ROOMS} rooms and the space (bar: as many PUTs as rooms, 2 others; no change: 0 writes)"
    return Table(title, columns, rows)


def routes(results: Mapping[str, Sequence[Result]]) -> Table:
    """What was asked for, in the last round."""
    last = {name: own[-1].requests for name, own in results.items()}
    asked = sorted({route for requests in last.values() for route in requests})
    rows: list[list[Cell]] = [
        [f"`{route}`", *(requests[route] for requests in last.values())] for route in asked
    ]
    return Table("What the bot asked for", ["", *last], rows)


if __name__ == "__main__":
    run(measure, __doc__ or "", 3)

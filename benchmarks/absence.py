"""P9: what was changed while the bot was down, and how long it takes from its start until all is in step, in a community of 100 rooms.

While maubot is dead the owner gives somebody a role and takes another one's away, in the levels of the space, bans somebody from the space, and
somebody knocks on a group. In step: levels and bans hold in every room, and the request stands before the admins. Seen by a proxy between
maubot and Synapse, and checked in the rooms after that.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.calm import calm
from benchmarks.figures import median
from benchmarks.program import note, run
from benchmarks.promotion import ADMIN, with_level
from benchmarks.table import Cell, Table
from benchmarks.town import POWER, Town, town
from embedded.person import Person
from embedded.proxy import Asked
from embedded.waiting import eventually

ROOMS = 100
ASKER = "asker"
"""How the names of those begin who knock."""
PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Result:
    """One start. Seconds from the start of maubot's process until: maubot answered (its instances begin then), the levels held in every
    room, the ban did, the request stood before the admins. `wrong`: rooms in which something did not hold in the end.
    """

    up: float
    levels: float
    bans: float
    request: float
    wrong: int

    @property
    def in_step(self) -> float:
        """Seconds until all of it was so."""
        return max(self.levels, self.bans, self.request)


@dataclass(frozen=True, slots=True)
class People:
    """Who plays a part: the `former` admin, and those of this round."""

    former: Person
    promoted: Person
    banned: Person
    knocking: Person


async def measure(directory: Path, rounds: int) -> Sequence[Table]:
    """One absence in each round."""
    return [await measured(directory, ROOMS, rounds)]


async def measured(directory: Path, size: int, rounds: int) -> Table:
    """The same with a community of another size, the space not counted."""
    results: list[Result] = []
    async with town(directory, size) as place:
        gate = await _group_on_request(place)
        former = await place.newcomer("admin0")
        await place.command(f"!community role add {former.user_id} admin")
        for number in range(1, rounds + 1):
            names = (f"{part}{number}" for part in ("admin", "spammer", ASKER))
            people = People(former, *[await place.newcomer(name) for name in names])
            await place.quiet()
            await calm()
            results.append(await observed(place, gate, people))
            note(f"{results[-1]}")
            former = people.promoted
    return table(results, size)


async def _group_on_request(place: Town) -> str:
    """Makes one of the groups one that people ask to be let into."""
    await place.command('!community group set "Group 1" visibility request')

    async def found() -> str:
        rules = [await place.bot.state(room, "m.room.join_rules") or {} for room in place.rooms]
        knockable = [
            room
            for room, rule in zip(place.rooms, rules, strict=True)
            if rule.get("join_rule") == "knock" and room != place.space
        ]
        return knockable[0] if knockable else ""

    return await eventually(found, "a group on request")


async def observed(place: Town, gate: str, people: People) -> Result:
    """One absence, and what came of it."""
    await place.maubot.kill()
    await _change(place, gate, people)
    up = 0.0

    async def start_and_wait() -> None:
        nonlocal up
        await place.maubot.start(caught_up=False)
        up = time.perf_counter()
        await eventually(all_begun, "the bot catching up", timeout=PATIENCE)

    async def all_begun() -> bool:
        return all(any(sign(asked) for _, asked in place.heard) for sign in (_is_level, _is_ban, _is_request))

    begun = await place.watched(start_and_wait)
    return Result(
        up=up - begun,
        levels=place.ended(_is_level) - begun,
        bans=place.ended(_is_ban) - begun,
        request=place.ended(_is_request) - begun,
        wrong=await _wrong(place, people),
    )


async def _change(place: Town, gate: str, people: People) -> None:
    """What people do while nobody looks."""
    levels = await place.owner.state(place.space, POWER) or {}
    changed = with_level(with_level(levels, people.former.user_id, None), people.promoted.user_id, ADMIN)
    await place.owner.send_state(place.space, POWER, changed)
    await place.owner.ban(place.space, people.banned.user_id)
    await people.knocking.knock(gate, "let me in")


def _is_level(asked: Asked) -> bool:
    return asked.method == "PUT" and asked.route.rstrip("/").endswith(f"/state/{POWER}")


def _is_ban(asked: Asked) -> bool:
    return asked.route.endswith("/ban")


def _is_request(asked: Asked) -> bool:
    """Whether the admins are shown who knocks: their name stands in the card."""
    return "/send/m.room.message/" in asked.route and ASKER.encode() in asked.body


async def _wrong(place: Town, people: People) -> int:
    """In how many rooms something is not as it was meant."""

    async def is_wrong(room: str) -> bool:
        users = ((await place.bot.state(room, POWER)) or {}).get("users", {})
        held = (await place.bot.members(room)).get(people.banned.user_id)
        in_order = users.get(people.promoted.user_id) == ADMIN and people.former.user_id not in users
        return not (in_order and held and held.membership == "ban")

    return sum(await asyncio.gather(*(is_wrong(room) for room in place.rooms)))


def table(results: Sequence[Result], size: int) -> Table:
    """What came out, with the bar in the title: medians, and the worst."""
    steps = {
        "maubot answers, its instances begin": [result.up for result in results],
        "roles given and taken hold in every room": [result.levels for result in results],
        "the ban holds in every room": [result.bans for result in results],
        "the request stands before the admins": [result.request for result in results],
        "in step": [result.in_step for result in results],
    }
    rows: list[list[Cell]] = [
        [name, median(seconds), max(seconds), sum(result.wrong for result in results)]
        for name, seconds in steps.items()
    ]
    title = f"P9: what changed while the bot was down, in {size} rooms and the space (bar: in step within 15 s after start)"
    return Table(
        title, ["seconds after the start of its process", "median", "worst", "rooms wrong in the end"], rows
    )


if __name__ == "__main__":
    run(measure, __doc__ or "", 3)

"""P13: a chat of 5,000 people is linked: how soon the first of them is heard in the room, and how many join because of it.

The people are names on a server of paper; Synapse and the bridge are real. As soon as the link holds somebody speaks; then, for the rest of a
minute, one person after the other.
"""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.calm import calm
from benchmarks.crowd_server import CrowdServer
from benchmarks.irc_talk import lines
from benchmarks.ours import wanted
from benchmarks.program import note, run
from benchmarks.table import Cell, Table
from benchmarks.watcher import Watcher
from embedded.bridge import Bridge
from embedded.person import Person
from embedded.synapse import Synapse
from embedded.waiting import eventually

DOMAIN = "haven.test"
PEOPLE, SPEAKERS, SECONDS = 5000, 90, 60.0
CHANNEL = "#crowd"


async def measure(directory: Path, rounds: int) -> Sequence[Table]:
    """A new homeserver, bridge and crowd in each round."""
    rows = [
        await _one(directory / f"{number}", PEOPLE, SPEAKERS, SECONDS, number) for number in range(rounds)
    ]
    return [_table(rows, PEOPLE)]


async def measured(directory: Path, people: int, speakers: int, seconds: float) -> Table:
    """One round."""
    return _table([await _one(directory, people, speakers, seconds, 0)], people)


def _table(rows: Sequence[Sequence[Cell]], people: int) -> Table:
    columns = ["", "first message s", "spoke", "arrived", "joins", "most of one person"]
    title = f"P13: a chat of {people} is linked (bar: 3 s, at most 100 joins in the first minute, one member event a join)"
    return Table(title, columns, rows)


async def _one(directory: Path, people: int, speakers: int, seconds: float, number: int) -> list[Cell]:
    nicks = [f"sam{each}" for each in range(people)]
    synapse = Synapse(directory / "synapse", DOMAIN)
    async with CrowdServer(CHANNEL, nicks) as crowd:
        network = {"host": crowd.host, "port": crowd.port, "tls": False, "nick": "haven"}
        bridge = Bridge(directory / "bridge", synapse.url, DOMAIN, {"irc": network})
        await bridge.command("registration")
        synapse.appservices.append(bridge.registration)
        async with synapse, bridge:
            owner = await synapse.register("owner")
            room = await owner.create_room(
                "crowd", power_level_content_override={"users": {f"@haven-bridge:{DOMAIN}": 100}}
            )
            async with Watcher(owner) as watcher:
                await calm()
                took = await _linked(owner, room, crowd, watcher, nicks[0])
                texts = lines(speakers)
                for text, nick in zip(texts, nicks[1:], strict=False):
                    await crowd.say(nick, text)
                    await asyncio.sleep(seconds / speakers)
                await watcher.wait_for_lines(room, frozenset(texts), after=0, patience=60)
                arrived = len(set(watcher.lines(room)) & set(texts))
                row: list[Cell] = [
                    f"round {number + 1}",
                    took,
                    speakers,
                    arrived,
                    *await _members(owner, room),
                ]
                note(f"{row}")
                return row


async def _linked(owner: Person, room: str, crowd: CrowdServer, watcher: Watcher, nick: str) -> float:
    """Seconds from the wish to be linked until the first message is in the room; the code is said as soon as it is there."""
    begun = time.perf_counter()
    code = await wanted(owner, room, CHANNEL)
    await crowd.inside.wait()
    await crowd.say(nick, code)

    async def linked() -> bool:
        said = await owner.state(room, "m.bridge", f"haven://irc/{CHANNEL}") or {}
        return bool(said.get("chat.haven.status", {}).get("state") == "linked")

    await eventually(linked, "the link being proven", interval=0.02)
    (text,) = lines(1)
    await crowd.say(nick, text)
    return (await watcher.wait_for(room, text)).at - begun


async def _members(owner: Person, room: str) -> tuple[int, int]:
    """Events by which ghosts joined, in all, and most of one person: each is a join, or a name that changed after it."""
    joined: dict[str, int] = {}
    for event in await owner.messages(room, limit=1000):
        if (
            event.type == "m.room.member"
            and event.content.get("membership") == "join"
            and event.sender.startswith("@_haven_")
        ):
            joined[event.sender] = joined.get(event.sender, 0) + 1
    return sum(joined.values()), max(joined.values(), default=0)


if __name__ == "__main__":
    run(measure, __doc__ or "", 1)

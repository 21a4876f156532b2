"""More communities than anybody wants to wait for: copies of one that the plugin has made, by raw requests in the bot's name.

A copy has the same state as the original, with other ids and another wish in the slots of its rooms: all that tells communities apart.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.floor import IN_FLIGHT
from embedded.matrix import Event, Json
from embedded.person import Person

SLOT = "chat.haven.slot"
CHILD, RECORD = "m.space.child", "chat.haven.community"
_OF_ITSELF = frozenset({"m.room.create", "m.room.member", "m.room.power_levels"})
"""What a homeserver writes by itself when a room is made."""


@dataclass(frozen=True, slots=True)
class Original:
    """A community as it is: the whole state of its space and of its rooms; `wish` begins the slot of each."""

    space: str
    rooms: Mapping[str, Sequence[Event]]
    wish: str


async def original(bot: Person, space: str, rooms: Sequence[str]) -> Original:
    """Reads a community; `rooms` with the space."""
    states = await asyncio.gather(*(bot.all_state(room) for room in rooms))
    read = dict(zip(rooms, states, strict=True))
    made = next(event for event in read[space] if event.type == "m.room.create")
    return Original(space, read, str(made.content[SLOT]).partition("/")[0])


def renamed(value: Json, names: Mapping[str, str]) -> Json:
    """JSON with names replaced by others wherever they stand."""
    text = json.dumps(value)
    for name, other in names.items():
        text = text.replace(name, other)
    return dict(json.loads(text))


async def copied(bot: Person, owner: Person, first: Original, count: int) -> list[str]:
    """Makes so many copies, the owner in the space and invited to whatever room they are in or invited to. Their spaces."""
    lanes = asyncio.Semaphore(IN_FLIGHT)

    async def one(number: int) -> str:
        async with lanes:
            return await _copy(bot, owner, first, f"{first.wish}-{number}")

    return list(await asyncio.gather(*(one(number) for number in range(count))))


async def _copy(bot: Person, owner: Person, first: Original, wish: str) -> str:
    names = {first.wish: wish}
    late = [event for event in first.rooms[first.space] if event.type in {CHILD, RECORD}]
    early = [event for event in first.rooms[first.space] if event not in late]
    space = names[first.space] = await _room(bot, owner.user_id, early, names)
    for room, state in first.rooms.items():
        if room != first.space:
            names[room] = await _room(bot, owner.user_id, state, names)
    for event in late:
        key = names.get(event.state_key or "", event.state_key or "")
        await bot.send_state(space, event.type, renamed(event.content, names), key)
    await owner.join(space)
    return space


async def _room(bot: Person, owner: str, state: Sequence[Event], names: Mapping[str, str]) -> str:
    by_type = {event.type: event.content for event in state if not event.state_key}
    created = by_type["m.room.create"]
    around = any(event.state_key == owner for event in state if event.type == "m.room.member")
    body = {
        "room_version": created["room_version"],
        "creation_content": {name: created[name] for name in (SLOT, "type") if name in created},
        "power_level_content_override": by_type["m.room.power_levels"],
        "initial_state": [
            {"type": event.type, "state_key": event.state_key, "content": event.content}
            for event in state
            if event.type not in _OF_ITSELF
        ],
        "invite": [owner] if around else [],
    }
    renamed_body = renamed(body, names)
    return await bot.create_room(**renamed_body)

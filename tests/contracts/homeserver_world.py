"""The words in which the contract of a homeserver is written: a world with people, rooms made in a line, levels changed."""

from collections.abc import Sequence
from typing import Final, Protocol

import pytest

from haven.ids import RoomId, RoomVersion, UserId
from haven.ports import Content, Homeserver, NewRoom, StateEvent

VERSIONS: Final = ("10", "11", "12")
TEXT: Final[Content] = {"msgtype": "m.text", "body": "hello"}
LEVELS: Final = "m.room.power_levels"
NOWHERE: Final = {
    "10": RoomId("!nowhere:haven.test"),
    "11": RoomId("!nowhere:haven.test"),
    "12": RoomId("!" + "n" * 43),
}
"""The id of a room that nobody knows, in the shape of each version."""


class World(Protocol):
    """A homeserver on which people can be made."""

    async def person(self, name: str) -> Homeserver:
        """A new user, whose id begins with the name; a second call with the same name makes another one."""


class HomeserverContract:
    """What all parts of the contract share. A subclass gives the ``world``."""

    @pytest.fixture(params=VERSIONS)
    def version(self, request: pytest.FixtureRequest) -> RoomVersion:
        """Each test runs in a room of each version."""
        return RoomVersion(str(request.param))


def state(event_type: str, content: Content, key: str = "") -> StateEvent:
    """Initial state of a room."""
    return StateEvent(event_type, key, UserId(""), content)


def joining(rule: str, *allowed: RoomId) -> StateEvent:
    """A join rule; ``allowed``: the rooms whose members may join."""
    allow = [{"type": "m.room_membership", "room_id": room} for room in allowed]
    return state("m.room.join_rules", {"join_rule": rule, **({"allow": allow} if allow else {})})


async def make(
    creator: Homeserver,
    version: RoomVersion,
    *initial: StateEvent,
    creation: Content | None = None,
    power: Content | None = None,
    invite: Sequence[UserId] = (),
) -> RoomId:
    """A room made by someone, invite-only unless ``initial`` says otherwise."""
    room = NewRoom(
        "A room", version, creation=creation or {}, state=initial, power=power or {}, invite=invite
    )
    return await creator.create_room(room)


async def public(creator: Homeserver, version: RoomVersion, *members: Homeserver, **power: object) -> RoomId:
    """A public room with members in it; ``power`` overrides its first levels."""
    room = await make(creator, version, joining("public"), power=power)
    for member in members:
        await member.join(room)
    return room


async def space(creator: Homeserver, version: RoomVersion, *members: Homeserver) -> RoomId:
    """A public space with members in it."""
    room = await make(creator, version, joining("public"), creation={"type": "m.space"})
    for member in members:
        await member.join(room)
    return room


async def levels(reader: Homeserver, room: RoomId, **changes: Content | int) -> Content:
    """The levels in force with changes: tables (``users``, ``events``) are merged, single levels replaced."""
    now = dict(await reader.state_content(room, LEVELS))
    for name, change in changes.items():
        old = now.get(name)
        now[name] = {**old, **change} if isinstance(old, dict) and isinstance(change, dict) else change
    return now


async def set_levels(who: Homeserver, room: RoomId, **changes: Content | int) -> None:
    """Change the levels of a room as someone."""
    await who.send_state(room, LEVELS, "", await levels(who, room, **changes))


async def level_of(reader: Homeserver, room: RoomId, user: UserId) -> object:
    """The level that a user is listed with, ``None`` for one who is not."""
    users = (await reader.state_content(room, LEVELS)).get("users")
    return users.get(user) if isinstance(users, dict) else None


async def membership(reader: Homeserver, room: RoomId, user: UserId) -> object:
    """The membership of a user as someone in the room reads it."""
    return (await reader.state_content(room, "m.room.member", user)).get("membership")

"""The room aliases of the fake homeserver: who may add and drop them, and what a drop does to the room, as on Synapse 1.163."""

from typing import TYPE_CHECKING

from haven.errors import Invalid, Missing, Refused
from haven.ids import RoomId, UserId
from tests.fakes.homeserver_power import power
from tests.fakes.homeserver_room import Draft, Room

if TYPE_CHECKING:
    from tests.fakes.homeserver import FakeHomeserver

CANONICAL = "m.room.canonical_alias"


def of_room(server: "FakeHomeserver", room: RoomId) -> tuple[str, ...]:
    """The aliases of this server that lead to a room."""
    return tuple(alias for alias, (place, _) in server.aliases.items() if place == room)


def add(server: "FakeHomeserver", user: UserId, alias: str, room: RoomId) -> None:
    """Have an alias lead to a room: of one's own server, not taken, and by somebody who is in the room."""
    if not alias.startswith("#") or alias.partition(":")[2] != server.name:
        raise Invalid("homeserver_invalid", code="M_INVALID_PARAM")
    if not server.is_joined(room, user):
        raise Refused("homeserver_refused", code="M_FORBIDDEN")
    if alias in server.aliases:
        raise Invalid("homeserver_invalid", code="M_UNKNOWN")
    server.aliases[alias] = (room, user)


def drop(server: "FakeHomeserver", user: UserId, alias: str) -> None:
    """Have it lead nowhere: by who made it, or may say which alias is the room's. The room forgets it where they may."""
    if alias not in server.aliases:
        raise Missing("homeserver_missing", code="M_NOT_FOUND")
    place, maker = server.aliases[alias]
    room = server.rooms[place]
    may = server.is_joined(place, user) and _may_say(room, user)
    if user != maker and not may:
        raise Refused("homeserver_refused", code="M_FORBIDDEN")
    del server.aliases[alias]
    if may:
        _forget(server, room, user, alias)


def _may_say(room: Room, user: UserId) -> bool:
    return power(room).of(user) >= power(room).to_send(CANONICAL, state=True)


def _forget(server: "FakeHomeserver", room: Room, user: UserId, alias: str) -> None:
    before = room.content(CANONICAL)
    said = before.get("alt_aliases")
    others = [each for each in said if each != alias] if isinstance(said, list) else []
    after = {name: value for name, value in before.items() if name != "alt_aliases" and value != alias}
    after |= {"alt_aliases": others} if others else {}
    if after != before:
        server.put(room, Draft(user, CANONICAL, after, ""))


def unlist(server: "FakeHomeserver", user: UserId, room: RoomId) -> None:
    """Take a room out of the public directory: by who may set its canonical alias."""
    levels = power(server.entered(room))
    if not server.is_joined(room, user) or levels.of(user) < levels.to_send(CANONICAL, state=True):
        raise Refused("homeserver_refused", code="M_FORBIDDEN")
    server.directory.discard(room)

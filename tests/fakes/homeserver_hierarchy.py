"""What the fake homeserver shows of a space: its children in order, and only those the asker may see."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from haven.errors import Refused
from haven.ids import RoomId, UserId
from haven.ports import Content
from tests.fakes.homeserver_auth import KNOCKABLE, RESTRICTED, allowed_through, join_rule
from tests.fakes.homeserver_room import Event, Room

if TYPE_CHECKING:
    from tests.fakes.homeserver import FakeHomeserver

ORDER_LIMIT: Final = 50
"""Characters of an ``order`` that counts (spec: m.space.child)."""


def hierarchy(server: "FakeHomeserver", space: RoomId, user: UserId) -> tuple[RoomId, ...]:
    """The visible children of a space; `Refused` where the space itself cannot be seen."""
    room = server.rooms.get(space)
    if room is None or not _visible(server, room, user):
        raise Refused("homeserver_refused", code="M_FORBIDDEN")
    children = sorted(_children(room), key=_place)
    known = (server.rooms.get(RoomId(child.key or "")) for child in children)
    return tuple(child.id for child in known if child is not None and _visible(server, child, user))


def _children(space: Room) -> Iterator[Event]:
    if space.create.content.get("type") != "m.space":
        return
    for key in space.keys("m.space.child"):
        child = space.find("m.space.child", key)
        if child is not None and _has_via(child.content):
            yield child


def _has_via(content: Content) -> bool:
    via = content.get("via")
    return isinstance(via, list) and bool(via) and all(isinstance(server, str) for server in via)


def _visible(server: "FakeHomeserver", room: Room, user: UserId) -> bool:
    rule = join_rule(room)
    if rule == "public" or rule in KNOCKABLE or room.membership(user) in {"join", "invite"}:
        return True
    if room.content("m.room.history_visibility").get("history_visibility") == "world_readable":
        return True
    return rule in RESTRICTED and any(server.is_joined(allowed, user) for allowed in allowed_through(room))


def _place(child: Event) -> tuple[bool, str, int, str]:
    """Children with a valid ``order`` first, then the older ones (spec: ordering of children within a space)."""
    order = child.content.get("order")
    valid = (
        isinstance(order, str) and len(order) <= ORDER_LIMIT and all(" " <= letter <= "~" for letter in order)
    )
    return not valid, str(order) if valid else "", child.at, child.key or ""

"""How a space and its rooms name each other: children with their order, one canonical parent, and servers to find them by.

Source: client-server API, ``m.space.child`` and ``m.space.parent``: a child or parent without ``via`` does not count. So a room that
is out of the list for a while keeps its order and whether it is suggested.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property

from haven.ids import RoomId, UserId, server_of
from haven.model import Community, Former, Group, Kind, Visibility
from haven.ports import Content
from haven.snapshot import Membership, Room
from haven.stateevents import CHILD, PARENT

VIA_LIMIT = 3

States = dict[tuple[str, str], Content]


class Servers:
    """The servers of those joined to a room (of ``only`` these, if given); counted only when somebody must know them all.

    In a room of thousands that is much work, and that a server is still there shows at once.
    """

    def __init__(self, room: Room | None, only: frozenset[UserId] | None = None) -> None:
        self._room = room
        self._only = only

    @cached_property
    def counted(self) -> tuple[str, ...]:
        """All of them, the ones with most members first."""
        return self._room.servers(self._only) if self._room else ()

    def hold(self, stated: Sequence[object]) -> bool:
        """Whether these may stay as the servers to find the room by: each has somebody there, and there are enough of them."""
        enough = len(stated) >= VIA_LIMIT or len(stated) >= len(self.counted)
        return enough and all(self._has(server) for server in stated)

    def _has(self, server: object) -> bool:
        if self._room is None or not isinstance(server, str):
            return False
        joined, end = Membership.JOINED, f":{server}"
        return any(
            held is joined and user.endswith(end) and server_of(user) == server
            for user, held in self._room.members.items()
            if self._only is None or user in self._only
        )


def children(
    community: Community, space: Room | None, home: str, servers: Mapping[RoomId, Servers]
) -> States:
    """The ``m.space.child`` of every room. ``home``: the bot's server; ``servers``: those joined to each room.

    Places are counted without hidden rooms, so that no gap between them tells of one.
    """
    shown = [group for group in community.groups if not (_is_hidden(group) or group.released)]
    listed: States = {(CHILD, str(group.room)): {} for group in community.groups}
    for place, group in enumerate(shown):
        before = child_of(space, group.room, group.former) if space else {}
        key = (CHILD, str(group.room))
        if group.archived or community.deactivated is not None:
            listed[key] = {name: value for name, value in before.items() if name != "via"}
        else:
            via = _via(servers[group.room], before, home)
            listed[key] = {**before, "via": via, **_standing(group, place, before)}
    return listed


def child_of(space: Room, room: RoomId, former: Sequence[Former]) -> Content:
    """What a space says of a room; where it says nothing yet, what it said of the room whose place this one took."""
    stated = (space.content(CHILD, each) for each in (room, *(old.room for old in former)))
    return next((content for content in stated if content), {})


LAST = "~"
"""The order of an old room: after all others (spec: the highest character there may be)."""


def old_child(space: Room, room: RoomId, via: Sequence[str]) -> Content:
    """What a space says of an old room while it is kept: listed last, and suggested to nobody."""
    return {**space.content(CHILD, room), "via": list(via), "order": LAST, "suggested": False}


def _is_hidden(group: Group) -> bool:
    return group.kind is not Kind.ADMINS and group.visibility is Visibility.HIDDEN


def _standing(group: Group, place: int, before: Content) -> Content:
    """The order and whether it is suggested: what was said once stays."""
    known = bool(before.get("via")) or ("suggested" in before and "via" not in before)
    always = group.kind in {Kind.ANNOUNCEMENTS, Kind.GENERAL}
    return {
        "order": stated_order(before) or f"{place:04d}",
        "suggested": group.suggested or (always and not known),
    }


def stated_order(child: Content) -> str:
    """The ``order`` of a child; "" where it says none that counts (spec: ``m.space.child``, ASCII 0x20 to 0x7E, at most 50)."""
    order = child.get("order")
    counts = isinstance(order, str) and len(order) <= 50 and order.isascii() and order.isprintable()
    return str(order) if counts else ""


def parents(
    space: RoomId, room: Room | None, home: str, servers: Servers, former: Sequence[Former] = ()
) -> States:
    """The space as the one canonical parent; parents that people added stay, but are not canonical.

    ``former``: the spaces whose place this one took, which are parents no more.
    """
    before = room.content(PARENT, space) if room else {}
    ours = {**before, "via": _via(servers, before, home), "canonical": True}
    others = {event.key: event.content for event in room.keyed(PARENT)} if room else {}
    past = {str(old.room) for old in former}
    rivals = {
        key: {**said, "canonical": False}
        for key, said in others.items()
        if said.get("canonical") is True and key not in past
    }
    gone: dict[str, Content] = {key: {} for key in others if key in past}
    return {(PARENT, key): content for key, content in {**rivals, **gone, space: ours}.items()}


def _via(servers: Servers, before: Content, home: str) -> list[str]:
    """Up to three of the ``servers`` joined to a room, to find it by. What is stated stays while it is true, so that joins
    write nothing.

    The bot's own is always one of them: a restricted join can only be granted by a server with somebody who may invite.
    """
    stated = before.get("via")
    if isinstance(stated, list) and home in stated and servers.hold(stated):
        return stated
    return [home, *(server for server in servers.counted if server != home)][:VIA_LIMIT]

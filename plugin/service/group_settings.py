"""What can be set for one group, as edits of the community; its place in the list is said by the space alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from haven.errors import Invalid
from haven.hierarchy import stated_order
from haven.ids import RoomId, UserId
from haven.model import RETENTIONS, Community, Group, History, Kind, Visibility
from haven.permissions import is_secret
from haven.stateevents import CHILD
from haven.texts import checked_description, checked_name
from haven.vacancies import refuse_taken

from .communities import Communities

KEYS = ("name", "topic", "visibility", "suggested", "order", "archived", "history", "retention", "encrypted")
SWITCH = {"on": True, "off": False}
FOR_GOOD = "for-good"
"""What is typed to encrypt a group: it cannot be undone."""

CHOICES: Mapping[str, tuple[str, ...]] = {
    "visibility": tuple(Visibility),
    "suggested": tuple(SWITCH),
    "archived": tuple(SWITCH),
    "history": tuple(History),
    "retention": tuple(RETENTIONS),
    "encrypted": ("on", FOR_GOOD),
}
FIXED = {"visibility", "suggested", "archived", "encrypted"}
"""What follows from what a room is for, where it is not a group."""

LONGEST = 50
"""Characters that the order of a child may have (spec: ``m.space.child``)."""


def value_of(community: Community, group: Group, key: str) -> str:
    """What is set, as people read it; "" where there is nothing."""
    if key == "order":
        places = [each.room for each in listed(community)]
        return str(places.index(group.room) + 1) if group.room in places else ""
    value = getattr(group, key)
    if key == "retention":
        return next((word for word, after in RETENTIONS.items() if after == value), f"{value} ms")
    return ("off", "on")[value] if isinstance(value, bool) else str(value)


def with_group_setting(community: Community, room: RoomId, key: str, value: str, by: UserId) -> Community:
    """The community with one thing set for one of its rooms, as ``by`` wants it. Raises `Invalid` where it cannot be so."""
    group = community.group(room)
    if group is None or key == "order":
        return community
    if key in FIXED and group.kind is not Kind.GROUP:
        raise Invalid("group_fixed", setting=key, group=group.name)
    if key == "suggested" and not _stands(group):
        raise Invalid("group_hidden_apart", setting=key)
    if key == "name":
        refuse_taken(community, checked_name(value), by, but=room)
    return community.with_group(replace(group, **{key: _parsed(key, value)}))


def _parsed(key: str, value: str) -> Any:
    word = value.strip().lower()
    if key in CHOICES and word not in CHOICES[key]:
        raise Invalid("setting_value", setting=key, choices=", ".join(CHOICES[key]))
    if key == "retention":
        return RETENTIONS[word]
    if key in _PARSED:
        return _PARSED[key](word)
    return checked_name(value) if key == "name" else checked_description(value)


_PARSED: Mapping[str, Callable[[str], object]] = {
    "visibility": Visibility,
    "history": History,
    "suggested": SWITCH.__getitem__,
    "archived": SWITCH.__getitem__,
    "encrypted": lambda word: True,
}


def listed(community: Community) -> tuple[Group, ...]:
    """The rooms that the space lists, in their order."""
    return tuple(group for group in community.groups if _stands(group))


def _stands(group: Group) -> bool:
    return not (is_secret(group) or group.archived or group.released)


def place_wanted(community: Community, group: Group, value: str) -> int:
    """The place that a room shall have, from 0 on. Raises `Invalid`."""
    if not _stands(group):
        raise Invalid("group_hidden_apart", setting="order")
    most = len(listed(community))
    if not (value.isascii() and value.isdecimal() and 1 <= int(value[:9]) <= most):
        raise Invalid("setting_range", setting="order", low=1, high=most)
    return int(value) - 1


async def put_in_place(communities: Communities, community: Community, group: Group, place: int) -> None:
    """Give a room its place in the list: one write as a rule, all where there is no room between two. Raises as the hands."""
    space = communities.rooms.world[community.space]
    others = [each for each in listed(community) if each.room != group.room]
    rooms = [*others[:place], group, *others[place:]]
    said = {each.room: stated_order(space.content(CHILD, each.room)) for each in rooms}
    for room, order in _orders([each.room for each in rooms], group.room, said).items():
        before = communities.rooms.world[community.space].content(CHILD, room)
        await communities.loop.hands.send_state(community.space, CHILD, room, {**before, "order": order})


def _orders(rooms: Sequence[RoomId], moved: RoomId, said: Mapping[RoomId, str]) -> dict[RoomId, str]:
    """The orders to be written so that the rooms stand as they are given, ``moved`` being the only one out of its place."""
    place = rooms.index(moved)
    before = said[rooms[place - 1]] if place else ""
    after = said[rooms[place + 1]] if place + 1 < len(rooms) else "~"
    rest = [said[room] for room in rooms if room != moved]
    order = between(before, after)
    if order and all(rest) and rest == sorted(set(rest)):
        return {} if order == said[moved] else {moved: order}
    numbered = {room: f"{number:04d}" for number, room in enumerate(rooms)}
    return {room: order for room, order in numbered.items() if said[room] != order}


def between(low: str, high: str) -> str:
    """A short order that sorts after ``low`` and before ``high``; "" where we find none."""
    tries = (f"{low}{middle}" for middle in ("N", " N", "!"))
    return next((each for each in tries if low < each < high and len(each) <= LONGEST), "")

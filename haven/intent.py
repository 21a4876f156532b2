"""Reads out of the rooms which communities are meant: records, levels and links become `Community` values.

Only what we may believe counts: a room we made, or a record we wrote. Anything else that claims to belong to a community is
left alone and reported as a `Notice`; so is what is damaged.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from haven.desired import Actors
from haven.errors import HavenError
from haven.ids import RoomId, UserId
from haven.model import Community, Group, Kind, Link, Role
from haven.permissions import role_of_level
from haven.ports import Content
from haven.snapshot import Room, World, called, described
from haven.stateevents import (
    BRIDGE,
    COMMUNITY,
    GROUP,
    LINK,
    CommunityRecord,
    GroupRecord,
    LinkState,
    read_community,
    read_group,
    read_link,
    read_status,
)

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Notice:
    """Something in a room that we do not believe or cannot read. ``key`` names the sentence, ``event_type`` the event."""

    room: RoomId
    event_type: str
    key: str


@dataclass(frozen=True, slots=True)
class Intent:
    """The communities that are meant, by space, and what was left aside on the way."""

    communities: Mapping[RoomId, Community]
    notices: tuple[Notice, ...] = ()


def read_intent(world: World, actors: Actors) -> Intent:
    """All communities of the world. Never raises; what cannot be used becomes a notice."""
    reading = _Reading(world, actors)
    eldest_first = sorted(world.values(), key=lambda room: (room.made_at, room.id))
    for space in (room for room in eldest_first if room.is_space):
        reading.take_space(space)
    for room in (room for room in eldest_first if not room.is_space):
        reading.take_room(room)
    found = {
        space: _community(world[space], record, reading.groups[space])
        for space, record in reading.spaces.items()
    }
    return Intent(found, tuple(reading.notices))


@dataclass(slots=True)
class _Reading:
    """What has been read so far."""

    world: World
    actors: Actors
    spaces: dict[RoomId, CommunityRecord] = field(default_factory=dict)
    groups: dict[RoomId, list[Group]] = field(default_factory=lambda: defaultdict(list))
    notices: list[Notice] = field(default_factory=list)

    def take_space(self, space: Room) -> None:
        record = self._record(space, COMMUNITY, read_community)
        if record is not None:
            self.spaces[space.id] = record

    def take_room(self, room: Room) -> None:
        record = self._record(room, GROUP, read_group)
        if record is None:
            return
        if record.community not in self.spaces:
            self._notice(room, GROUP, "unknown_community")
        elif self._is_second(room, record):
            self._notice(room, GROUP, "second_of_its_kind")
        else:
            self.groups[record.community].append(self._group(room, record))

    def _record(self, room: Room, event_type: str, read: Callable[[Content], Record]) -> Record | None:
        event = room.state.get((event_type, ""))
        if event is None or not event.content:
            return None
        if self.actors.bot not in room.creators and event.sender != self.actors.bot:
            self._notice(room, event_type, "foreign")
            return None
        try:
            return read(event.content)
        except HavenError as error:
            self._notice(room, event_type, error.key)
            return None

    def _is_second(self, room: Room, record: GroupRecord) -> bool:
        placed = self.groups[record.community]
        same_slot = room.slot and any(other.slot == room.slot for other in placed)
        return bool(same_slot) or (
            record.kind is not Kind.GROUP and any(other.kind is record.kind for other in placed)
        )

    def _group(self, room: Room, record: GroupRecord) -> Group:
        links = self._links(room)
        return Group(
            room=room.id,
            kind=record.kind,
            name=called(room),
            slot=room.slot,
            topic=described(room),
            visibility=record.visibility,
            suggested=self.world[record.community].content("m.space.child", room.id).get("suggested") is True,
            exceptions=record.exceptions,
            links=links,
            bridged=bool(links) or _has_live_bridge(room),
        )

    def _links(self, room: Room) -> tuple[Link, ...]:
        links = []
        for event in room.keyed(LINK):
            try:
                link = read_link(event.content)
            except HavenError as error:
                self._notice(room, LINK, error.key)
                continue
            if link is not None and link.key == event.key:
                links.append(link)
        return tuple(links)

    def _notice(self, room: Room, event_type: str, key: str) -> None:
        self.notices.append(Notice(room.id, event_type, key))


def _has_live_bridge(room: Room) -> bool:
    statuses = (read_status(event.content) for event in room.keyed(BRIDGE))
    return any(status is not None and status.state is not LinkState.UNLINKED for status in statuses)


def _community(space: Room, record: CommunityRecord, groups: list[Group]) -> Community:
    return Community(
        space=space.id,
        name=called(space),
        owner=record.owner,
        slot=space.slot,
        description=described(space),
        roles=_roles(space, record.owner),
        groups=tuple(sorted(groups, key=lambda group: _place(space, group))),
        settings=record.settings,
        deactivated=record.deactivated,
    )


def _place(space: Room, group: Group) -> tuple[str, int]:
    """Groups stand as the space orders them; those it does not list come last, in the order they were made."""
    order = space.content("m.space.child", group.room).get("order")
    return (order if isinstance(order, str) else "~", list(Kind).index(group.kind))


def _roles(space: Room, owner: UserId) -> dict[UserId, Role]:
    """Who is what by the levels of the space. The creators are no people of the community: the bot, or a bot before it."""
    people = {
        user: level
        for user, level in space.power.users.items()
        if user != owner and user not in space.creators
    }
    roles = {user: role_of_level(level) for user, level in people.items()}
    return {user: role for user, role in roles.items() if role is not Role.MEMBER}

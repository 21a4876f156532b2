"""What the rooms look like: one value per room, read from its whole state, and all of them together as the world.

Reading never fails: what is missing or damaged counts as absent here, and `haven.intent` reports what it means.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import TypeAlias

from haven.errors import Invalid
from haven.ids import RoomId, RoomVersion, UserId, server_of
from haven.ports import Content, StateEvent
from haven.power import INFINITE, PowerLevels, creators_are_infinite
from haven.stateevents import COMMUNITY, GROUP, SLOT
from haven.texts import NAME_LIMIT, checked_name, readable_description


class Membership(StrEnum):
    """A person's membership. Leaving is told apart from being removed: who left on purpose is not invited again."""

    JOINED = "join"
    INVITED = "invite"
    KNOCKING = "knock"
    BANNED = "ban"
    LEFT = "leave"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Expulsion:
    """By whom somebody was banned or removed, and the reason that was given."""

    by: UserId
    reason: str = ""


PRESENT = frozenset({Membership.JOINED, Membership.INVITED})


@dataclass(frozen=True, slots=True)
class Room:
    """One room as it is. ``state`` holds everything but memberships, by type and state key.

    ``expulsions``: of those who are banned or were removed, as far as it is known.
    """

    id: RoomId
    state: Mapping[tuple[str, str], StateEvent] = field(default_factory=dict)
    members: Mapping[UserId, Membership] = field(default_factory=dict)
    expulsions: Mapping[UserId, Expulsion] = field(default_factory=dict)

    def content(self, event_type: str, key: str = "") -> Content:
        """The content of a state event; empty where there is none."""
        event = self.state.get((event_type, key))
        return {} if event is None else event.content

    def keyed(self, event_type: str) -> tuple[StateEvent, ...]:
        """All state events of a type, sorted by state key."""
        return tuple(self.state[place] for place in sorted(self.state) if place[0] == event_type)

    def text(self, event_type: str, field_name: str) -> str:
        """A text field of a state event with an empty key; "" where absent or not a text."""
        value = self.content(event_type).get(field_name)
        return value if isinstance(value, str) else ""

    @property
    def version(self) -> RoomVersion:
        """The room version; rooms that do not say are of version 1 (spec: ``m.room.create``)."""
        return RoomVersion(self.text("m.room.create", "room_version") or "1")

    @property
    def is_space(self) -> bool:
        """Whether this is a space."""
        return self.text("m.room.create", "type") == "m.space"

    @property
    def maker(self) -> UserId | None:
        """Who made the room: the sender of its create event. In version 12 a stranger can name us as a creator, not as this."""
        event = self.state.get(("m.room.create", ""))
        return event.sender if event else None

    @property
    def creators(self) -> frozenset[UserId]:
        """Who made the room: the sender of its create event, and the additional creators of version 12 (MSC4289)."""
        event = self.state.get(("m.room.create", ""))
        if event is None:
            return frozenset()
        more = event.content.get("additional_creators") if creators_are_infinite(self.version) else None
        listed = more if isinstance(more, list) else []
        return frozenset({event.sender, *(UserId(user) for user in listed if isinstance(user, str))})

    @property
    def infinite(self) -> frozenset[UserId]:
        """Those whose power is infinite: the creators from version 12 on, nobody before."""
        return self.creators if creators_are_infinite(self.version) else frozenset()

    @property
    def power(self) -> PowerLevels:
        """The power levels of the room."""
        return PowerLevels.parse(self.content("m.room.power_levels"))

    def power_of(self, user: UserId) -> float:
        """The level of a user. Without a power levels event the creator has 100 (before version 12) and others 0."""
        if ("m.room.power_levels", "") not in self.state and user in self.creators:
            return INFINITE if user in self.infinite else 100
        return self.power.of(user, self.infinite)

    @property
    def name(self) -> str:
        """What ``m.room.name`` says, trimmed."""
        return self.text("m.room.name", "name").strip()

    @property
    def topic(self) -> str:
        """What ``m.room.topic`` says, trimmed."""
        return self.text("m.room.topic", "topic").strip()

    @property
    def slot(self) -> str:
        """Which room of which founding this is; "" for rooms that we did not make."""
        return self.text("m.room.create", SLOT)

    @property
    def age(self) -> tuple[int, RoomId]:
        """What sorts rooms from the eldest on."""
        return self.made_at, self.id

    @property
    def made_at(self) -> int:
        """When the room was made, in ms since the epoch, as its server says."""
        event = self.state.get(("m.room.create", ""))
        return event.at if event else 0

    def with_membership(self, *memberships: Membership) -> frozenset[UserId]:
        """Everybody of these memberships."""
        return frozenset(user for user, held in self.members.items() if held in memberships)

    def servers(self, only: frozenset[UserId] | None = None) -> tuple[str, ...]:
        """The servers of those joined (of ``only`` these, if given), the ones with most members first."""
        joined = self.with_membership(Membership.JOINED)
        counted = Counter(server_of(user) for user in (joined if only is None else joined & only))
        return tuple(sorted(counted, key=lambda server: (-counted[server], server)))

    def changed(self, event: StateEvent) -> "Room":
        """The same room after one more state event."""
        if event.type == "m.room.member":
            return self._with_member(event)
        return replace(self, state={**self.state, (event.type, event.key): event})

    def _with_member(self, event: StateEvent) -> "Room":
        user, membership = UserId(event.key), _membership(event)
        members, expulsions = {**self.members, user: membership}, self.expulsions
        if user in expulsions or membership in _EXPELLED:
            others = {person: how for person, how in expulsions.items() if person != user}
            expulsions = {**others, user: _expulsion(event)} if membership in _EXPELLED else others
        return replace(self, members=members, expulsions=expulsions)


def called(room: Room) -> str:
    """What a room is called. Where the name set by hand breaks our rules, what its record says, or else its id."""
    for name in (room.name, room.text(COMMUNITY, "name"), room.id[:NAME_LIMIT]):
        with suppress(Invalid):
            return checked_name(name)
    return "?"


def described(room: Room) -> str:
    """The topic of a room as far as our rules allow: no control characters, at most 2,048 long."""
    return readable_description(room.topic)


World: TypeAlias = Mapping[RoomId, Room]
"""Every room the bot is joined to, by id."""


class Census(Mapping[RoomId, Room]):
    """A world that knows which rooms belong together, without walking through all of them each time it is asked.

    Each index is made when it is first asked for, so one census serves as many plans as the world stays the same.
    """

    def __init__(self, rooms: World) -> None:
        self._rooms = rooms

    def __getitem__(self, room: RoomId) -> Room:
        return self._rooms[room]

    def __iter__(self) -> Iterator[RoomId]:
        return iter(self._rooms)

    def __len__(self) -> int:
        return len(self._rooms)

    @cached_property
    def by_slot(self) -> Mapping[str, tuple[Room, ...]]:
        """The rooms of each slot, the eldest first."""
        return _grouped((room.slot, room) for room in self._rooms.values())

    @cached_property
    def by_claim(self) -> Mapping[str, tuple[Room, ...]]:
        """The rooms whose record names a space, by that space, the eldest first. A claim need not be true."""
        return _grouped((room.text(GROUP, "community"), room) for room in self._rooms.values())


def _grouped(pairs: Iterable[tuple[str, Room]]) -> Mapping[str, tuple[Room, ...]]:
    groups: dict[str, list[Room]] = defaultdict(list)
    for key, room in pairs:
        if key:
            groups[key].append(room)
    return {key: tuple(sorted(rooms, key=lambda room: room.age)) for key, rooms in groups.items()}


def census(world: World) -> Census:
    """The world with its indexes; itself where it has them already."""
    return world if isinstance(world, Census) else Census(world)


def room_of(room: RoomId, events: Iterable[StateEvent]) -> Room:
    """A room from its whole state."""
    state: dict[tuple[str, str], StateEvent] = {}
    members: dict[UserId, Membership] = {}
    expulsions: dict[UserId, Expulsion] = {}
    for event in events:
        if event.type == "m.room.member":
            user = UserId(event.key)
            members[user] = _membership(event)
            if members[user] in _EXPELLED:
                expulsions[user] = _expulsion(event)
        else:
            state[event.type, event.key] = event
    return Room(room, state, members, expulsions)


def _membership(event: StateEvent) -> Membership:
    said = event.content.get("membership")
    if said == "leave":
        return Membership.LEFT if event.sender == event.key else Membership.REMOVED
    return Membership(said) if isinstance(said, str) and said in _KNOWN else Membership.REMOVED


def _expulsion(event: StateEvent) -> Expulsion:
    reason = event.content.get("reason")
    return Expulsion(event.sender, reason if isinstance(reason, str) else "")


_EXPELLED = frozenset({Membership.BANNED, Membership.REMOVED})
_KNOWN = frozenset(Membership) - {"leave", "removed"}

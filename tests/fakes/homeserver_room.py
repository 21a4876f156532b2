"""One room of the fake homeserver: its events in order, and the state they make. Knows no rules: those are next door."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from haven.ids import EventId, RoomId, RoomVersion, UserId, server_of
from haven.ports import NO_EVENT, Content, StateEvent

ABSENT: Final[Content] = {}
"""The content of state that is not there."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event as the server keeps it. ``key`` is ``None`` for what is no state."""

    id: EventId
    room: RoomId
    type: str
    sender: UserId
    content: Content
    at: int
    key: str | None = None
    redacts: EventId = NO_EVENT

    def as_state(self) -> StateEvent:
        """The event in the words of the ports."""
        return StateEvent(self.type, self.key or "", self.sender, copied(self.content), self.id, self.at)


@dataclass(frozen=True, slots=True)
class Draft:
    """An event that somebody wants to send and that no rule has been asked about."""

    sender: UserId
    type: str
    content: Content
    key: str | None = None
    redacts: EventId = NO_EVENT


State = Mapping[tuple[str, str], EventId]


@dataclass
class Room:
    """A room: ``events`` in the order they came, ``state`` pointing at those in force."""

    id: RoomId
    version: RoomVersion
    events: dict[EventId, Event] = field(default_factory=dict)
    state: dict[tuple[str, str], EventId] = field(default_factory=dict)
    departed: dict[UserId, State] = field(default_factory=dict)
    """The state as those saw it last who left, or were refused, and may still look back."""

    @property
    def create(self) -> Event:
        """The event that founded the room."""
        return self.events[self.state["m.room.create", ""]]

    @property
    def timeline(self) -> tuple[Event, ...]:
        """All events, oldest first."""
        return tuple(self.events.values())

    def find(self, event_type: str, key: str = "") -> Event | None:
        """The state event in force, if there is one."""
        event = self.state.get((event_type, key))
        return None if event is None else self.events[event]

    def content(self, event_type: str, key: str = "") -> Content:
        """The content of the state in force; empty where there is none."""
        found = self.find(event_type, key)
        return ABSENT if found is None else found.content

    def membership(self, user: UserId) -> str:
        """``join``, ``invite``, ``knock``, ``leave``, ``ban``, or "" for one who never was here."""
        return str(self.content("m.room.member", user).get("membership", ""))

    def members(self, membership: str = "join") -> tuple[UserId, ...]:
        """The users of that membership, in the order of their last change."""
        return tuple(UserId(key) for key, event in self._of_type("m.room.member") if _is(event, membership))

    def servers(self) -> frozenset[str]:
        """The servers with a joined user: those that know the room."""
        return frozenset(server_of(user) for user in self.members())

    def keys(self, event_type: str) -> tuple[str, ...]:
        """The state keys there are of a type."""
        return tuple(key for key, _ in self._of_type(event_type))

    def append(self, event: Event) -> None:
        """Take an event in, whatever it says."""
        self.events[event.id] = event
        if event.key is None:
            return
        self.state.pop((event.type, event.key), None)
        self.state[event.type, event.key] = event.id
        if event.type == "m.room.member":
            user = UserId(event.key)
            self.departed.pop(user, None)
            if _is(event, "leave"):
                self.departed[user] = dict(self.state)

    def _of_type(self, event_type: str) -> Iterator[tuple[str, Event]]:
        return ((key, self.events[event]) for (kind, key), event in self.state.items() if kind == event_type)


def copied(content: Content) -> dict[str, object]:
    """The same JSON, sharing nothing: what callers do to their copy does not change a room."""
    return cast(dict[str, object], json.loads(json.dumps(content)))


def _is(event: Event, membership: str) -> bool:
    return event.content.get("membership") == membership

"""Power levels as the fake homeserver enforces them (spec: room versions 10 to 12, authorization rules; MSC4289)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from haven.errors import Invalid, Refused
from haven.ids import UserId
from haven.ports import Content
from tests.fakes.homeserver_room import Draft, Room

INFINITE: Final = 2**53
"""The power of a creator in version 12: more than any level that an event can hold."""

DEFAULTS: Final = {"invite": 0, "kick": 50, "ban": 50, "redact": 50, "users_default": 0, "events_default": 0}
LEVELS: Final = ("users_default", "events_default", "state_default", "ban", "redact", "kick", "invite")
TABLES: Final = ("users", "events", "notifications")


@dataclass(frozen=True, slots=True)
class Power:
    """Who may do what in a room, as its state says now."""

    content: Content
    creators: frozenset[str]

    def of(self, user: UserId) -> int:
        """The level of a user; in version 12 creators stand above all levels."""
        if user in self.creators:
            return INFINITE
        return table(self.content, "users").get(user, self.named("users_default"))

    def named(self, name: str) -> int:
        """One of the single levels: ``invite``, ``kick``, ``ban``, ``redact``, ``users_default``, ``events_default``."""
        level = self.content.get(name)
        return level if isinstance(level, int) else DEFAULTS[name]

    def to_send(self, event_type: str, *, state: bool) -> int:
        """The level that sending an event of the type takes."""
        level = self.content.get("state_default", 50) if state else self.named("events_default")
        return table(self.content, "events").get(event_type, level if isinstance(level, int) else 50)


def power(room: Room) -> Power:
    """The power levels in force. A room without any gives its creator 100 (before version 12)."""
    found = room.find("m.room.power_levels")
    creators = creators_of(room)
    if found is None and not creators:
        return Power({"users": {room.create.sender: 100}}, creators)
    return Power(found.content if found else {}, creators)


def creators_of(room: Room) -> frozenset[str]:
    """Those whose power is infinite: nobody before version 12."""
    if room.version in {"10", "11"}:
        return frozenset()
    more = room.create.content.get("additional_creators", [])
    return frozenset({room.create.sender, *(more if isinstance(more, list) else ())})


def check_new_levels(room: Room, draft: Draft) -> None:
    """Raise where a power levels event may not follow the one in force.

    A creator in ``users`` is what Synapse 1.163 answers with 400, not 403 (measured).
    """
    if any(not user.startswith("@") or ":" not in user for user in table(draft.content, "users")):
        raise Invalid("homeserver_invalid", code="M_UNKNOWN")
    if creators_of(room) & table(draft.content, "users").keys():
        raise Invalid("homeserver_invalid", code="M_UNKNOWN")
    current = room.find(draft.type, draft.key or "")
    if current is None:
        return
    own = power(room).of(draft.sender)
    for where, name, old, new in _differences(current.content, draft.content):
        others = where == "users" and name != draft.sender
        if (others and old == own) or max(old or 0, new or 0) > own:
            raise Refused("homeserver_refused", code="M_FORBIDDEN")


def table(content: Content, name: str) -> Mapping[str, int]:
    """One of the tables of a power levels event, empty where it is missing."""
    found = content.get(name)
    return found if isinstance(found, Mapping) else {}


def _differences(old: Content, new: Content) -> Iterator[tuple[str, str, int | None, int | None]]:
    """Where, which, and the levels before and after, ``None`` for one that is not said."""
    for name in LEVELS:
        before, after = old.get(name), new.get(name)
        if before != after:
            yield "", name, _level(before), _level(after)
    for where in TABLES:
        was, will = table(old, where), table(new, where)
        for name in sorted(was.keys() | will.keys()):
            if was.get(name) != will.get(name):
                yield where, name, was.get(name), will.get(name)


def _level(raw: object) -> int | None:
    return raw if isinstance(raw, int) else None

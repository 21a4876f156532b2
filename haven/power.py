"""The content of ``m.room.power_levels`` as a value, and who outranks whom by it.

Source: client-server API, ``m.room.power_levels``; authorization rules of room versions 10 to 12. From version 12 on
(MSC4289) the creators of a room have infinite power, must not be listed, and cannot be lowered.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace

from haven.ids import RoomVersion, UserId
from haven.ports import Content

INFINITE = math.inf
"""The power of a creator in version 12 and later."""


def creators_are_infinite(version: RoomVersion) -> bool:
    """Whether creators of a room of that version have infinite power (version 12 and later)."""
    return version.isdecimal() and int(version) >= 12


def _level(value: object, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _levels(value: object) -> dict[str, int]:
    if not isinstance(value, Mapping):
        return {}
    return {
        str(key): level
        for key, level in value.items()
        if isinstance(level, int) and not isinstance(level, bool)
    }


@dataclass(frozen=True, slots=True)
class PowerLevels:
    """Who may do what in a room. Defaults are those of the specification for an event that leaves them out.

    ``extra`` keeps the fields we do not know (``notifications`` and what is to come).
    """

    users: Mapping[UserId, int] = field(default_factory=dict)
    users_default: int = 0
    events: Mapping[str, int] = field(default_factory=dict)
    events_default: int = 0
    state_default: int = 50
    invite: int = 0
    kick: int = 50
    ban: int = 50
    redact: int = 50
    extra: Content = field(default_factory=dict)

    @classmethod
    def parse(cls, content: Content) -> "PowerLevels":
        """Read the content of an event; what is not a whole number counts as left out."""
        plain = cls()
        numbers = {name: _level(content.get(name), getattr(plain, name)) for name in _NUMBERS}
        known = {*_NUMBERS, "users", "events"}
        return replace(
            plain,
            users={UserId(user): level for user, level in _levels(content.get("users")).items()},
            events=_levels(content.get("events")),
            extra={name: value for name, value in content.items() if name not in known},
            **numbers,
        )

    def content(self) -> Content:
        """The content of an event that says the same, with every field spelled out."""
        numbers = {name: getattr(self, name) for name in _NUMBERS}
        return {**self.extra, **numbers, "users": dict(self.users), "events": dict(self.events)}

    def of(self, user: UserId, infinite: Collection[UserId] = ()) -> float:
        """The level of a user; `INFINITE` for those in ``infinite``."""
        return INFINITE if user in infinite else self.users.get(user, self.users_default)

    def for_state(self, event_type: str) -> int:
        """The level needed to send state of that type."""
        return self.events.get(event_type, self.state_default)

    def for_message(self, event_type: str) -> int:
        """The level needed to send a message event of that type."""
        return self.events.get(event_type, self.events_default)


_NUMBERS = tuple(f.name for f in fields(PowerLevels) if f.name not in {"users", "events", "extra"})


def step_needed(before: PowerLevels, after: PowerLevels, own: UserId) -> int:
    """The level that ``own`` needs to replace ``before`` by ``after``: all that it changes must be within its reach.

    Source: authorization rules, ``m.room.power_levels``: nobody takes or gives more than they have, nor touches their equals.
    """
    numbers = [(getattr(before, name), getattr(after, name)) for name in _NUMBERS]
    events = [(before.events.get(kind), after.events.get(kind)) for kind in {*before.events, *after.events}]
    people = [(before.users.get(u), after.users.get(u), u) for u in {*before.users, *after.users}]
    users = [(old if old is None or u == own else old + 1, new) for old, new, u in people if old != new]
    changed = [pair for pair in (*numbers, *events) if pair[0] != pair[1]]
    return max((level for pair in (*changed, *users) for level in pair if level is not None), default=0)

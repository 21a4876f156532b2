"""The verbs: everything that Haven does to rooms, each able to describe itself in one line.

A description is a key of the catalogues (``change.<key>``) with its values; faces turn it into words.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from haven.ids import RoomId, UserId
from haven.ports import Content, NewRoom

Line: TypeAlias = tuple[str, Mapping[str, str | int]]
"""The key of a phrase and the values that fill it."""


@dataclass(frozen=True, slots=True)
class CreateRoom:
    """Make a room. ``room`` is its placeholder until then."""

    room: RoomId
    new: NewRoom

    def line(self) -> Line:
        """One line for people."""
        return "change.create", {"room": self.new.name}


@dataclass(frozen=True, slots=True)
class SetState:
    """Replace one state event. ``name`` is what the room is called; ``detail`` says what differs, where that is readable.

    ``last``: it says that all the rest is done, and is only written when it is.
    """

    room: RoomId
    name: str
    type: str
    key: str
    content: Content
    detail: str = ""
    last: bool = False

    def line(self) -> Line:
        """One line for people."""
        return _STATE_LINES.get(self.type, "change.state"), {
            "room": self.name,
            "type": self.type,
            "detail": self.detail,
        }


_STATE_LINES: Mapping[str, str] = {
    "m.room.power_levels": "change.power",
    "m.room.join_rules": "change.join_rule",
    "m.room.name": "change.name",
    "m.room.topic": "change.topic",
    "m.space.child": "change.child",
    "m.space.parent": "change.parent",
    "chat.haven.community": "change.record",
    "chat.haven.group": "change.record",
}


@dataclass(frozen=True, slots=True)
class _AboutSomebody:
    """What is done about a person in a room. ``name`` is what the room is called."""

    phrase: ClassVar[str]
    room: RoomId
    name: str
    user: UserId

    def line(self) -> Line:
        """One line for people."""
        return self.phrase, {"room": self.name, "user": self.user}


@dataclass(frozen=True, slots=True)
class Invite(_AboutSomebody):
    """Invite a person to a room."""

    phrase = "change.invite"


@dataclass(frozen=True, slots=True)
class Unban(_AboutSomebody):
    """Lift a ban."""

    phrase = "change.unban"


@dataclass(frozen=True, slots=True)
class _PuttingOut(_AboutSomebody):
    """What puts a person out of a room, with the ``reason`` that they are told.

    ``decided``: it was them or somebody with the power to who decided it, and the space says so already; this only follows.
    """

    reason: str = ""
    decided: bool = False


@dataclass(frozen=True, slots=True)
class Remove(_PuttingOut):
    """Remove a person from a room."""

    phrase = "change.remove"


@dataclass(frozen=True, slots=True)
class Ban(_PuttingOut):
    """Ban a person from a room, also one who never was in it."""

    phrase = "change.ban"


@dataclass(frozen=True, slots=True)
class Abandon:
    """Leave a room that an interrupted founding made twice and in which nobody is."""

    room: RoomId
    name: str

    def line(self) -> Line:
        """One line for people."""
        return "change.abandon", {"room": self.name}


Change: TypeAlias = CreateRoom | SetState | Invite | Remove | Ban | Unban | Abandon
REMOVALS = (Remove, Ban, Abandon)
"""Changes that take something away from somebody: they come last, and what nobody has decided yet is counted."""

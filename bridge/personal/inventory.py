"""Every column of the bridge's database: whether somebody may stand in it, and what becomes of that when they are erased.

The one place that says so. A test compares it with the schema and with what is remembered by name: whoever adds a column says here what
it holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto


class Erased(Enum):
    """What becomes of somebody's data in a table when they are erased."""

    NOTHING = auto()
    """There is nothing of anybody."""

    FORGOTTEN = auto()
    """The rows are deleted."""

    NAMELESS = auto()
    """The rows stay, and name nobody any more."""

    WORK = auto()
    """Work under way: what they said and is not done yet is deleted; in what others said they are not named any more."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table. ``people``: the columns in which somebody may stand, as an id or in a text; ``others``: those about nobody."""

    name: str
    erased: Erased
    people: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def columns(self) -> frozenset[str]:
        """All of them."""
        return frozenset((*self.people, *self.others))


INBOX = Table(
    "inbox",
    Erased.WORK,
    people=("payload", "source"),
    others=("seq", "lane", "arrived", "tries", "claimed", "aside"),
)
"""``source`` names the event: with the item it goes."""

MESSAGE_MAP = Table(
    "message_map",
    Erased.FORGOTTEN,
    people=("sender", "message"),
    others=("network", "chat", "part", "room", "event", "at"),
)
"""A reaction has no id of its own on most networks: its name in ``message`` holds who reacted, who is also the ``sender``."""

PERSON = Table(
    "person", Erased.FORGOTTEN, people=("ghost", "remote", "name", "picture", "avatar"), others=("network",)
)
STANDING = Table(
    "standing", Erased.FORGOTTEN, people=("remote", "value"), others=("network", "chat", "room", "about")
)
MARK = Table("mark", Erased.FORGOTTEN, people=("source",), others=("lane", "room", "event", "at"))
"""The mark at a message that could not be carried: found by what was said, in the inbox."""
EXPIRING = Table("expiring", Erased.NAMELESS, people=("sender",), others=("room", "event", "due"))
"""What is to disappear still does: taken back by the bridge itself."""

TABLES = (
    INBOX,
    MESSAGE_MAP,
    PERSON,
    STANDING,
    MARK,
    EXPIRING,
    # Ids of events, with nobody's name at them; for eight days.
    Table("seen", Erased.NOTHING, others=("source", "at")),
    Table("place", Erased.NOTHING, others=("network", "chat", "message", "at")),
    Table("file", Erased.NOTHING, others=("key", "place", "at")),
    Table("card", Erased.NOTHING, others=("lane", "room", "event", "at")),
    Table("memory", Erased.NOTHING, others=("key", "value")),
)

MEMORIES: Mapping[str, Erased] = {
    "topic": Erased.NOTHING,
    "timer": Erased.NOTHING,
    "agreed": Erased.NOTHING,
}
"""What is remembered by name, by the first word of that name."""

JOBS: Mapping[str, Erased] = {
    "network": Erased.WORK,
    "matrix": Erased.WORK,
    "report": Erased.WORK,
    "redo": Erased.WORK,
    "redone": Erased.NOTHING,
    "ring": Erased.NOTHING,
    "room": Erased.NOTHING,
}
"""Kinds of items in the inbox, by what stands under ``to``."""

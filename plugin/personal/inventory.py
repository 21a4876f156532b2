"""Every column of the plugin's database: whether somebody may stand in it, and what becomes of that when they have it erased.

The one place that says so. A test compares it with the schema, the cards, the timers and what is remembered by name: whoever adds one
says here what it holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto


class Erased(Enum):
    """What becomes of somebody's data in a table when they have it erased."""

    NOTHING = auto()
    """There is nothing of anybody."""

    FORGOTTEN = auto()
    """The rows are deleted."""

    NAMELESS = auto()
    """The rows stay, and say of nobody in particular what they say."""

    PASSING = auto()
    """It is work under way, which is forgotten by itself as soon as it is done."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table. ``key``: what a row is found by; ``people``: the columns in which somebody may stand, as an id or in a text;
    ``others``: the columns about nobody; ``json``: which of the first are JSON; ``times``: which of the second are ms since the
    epoch; ``withheld``: what is of no use to the person and not theirs.
    """

    name: str
    key: tuple[str, ...]
    erased: Erased
    people: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    json: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()

    @property
    def columns(self) -> frozenset[str]:
        """All of them."""
        return frozenset((*self.people, *self.others))


JOB = Table(
    "job",
    ("id",),
    Erased.PASSING,
    people=("work",),
    others=("id", "room", "language", "message", "made", "done"),
    json=("work",),
    times=("made", "done"),
    withheld=("id", "room", "message"),
)
BEGUN_ROOM = Table("begun_room", ("slot",), Erased.PASSING, people=("invite",), others=("slot",))
HEARD = Table(
    "heard",
    ("event",),
    Erased.PASSING,
    people=("message",),
    others=("event", "at", "tries"),
    json=("message",),
    times=("at",),
    withheld=("tries",),
)
CARD = Table(
    "card",
    ("id",),
    Erased.NAMELESS,
    people=("about", "payload"),
    others=("id", "kind", "space", "room", "event", "expires", "decided", "made"),
    json=("payload",),
    times=("expires", "made"),
    withheld=("about", "room", "event"),
)
TIMER = Table(
    "timer",
    ("kind", "name"),
    Erased.PASSING,
    people=("name", "payload"),
    others=("kind", "at"),
    json=("payload",),
    times=("at",),
)
DEED = Table(
    "deed",
    ("id",),
    Erased.NAMELESS,
    people=("id", "who", "details", "why", "told"),
    others=("space", "what", "door", "at"),
    json=("details",),
    times=("at",),
    withheld=("id", "told"),
)
HELD = Table("held", ("space", "who"), Erased.FORGOTTEN, people=("who",), others=("space", "role"))
INVITE = Table(
    "invite",
    ("id",),
    Erased.NAMELESS,
    people=("name", "made_by"),
    others=("id", "space", "made", "uses", "expires", "approval", "revoked"),
    times=("made", "expires", "revoked"),
)
REDEMPTION = Table(
    "redemption",
    ("invite", "who"),
    Erased.NAMELESS,
    people=("who",),
    others=("invite", "at"),
    times=("at",),
)
ARRIVAL = Table(
    "arrival",
    ("space", "who"),
    Erased.FORGOTTEN,
    people=("who",),
    others=("space", "came", "greeted", "gone", "own"),
    times=("came", "greeted", "gone"),
)

TABLES = (
    JOB,
    BEGUN_ROOM,
    Table("concern", ("space", "said"), Erased.NOTHING, others=("space", "said")),
    HEARD,
    CARD,
    TIMER,
    DEED,
    HELD,
    INVITE,
    Table("invite_code", ("digest",), Erased.NOTHING, others=("digest", "invite")),
    REDEMPTION,
    ARRIVAL,
    Table("memory", ("name",), Erased.NOTHING, others=("name", "value")),
)


class Theirs(Enum):
    """Whose affair an open card is when the person erases their data."""

    TAKEN_BACK = auto()
    """Theirs: what they asked for is asked for no more."""

    STAYS = auto()
    """The admins': it stays until it is decided, and is forgotten then."""


CARDS: Mapping[str, Theirs] = {
    "knock": Theirs.TAKEN_BACK,
    "suggestion": Theirs.TAKEN_BACK,
    "adoption": Theirs.TAKEN_BACK,
    "transfer": Theirs.TAKEN_BACK,
    "report": Theirs.STAYS,
    "expulsion": Theirs.STAYS,
    "listed": Theirs.STAYS,
    "mending": Theirs.STAYS,
    "upgrade": Theirs.STAYS,
    "wish": Theirs.STAYS,
}
"""The open cards by kind. Of one that is decided nothing is kept but what it was about."""

OWN_KEYS = ("who", "heir")
"""Under which names in the payload of a card the person stands whose affair it is."""

TIMERS: Mapping[str, Erased] = {
    "reminder": Erased.FORGOTTEN,
    "card": Erased.NOTHING,
    "steps": Erased.NOTHING,
    "wave": Erased.NOTHING,
    "scrub": Erased.NOTHING,
    "mute": Erased.PASSING,
    "report": Erased.PASSING,
    "request_word": Erased.PASSING,
    "stray": Erased.PASSING,
    "listed": Erased.PASSING,
    "expel": Erased.PASSING,
    "mending": Erased.PASSING,
    "banlists": Erased.NOTHING,
    "follow": Erased.NOTHING,
}
"""The timers by kind. Those of mutes last as long as the mutes, which stand in the space; the other passing ones for half a minute."""

MEMORIES: Mapping[str, Erased] = {
    "sync": Erased.NOTHING,
    "disappear": Erased.NOTHING,
    "reports": Erased.NOTHING,
    "reporters": Erased.NOTHING,
    "reminded": Erased.NOTHING,
    "aliases": Erased.NOTHING,
    "wave": Erased.NOTHING,
}
"""What is remembered by a name, by the first word of that name."""

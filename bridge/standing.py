"""Who may do what, and who is banned, on both sides of a link: compared with what both last agreed on, decided here, done elsewhere.

Everything is decided before anything is done. What takes something away comes last, and beyond a bound it is not done at all: a
network that suddenly says that nobody is anything has more likely stumbled than changed its mind.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from haven.ids import RemoteUserId
from haven.lent import ROLE_THERE
from haven.merge import merge
from haven.model import Kind
from haven.permissions import LEVELS

from .networks.events import Role


class About(StrEnum):
    """What is compared of a person."""

    ROLE = "role"
    BAN = "ban"
    OUT = "out"
    """By which event somebody was put out of the room, so that they are put out of the chat for it once. Never merged."""


BANNED = "yes"
"""The value under `About.BAN`; under `About.ROLE` it is a `Role`."""

Key: TypeAlias = tuple[str, RemoteUserId]
"""What about, and whom; the first is an `About`, as text since it may come from the database."""
Standing: TypeAlias = Mapping[Key, str]
"""What is so on one side, or was agreed. Who is an ordinary member, or not banned, does not stand in it."""

MOST = 10
"""From how many people one look may take something away."""
FEW = 3
"""How many may be all there were: beyond, a side that says "nothing" is not believed."""


@dataclass(frozen=True, slots=True)
class Rank:
    """What a role on a network is worth here. ``level``: what it gives; ``least``: from which level on somebody is that."""

    role: Role
    level: int
    least: int


def _given(kind: Kind) -> int:
    return LEVELS[ROLE_THERE[kind]]


RANKS: Mapping[Kind | None, tuple[Rank, ...]] = {
    None: (Rank(Role.OPERATOR, 50, 50),),
    Kind.GROUP: (Rank(Role.OPERATOR, _given(Kind.GROUP), 50),),
    Kind.GENERAL: (Rank(Role.OPERATOR, _given(Kind.GENERAL), 50),),
    Kind.ANNOUNCEMENTS: (
        Rank(Role.OPERATOR, _given(Kind.ANNOUNCEMENTS), 90),
        Rank(Role.VOICED, _given(Kind.ANNOUNCEMENTS), 70),
    ),
}
"""Roles and power levels, highest first, by the kind of room; ``None``: a room of no community."""


def level_of(role: Role, ranks: Iterable[Rank]) -> int:
    """The level that a role gives."""
    return next((rank.level for rank in ranks if rank.role is role), 0)


def role_of(level: float, ranks: Iterable[Rank]) -> Role:
    """The role that a level stands for."""
    return next((rank.role for rank in ranks if level >= rank.least), Role.MEMBER)


def told_apart(role: Role, ranks: Iterable[Rank]) -> Role:
    """The role as far as levels can say it: where two give the same level, they are one."""
    ranks = tuple(ranks)
    return role_of(level_of(role, ranks), ranks)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to do on one side; ``value`` is ``None`` where it is taken away."""

    about: str
    person: RemoteUserId
    value: str | None

    @property
    def key(self) -> Key:
        """Where it stands in a `Standing`."""
        return self.about, self.person


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do: ``here`` in the room, ``there`` in the chat, those that take away last. ``agreed``: what both sides hold already.

    ``conflicts``: both changed, otherwise; nobody is overwritten. ``held_back``: how many things were not taken away, as too many.
    """

    here: tuple[Change, ...]
    there: tuple[Change, ...]
    agreed: Standing
    conflicts: frozenset[Key]
    held_back: int = 0


def decide(here: Standing, there: Standing, agreed: Standing, most: int = MOST) -> Decision:
    """Compare the two sides. A change is agreed on only once it has been made, by whoever makes it."""
    merged = merge(here, there, agreed)
    changes = {*merged.bring_here, *merged.bring_there}
    settled = {key: value for key, value in merged.agreed.items() if key not in changes}
    still = {key: agreed[key] for key in changes if key in agreed}
    to_here, held_here = _bounded(merged.bring_here, empty=not there, most=most)
    to_there, held_there = _bounded(merged.bring_there, empty=not here, most=most)
    return Decision(to_here, to_there, settled | still, merged.conflicts, held_here + held_there)


def _bounded(wanted: Mapping[Key, str | None], *, empty: bool, most: int) -> tuple[tuple[Change, ...], int]:
    """The changes in order, without those that take away where they are too many; and how many were too many."""
    gone = [Change(*key, None) for key, value in wanted.items() if value is None]
    new = [Change(*key, value) for key, value in wanted.items() if value is not None]
    bound = min(FEW, most) if empty else most
    return (tuple(new), len(gone)) if len(gone) > bound else ((*new, *gone), 0)


def left_out(
    inside: frozenset[RemoteUserId], listed: frozenset[RemoteUserId], most: int = MOST
) -> frozenset[RemoteUserId] | None:
    """Who is in the room and not in the chat any more; ``None`` where a list without so many of them is not to be believed."""
    gone = inside - listed
    if not gone:
        return gone
    unlikely = not listed or (len(gone) > most and len(gone) * 2 > len(inside))
    return None if unlikely else gone

"""Three-way merge: what two sides may both change is compared with what both last agreed on.

::

    here        there       agreed      verdict
    ----------  ----------  ----------  --------------------------------
    same as there                       agree on it
    as agreed   changed                 bring it here
    changed     as agreed               bring it there
    changed     changed otherwise       conflict: nobody is overwritten

"Absent" is a value like any other, so additions and removals are changes too. Nothing is lost: a conflict leaves both
sides and the agreement as they are, until a person decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeAlias, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Verdict(Enum):
    """What to do about one thing that both sides may change."""

    AGREE = "agree"
    BRING_HERE = "bring_here"
    BRING_THERE = "bring_there"
    CONFLICT = "conflict"


def verdict(here: object, there: object, agreed: object) -> Verdict:
    """The decision table, for one value. ``None`` stands for "absent"."""
    if here == there:
        return Verdict.AGREE
    if here == agreed:
        return Verdict.BRING_HERE
    if there == agreed:
        return Verdict.BRING_THERE
    return Verdict.CONFLICT


Ends: TypeAlias = tuple[str, str]
"""How one thing was seen at both ends, ours first."""

CUT = 80
"""Characters from which on the beginning of a text counts as the text: networks cut long ones."""


def verdict_of_ends(here: str, there: str, seen: Ends | None) -> Verdict:
    """The same table where the ends may differ in peace, and are compared with how each was last ``seen`` itself: a network may
    cut or reword what it is given. ``None``: neither was seen before.
    """
    if seen is None or alike(here, there):
        return Verdict.AGREE
    ours = None if alike(here, seen[0]) else here
    theirs = None if alike(there, seen[1]) else there
    return verdict(ours, theirs, None)


def alike(one: str, other: str) -> bool:
    """Whether two texts are the same but for blanks, and for being cut."""
    short, long = sorted((" ".join(one.split()), " ".join(other.split())), key=len)
    return short == long or (len(short) >= CUT and long.startswith(short))


@dataclass(frozen=True, slots=True)
class Merge(Generic[Key, Value]):
    """What to bring where, by key; ``None`` means: take it away. ``agreed`` is what both sides hold once that is done."""

    bring_here: Mapping[Key, Value | None]
    bring_there: Mapping[Key, Value | None]
    agreed: Mapping[Key, Value]
    conflicts: frozenset[Key]


def merge(
    here: Mapping[Key, Value], there: Mapping[Key, Value], agreed: Mapping[Key, Value]
) -> Merge[Key, Value]:
    """Merge two maps, key by key."""
    keys = (*here, *(key for key in (*there, *agreed) if key not in here))
    verdicts = {key: verdict(here.get(key), there.get(key), agreed.get(key)) for key in keys}
    bring_here = {key: there.get(key) for key in verdicts if verdicts[key] is Verdict.BRING_HERE}
    bring_there = {key: here.get(key) for key in verdicts if verdicts[key] is Verdict.BRING_THERE}
    conflicts = frozenset(key for key in verdicts if verdicts[key] is Verdict.CONFLICT)
    settled = {**{key: here.get(key) for key in verdicts if key not in conflicts}, **bring_here}
    kept = {key: agreed[key] for key in conflicts if key in agreed}
    return Merge(
        bring_here,
        bring_there,
        {**{key: value for key, value in settled.items() if value is not None}, **kept},
        conflicts,
    )

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
from typing import Generic, TypeVar

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

"""The checker: what was said on one way against what was heard at its end. Pure; knows no server."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

FAULTS = ("lost", "doubled", "inverted", "invented")


@dataclass(frozen=True, slots=True)
class Way:
    """One direction of one link: what was said, in order, each text once; and what was heard, in order.

    ``excused``: texts that the other side cannot have had, or that were in doubt when a process was killed. They may
    be missing; where they were heard all the same, the other rules hold for them too.
    """

    name: str
    said: tuple[str, ...]
    heard: tuple[str, ...]
    excused: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if len(set(self.said)) != len(self.said):
            raise ValueError("texts must differ, or nothing can be told about them")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What went wrong on one way. ``missed`` counts excused texts that did not come, which is no fault."""

    way: str
    lost: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    inverted: tuple[tuple[str, str], ...] = ()
    invented: tuple[str, ...] = ()
    missed: int = 0

    @property
    def faults(self) -> frozenset[str]:
        """What went wrong, by the names of the fields."""
        return frozenset(word for word in FAULTS if getattr(self, word))

    @property
    def clean(self) -> bool:
        """Whether nothing went wrong."""
        return not self.faults

    def __str__(self) -> str:
        found = "; ".join(f"{word} {getattr(self, word)}" for word in FAULTS if word in self.faults)
        return f"{self.way}: {found or 'clean'}"


def judge(way: Way) -> Verdict:
    """Hold what was heard against what was said."""
    place = {text: number for number, text in enumerate(way.said)}
    times = Counter(way.heard)
    return Verdict(
        way.name,
        lost=tuple(text for text in way.said if text not in times and text not in way.excused),
        doubled=tuple(text for text in way.said if times[text] > 1),
        inverted=tuple(_inversions([text for text in way.heard if text in place], place)),
        invented=tuple(text for text in dict.fromkeys(way.heard) if text not in place),
        missed=sum(text in way.excused and text not in times for text in way.said),
    )


def _inversions(heard: Sequence[str], place: dict[str, int]) -> Iterator[tuple[str, str]]:
    """Neighbours in the wrong order, repetitions left out: any inversion shows itself between two neighbours."""
    for before, after in pairwise(dict.fromkeys(heard)):
        if place[before] > place[after]:
            yield before, after


def never_taken(said: Sequence[str], taken: Collection[str]) -> frozenset[str]:
    """What a receiver that takes things in order had not taken when it was killed: all after the last it took.

    A gap before that is not excused: what was skipped is lost.
    """
    known = set(taken)
    last = max((number for number, text in enumerate(said) if text in known), default=-1)
    return frozenset(said[last + 1 :])

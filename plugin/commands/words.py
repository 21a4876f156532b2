"""Cuts a line into words: quotation marks of every kind, the dashes that phones make of hyphens, and mentions."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..addresses import Pill

_BLANK = re.compile(r"\s*")
_WORD = re.compile(r"\S+")
_BOUND = re.compile(r"(?:--|[—–])[A-Za-z][A-Za-z-]*=")
_CLOSING = {
    **dict.fromkeys('"“”„', re.compile(r'["“”](?=\s|$)')),
    **dict.fromkeys("«»", re.compile(r"[«»](?=\s|$)")),
    **dict.fromkeys("'‘’‚", re.compile(r"['‘’](?=\s|$)")),
}
"""What ends a quotation, by what opened it: a mark of the same family with nothing after it."""
_APOSTROPHES = frozenset("'‘’‚")
"""These can begin a word as well: without an end they are no quotation that was forgotten to close."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word, and where it stands. ``quoted``: its marks are taken off; ``bound``: its value follows after "="."""

    text: str
    start: int
    end: int
    quoted: bool = False
    bound: bool = False
    unclosed: bool = False
    mention: bool = False

    @property
    def option(self) -> str:
        """The name of the option this may be, "" where it cannot be one."""
        if self.quoted:
            return ""
        if self.text.startswith("--"):
            return self.text[2:].lower()
        return self.text[1:].lower() if self.text[:1] in {"—", "–"} else ""

    @property
    def certain(self) -> bool:
        """Whether it can be nothing but an option: two hyphens and a letter."""
        return not self.quoted and self.text.startswith("--") and self.text[2:3].isalpha()


def cut(line: str, pills: Sequence[Pill] = ()) -> Iterator[Word]:
    """The words of ``line``. Takes time in proportion to its length, whatever stands in it."""
    people = {pill.start: pill for pill in pills if pill.start < pill.end <= len(line)}
    hopeless: set[re.Pattern[str]] = set()
    place = 0
    while (place := _past(_BLANK, line, place)) < len(line):
        word = _mention(people, place) or _quotation(line, place, hopeless) or _plain(line, place, people)
        yield word
        place = word.end


def _past(pattern: re.Pattern[str], line: str, place: int) -> int:
    match = pattern.match(line, place)
    return match.end() if match else place


def _mention(people: dict[int, Pill], place: int) -> Word | None:
    pill = people.get(place)
    return Word(pill.user, pill.start, pill.end, quoted=True, mention=True) if pill else None


def _quotation(line: str, place: int, hopeless: set[re.Pattern[str]]) -> Word | None:
    closing = _CLOSING.get(line[place])
    if closing is None or closing in hopeless:
        return None
    match = closing.search(line, place + 1)
    if match is None:
        hopeless.add(closing)
        return None
    return Word(line[place + 1 : match.start()], place, match.end(), quoted=True)


def _plain(line: str, place: int, people: dict[int, Pill]) -> Word:
    if bound := _BOUND.match(line, place):
        return Word(line[place : bound.end() - 1], place, bound.end(), bound=True)
    end = min([start for start in people if place < start] + [_past(_WORD, line, place)])
    return Word(line[place:end], place, end, unclosed=line[place] in _CLOSING.keys() - _APOSTROPHES)

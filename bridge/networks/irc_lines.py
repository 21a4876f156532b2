"""A text as lines of IRC: broken where people would break it, never inside a character, never longer than a line may be."""

import unicodedata
from collections.abc import Iterator

from ..convert.plainer import in_words
from ..message import Style, Text
from .irc_format import PLAIN, Look, change, clean, look_of

_LONGEST_CLUSTER = 40
"""Bytes; longer heaps of combining marks are broken all the same."""
_JOINER = "\u200d"
LEAST_BUDGET = 80
"""Bytes; below this a line could not hold one character with its codes."""

Run = tuple[str, Look]
"""A piece of one line that looks the same throughout."""


def lines(text: Text, budget: int, most: int) -> tuple[str, ...]:
    """``text`` in lines of at most ``budget`` bytes (UTF-8), codes included, each complete in itself; empty lines are left out.

    More than ``most`` lines end in ``… (+n)``, n being the lines that are missing.
    """
    budget = max(budget, LEAST_BUDGET)
    found = [piece for line in _logical(text) for piece in _wrapped(line, budget)]
    if len(found) <= most:
        return tuple(found)
    return (*found[: most - 1], f"… (+{len(found) - most + 1})")


def _logical(text: Text) -> Iterator[list[Run]]:
    """The lines as they were written, each as runs; lines of a quote begin with ``> ``."""
    line: list[Run] = []
    for span in text:
        look = look_of(span)
        mark = "> " if Style.QUOTE in span.styles else ""
        words = in_words(span)
        for index, piece in enumerate(words.replace("\r\n", "\n").replace("\r", "\n").split("\n")):
            if index:
                yield line
                line = []
            shown = clean(piece)
            if shown:
                line.append((mark + shown if not line else shown, look))
    yield line


def _wrapped(line: list[Run], budget: int) -> Iterator[str]:
    if not any(text.strip() for text, _ in line):
        return
    whole = _written(line)
    if len(whole.encode()) <= budget:
        yield whole
        return
    units = [(cluster, look) for text, look in line for cluster in clusters(text)]
    while units:
        cut = _cut(units, budget)
        yield _written(units[:cut])
        units = units[cut:]
        while units and units[0][0] == " ":
            units = units[1:]


def _cut(units: list[Run], budget: int) -> int:
    """How many of ``units`` make the next line: up to the last blank in its later half, else as many as fit."""
    size, before, blank = 0, PLAIN, 0
    for index, (cluster, look) in enumerate(units):
        size += len(change(before, look, cluster)) + len(cluster.encode())
        if size > budget:
            return blank or index or 1
        if cluster == " " and size > budget // 2:
            blank = index
        before = look
    return len(units)


def _written(runs: list[Run]) -> str:
    """``runs`` with the codes between them."""
    pieces, before = [], PLAIN
    for text, look in runs:
        pieces.append(change(before, look, text) + text)
        before = look
    return "".join(pieces)


def clusters(text: str) -> Iterator[str]:
    """``text`` cut between what people take for characters: marks stay with their base, joined emoji and flags together.

    A cheap reading of Unicode's annex 29: no tables beyond the categories, bounded at 40 bytes.
    """
    if text.isascii():
        yield from text
        return
    cluster = ""
    for char in text:
        if cluster and (not _belongs(cluster, char) or len((cluster + char).encode()) > _LONGEST_CLUSTER):
            yield cluster
            cluster = ""
        cluster += char
    if cluster:
        yield cluster


def _belongs(cluster: str, char: str) -> bool:
    if char.isascii():
        return False
    if char == _JOINER or cluster.endswith(_JOINER) or unicodedata.category(char) in ("Mn", "Me", "Mc"):
        return True
    if "\U0001f3fb" <= char <= "\U0001f3ff" or "\U000e0020" <= char <= "\U000e007f":
        return True
    return _is_flag(char) and len(cluster) == 1 and _is_flag(cluster)


def _is_flag(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def cut_bytes(text: str, most: int) -> str:
    """The beginning of ``text`` that fits into ``most`` bytes, whole characters only."""
    kept, size = [], 0
    for cluster in clusters(text):
        size += len(cluster.encode())
        if size > most:
            break
        kept.append(cluster)
    return "".join(kept)

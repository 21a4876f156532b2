"""Names from outside, made safe to show: nothing invisible, nothing that turns the line around, nothing that imitates."""

import re
import unicodedata
from functools import lru_cache

LONGEST = 64
"""Characters; what is longer is cut."""
_MOST_MARKS = 3
"""Combining marks on one letter: enough for every script that is written, too few to cover the line above."""
_LOOKALIKES = str.maketrans({"<": "‹", ">": "›"})
"""The relay writes ``<name> text``: a name must not look like the end of one and the beginning of another."""
_SIGILS = "@#!+ "
_MARKS = ("Mn", "Me")
_INVISIBLE = {"\u115f", "\u1160", "\u3164", "\uffa0", "\u2800", "\u034f", "\u17b4", "\u17b5"}
"""Letters and marks by category, yet blank: Hangul fillers, the empty Braille cell, the grapheme joiner, Khmer inherent vowels."""

_ADDRESS = re.compile(r"[^\s/@]+@[^\s/@]+")
_NUMBER = re.compile(r"\+?\d(?:[\s().-]{0,2}\d){6,}")
_DATE = re.compile(
    r"(?:19|20)\d\d[-.]?(?:0\d|1[0-2])[-.]?[0-3]\d(?:[\s._-]{0,2}[0-2]\d[-.:]?[0-5]\d(?:[-.:]?[0-5]\d)?)?"
)


def without_numbers(name: str) -> str:
    """``name`` with ``…`` for what looks like a telephone number or an address: networks call people, and files, so who have no
    other name. Dates stay.
    """
    without = _ADDRESS.sub("…", name)
    return _NUMBER.sub(lambda found: found[0] if _DATE.fullmatch(found[0]) else "…", without)


@lru_cache(maxsize=4096)
def safe_name(name: str, otherwise: str) -> str:
    """``name`` without control, format (bidi, zero width), private and surrogate characters; ``otherwise`` where nothing is left.

    A name cannot begin like a Matrix id or an alias (``@``, ``#``, ``!``, ``+`` in front go). Unicode: normal form C, general categories.
    """
    visible = "".join(_shown(char) for char in unicodedata.normalize("NFC", name)).translate(_LOOKALIKES)
    words = _from_first_letter(" ".join(unicodedata.normalize("NFC", _fewer_marks(visible)).split()))
    return words[:LONGEST].strip() or otherwise


def _from_first_letter(words: str) -> str:
    start = 0
    while start < len(words) and (words[start] in _SIGILS or unicodedata.category(words[start]) in _MARKS):
        start += 1
    return words[start:]


def _shown(char: str) -> str:
    category = unicodedata.category(char)
    if category in ("Zs", "Zl", "Zp") or char in "\t\r\n":
        return " "
    if category.startswith("C") or char in _INVISIBLE:
        return ""
    return "" if _is_selector(char) else char


def _is_selector(char: str) -> bool:
    """Variation selectors: they change how the character before looks, and are invisible themselves."""
    return (
        "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef" or "\u180b" <= char <= "\u180f"
    )


def _fewer_marks(text: str) -> str:
    """``text`` with at most three marks in a row, and none without a letter to stand on."""
    kept: list[str] = []
    marks = _MOST_MARKS
    for char in text:
        is_mark = unicodedata.category(char) in _MARKS
        marks = marks + 1 if is_mark else 0
        if not is_mark or marks <= _MOST_MARKS:
            kept.append(char)
    return "".join(kept)

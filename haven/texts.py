"""What may be a name or a description: length, characters, and something to see.

Limits are those of WhatsApp Communities (FEATURES C1): a name of 100 characters, a description of 2,048.
"""

import unicodedata

from haven.errors import Invalid

NAME_LIMIT = 100
DESCRIPTION_LIMIT = 2_048

_OVERRIDES = frozenset("\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Line separators, and what turns the direction of the text around it: a name could pass for another with these."""

_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that show nothing (Hangul fillers, the empty Braille cell)."""


def _forbidden(character: str, *, lines: bool) -> bool:
    """Controls, surrogates, private use, noncharacters. Unassigned is allowed: it may be an emoji younger than our tables."""
    if lines and character in "\n\t":
        return False
    point = ord(character)
    noncharacter = point & 0xFFFE == 0xFFFE or 0xFDD0 <= point <= 0xFDEF
    return noncharacter or character in _OVERRIDES or unicodedata.category(character) in {"Cc", "Cs", "Co"}


def _shows(character: str) -> bool:
    """Whether there is something to see: not a space, a joiner, a mark on its own, or a blank letter."""
    category = unicodedata.category(character)
    return category[0] not in "ZM" and category not in {"Cc", "Cf"} and character not in _BLANK


def checked_name(text: str) -> str:
    """``text`` trimmed and composed (NFC), as a name.

    Raises `Invalid` when there is nothing to see in it, over 100 characters, or with control characters.
    """
    name = unicodedata.normalize("NFC", text.strip())
    if any(_forbidden(character, lines=False) for character in name):
        raise Invalid("name_control")
    if not any(_shows(character) for character in name):
        raise Invalid("name_empty")
    if len(name) > NAME_LIMIT:
        raise Invalid("name_too_long", length=len(name), limit=NAME_LIMIT)
    return name


def checked_description(text: str) -> str:
    """``text`` trimmed and composed (NFC), as a description or topic.

    Raises `Invalid` over 2,048 characters or with control characters.
    """
    description = unicodedata.normalize("NFC", text.strip())
    if len(description) > DESCRIPTION_LIMIT:
        raise Invalid("description_too_long", length=len(description), limit=DESCRIPTION_LIMIT)
    if any(_forbidden(character, lines=True) for character in description):
        raise Invalid("description_control")
    return description


def readable_description(text: str) -> str:
    """As much of a text written elsewhere as `checked_description` allows. Never raises."""
    plain = "".join(character for character in text if not _forbidden(character, lines=True))
    return unicodedata.normalize("NFC", plain.strip())[:DESCRIPTION_LIMIT].strip()

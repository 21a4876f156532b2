"""Nicks for members who speak on IRC under a name of their own.

Servers differ; what all of them take is letters, digits and a few signs, not a digit first (RFC 2812 section 2.3.1).
"""

import re
import unicodedata

from haven.ids import UserId

_NOT_NICK = re.compile(r"[^A-Za-z0-9\[\]\\`_^{|}-]")
LONGEST = 30
"""Bytes; lines are split for nicks no longer than that."""
_TAIL = 3
"""Bytes left free for what tells apart a nick that is taken: ``_`` or a number."""


def member_nick(name: str, user: UserId, pattern: str, most: int) -> str:
    """The nick for ``name``, or where that has no letter that fits, for the id ``user``: in ``pattern`` in place of ``{name}``, at most ``most`` bytes."""
    around = pattern.replace("{name}", "")
    room = max(1, min(most, LONGEST) - _TAIL - len(around) - 1)
    bare = _plain(name) or _plain(user[1:].partition(":")[0]) or "member"
    nick = pattern.replace("{name}", bare[:room])
    return f"_{nick}" if nick[0].isdigit() or nick[0] == "-" else nick


def _plain(name: str) -> str:
    """``name`` in the letters that nicks may have: marks dropped, blanks as underscores."""
    letters = unicodedata.normalize("NFKD", "_".join(name.split()))
    return _NOT_NICK.sub("", letters).strip("_-")

"""Breaks rings: another bridge or bot that says here again what was said there, which we would carry back, and it again, for ever.

Our own messages and ghosts never come back in (intake.py). A stranger's repetition cannot be known for certain, only recognised: the words of
somebody else with a name put before them, or the same words by somebody whose name has grown. A few such are carried, since people quote
each other; when they follow each other quickly they are left out. Pure: the time is given.
"""

import re
from collections import deque
from dataclasses import dataclass, field

MEMORY = 30.0
"""Seconds for which what was said is compared with what comes."""
KEPT = 200
"""Messages of a link that are compared, at most."""
STRIKES = 3
"""Repetitions within ``QUICKLY`` after which there is a ring."""
QUICKLY = 60.0
CHORUS = 20
"""Times that the very same words may cross a link within ``MEMORY``: more than a crowd that congratulates says."""

LONGEST = 1000
"""Characters of a message that are compared: its last ones."""

_NAMED = re.compile(r"^.{0,200}[>\])}:»|]\s*$", re.DOTALL)
"""A name before words, as bridges put it: ``<ana>``, ``[irc] ana:``, ``(ana)``."""
_GROWN = re.compile(r"[\[\](){}<>|@_^~`]")
"""What bridges hang on a name that somebody has elsewhere: ``ana[m]``, ``ana (irc)``, ``@ana``."""


@dataclass(frozen=True, slots=True)
class _Heard:
    at: float
    name: str
    words: str


@dataclass(slots=True)
class _Past:
    """What lately crossed one link, either way."""

    heard: deque[_Heard] = field(default_factory=lambda: deque(maxlen=KEPT))
    strikes: deque[float] = field(default_factory=lambda: deque(maxlen=STRIKES))


class Rings:
    """Remembers what crosses links. A link is whatever the caller names it by."""

    def __init__(self) -> None:
        self._links: dict[str, _Past] = {}

    def goes_round(self, link: str, name: str, text: str, now: float) -> bool:
        """Whether this goes round in a ring, and is to be left out. ``name``: who says it; ``now``: in seconds."""
        past = self._links.setdefault(link, _Past())
        new = _Heard(now, name, " ".join(text.split())[-LONGEST:])
        while past.heard and now - past.heard[0].at > MEMORY:
            past.heard.popleft()
        if not new.words:
            return False
        if any(_repeats(new, old) for old in past.heard):
            past.strikes.append(now)
            if len(past.strikes) == STRIKES and now - past.strikes[0] <= QUICKLY:
                return True
        past.heard.append(new)
        return sum(old.words == new.words for old in past.heard) > CHORUS


def _repeats(new: _Heard, old: _Heard) -> bool:
    """Whether ``new`` is ``old`` said again by a machine."""
    if new.words == old.words:
        return old.name != "" and _GROWN.search(new.name.replace(old.name, "", 1)) is not None
    return new.words.endswith(old.words) and _NAMED.match(new.words.removesuffix(old.words)) is not None

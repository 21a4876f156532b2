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

_NAMED = re.compile(r"[>\])}:»|]\s*")
"""How a name before words ends, as bridges put it: ``<ana>``, ``[irc] ana:``, ``(ana)``."""
NAMES = 200
"""Characters among which names before words stand."""
_GROWN = re.compile(r"[\[\](){}<>|@_^~`]")
"""What bridges hang on a name that somebody has elsewhere: ``ana[m]``, ``ana (irc)``, ``@ana``."""


@dataclass(frozen=True, slots=True)
class _Heard:
    at: float
    name: str
    words: str


@dataclass(slots=True)
class _Past:
    """What lately crossed one link, either way; ``by_words``: who said those words."""

    heard: deque[_Heard] = field(default_factory=deque)
    by_words: dict[str, list[str]] = field(default_factory=dict)
    strikes: deque[float] = field(default_factory=lambda: deque(maxlen=STRIKES))

    def keep(self, new: _Heard) -> None:
        """Compare it with what comes."""
        self.heard.append(new)
        self.by_words.setdefault(new.words, []).append(new.name)

    def forget(self, now: float) -> None:
        """Compare nothing that is old any more."""
        while self.heard and (now - self.heard[0].at > MEMORY or len(self.heard) > KEPT):
            words = self.heard.popleft().words
            self.by_words[words].pop(0)
            if not self.by_words[words]:
                del self.by_words[words]

    def repeated(self, new: _Heard) -> bool:
        """Whether ``new`` is something that was said, said again by a machine."""
        if any(_grown(name, new.name) for name in self.by_words.get(new.words, ())):
            return True
        return any(new.words[end.end() :] in self.by_words for end in _NAMED.finditer(new.words[:NAMES]))


class Rings:
    """Remembers what crosses links. A link is whatever the caller names it by."""

    def __init__(self) -> None:
        self._links: dict[str, _Past] = {}

    def goes_round(self, link: str, name: str, text: str, now: float) -> bool:
        """Whether this goes round in a ring, and is to be left out. ``name``: who says it; ``now``: in seconds."""
        new = _Heard(now, name, " ".join(text.split())[-LONGEST:])
        if not new.words:
            return False
        past = self._links.setdefault(link, _Past())
        past.forget(now)
        if past.repeated(new):
            past.strikes.append(now)
            if len(past.strikes) == STRIKES and now - past.strikes[0] <= QUICKLY:
                return True
        past.keep(new)
        return len(past.by_words[new.words]) > CHORUS


def _grown(old: str, new: str) -> bool:
    return old != "" and _GROWN.search(new.replace(old, "", 1)) is not None

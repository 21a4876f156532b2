"""Lines that belong together (BATCH): which of them are history, which tell that servers lost each other.

Sources: https://ircv3.net/specs/extensions/batch and /batches/chathistory, /batches/netsplit.
"""

import re

from .irc_line import Line

_SPLIT = re.compile(r"[^\s/:]+\.[^\s/:]+ [^\s/:]+\.[^\s/:]+")
"""The farewell of those whose server was lost: the names of the two servers, by the custom of RFC 2813 section 4.1.5."""
_MOST = 100
"""Batches open at once; a server that opens more without closing them is not followed."""


class Batches:
    """The batches that are open on one connection."""

    def __init__(self) -> None:
        self._kinds: dict[str, str] = {}

    def hear(self, line: Line) -> None:
        """A BATCH line: ``+ref kind`` opens one, ``-ref`` closes it. One inside history is history."""
        sign, reference = line.param(0)[:1], line.param(0)[1:]
        if sign == "-":
            self._kinds.pop(reference, None)
        elif sign == "+" and len(self._kinds) < _MOST:
            around = self.kind(line)
            self._kinds[reference] = around if around == "chathistory" else line.param(1).lower()

    def kind(self, line: Line) -> str:
        """The kind of the batch that ``line`` is in, "" for none."""
        return self._kinds.get(line.tags.get("batch", ""), "")

    def is_history(self, line: Line) -> bool:
        """Whether ``line`` tells what was, not what is."""
        return self.kind(line) == "chathistory"

    def is_split(self, line: Line) -> bool:
        """Whether the QUIT ``line`` is one of a netsplit."""
        return self.kind(line) == "netsplit" or _SPLIT.fullmatch(line.param(0)) is not None

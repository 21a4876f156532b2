"""Which nicks on a server are ours: those of the connections through which members speak, now and a moment ago."""

from collections.abc import Callable


class Ours:
    """The nicks of our members' connections, compared as ``fold`` says. The main connection sees them as it sees everybody.

    A nick stays ours after its connection has ended until the main connection has seen it go: what was said shortly before comes after.
    """

    def __init__(self, fold: Callable[[str], str] = str.lower) -> None:
        self.fold = fold
        self._live: set[str] = set()
        self._past: set[str] = set()

    def __contains__(self, nick: str) -> bool:
        return self.fold(nick) in self._live or self.fold(nick) in self._past

    def add(self, nick: str) -> None:
        """One of our connections has this nick. Before it enters a channel, so that nobody takes it for a stranger."""
        self._live.add(self.fold(nick))

    def ended(self, nick: str) -> None:
        """That connection has ended."""
        self._live.discard(self.fold(nick))
        self._past.add(self.fold(nick))

    def renamed(self, before: str, after: str) -> None:
        """One of our connections has another nick."""
        if before in self:
            self._past.add(self.fold(before))
            self._live.discard(self.fold(before))
            self._live.add(self.fold(after))

    def seen_going(self, nick: str) -> None:
        """The main connection saw that nobody has this nick any more."""
        self._past.discard(self.fold(nick))

    def start_over(self) -> None:
        """The main connection is a new one: what it hears is not older than that."""
        self._past.clear()

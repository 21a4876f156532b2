"""Which extensions of IRCv3 a server offers and which we use: asked for at login, and followed while the connection lasts.

Source: https://ircv3.net/specs/extensions/capability-negotiation (version 302, with ``cap-notify``).
"""

from collections.abc import Iterator

MESSAGE_TAGS = "message-tags"
ECHO = "echo-message"
LABELS = "labeled-response"
BATCH = "batch"
REDACTION = "draft/message-redaction"
HISTORY = "draft/chathistory"

WANTED = (
    "multi-prefix",
    MESSAGE_TAGS,
    "server-time",
    "account-tag",
    "extended-join",
    "cap-notify",
    BATCH,
    ECHO,
    LABELS,
    REDACTION,
    HISTORY,
    "draft/event-playback",
)
"""The capabilities that we use where they are offered."""

OPENING = "CAP LS 302"
"""The first line: servers that know it wait for CAP END, the others say so and go on."""


class Negotiation:
    """The talk about capabilities on one connection. ``held`` are those in force now; it changes when the server takes one back.

    ``also`` are wanted besides ``WANTED``.
    """

    def __init__(self, also: tuple[str, ...] = ()) -> None:
        self._wanted = (*WANTED, *also)
        self.offered: set[str] = set()
        self.held: frozenset[str] = frozenset()

    def listed(self, names: str) -> None:
        """A line of CAP LS."""
        self.offered.update(name.partition("=")[0] for name in names.split())

    def wish(self) -> str:
        """What to ask for, in one word each: what we want and the server offers."""
        return " ".join(name for name in self._wanted if name in self.offered)

    def granted(self, names: str) -> None:
        """CAP ACK: these are in force, or (with a minus) no longer."""
        taken = {name.removeprefix("-") for name in names.split() if name.startswith("-")}
        given = {name for name in names.split() if not name.startswith("-")}
        self.held = (self.held | given) - taken

    def changed(self, what: str, names: str) -> Iterator[str]:
        """The server offers more, or takes some back, while we are logged in; the lines to send."""
        if what == "ACK":
            self.granted(names)
        elif what == "NEW":
            self.listed(names)
            new = [name for name in self.wish().split() if name not in self.held]
            if new:
                yield f"CAP REQ :{' '.join(new)}"
        elif what == "DEL":
            self.offered -= set(names.split())
            self.held -= set(names.split())

"""One line of IRC, taken apart: who, what, about what."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Line:
    """A line from the server.

    ``command`` is the library's lower-case name (``privmsg``, ``join``, ``nicknameinuse`` for 433; unknown numerics stay digits).
    ``source`` is ``nick!user@host``, a server's name, or "". ``params`` come in the order of the wire, our own nick in numerics included.
    ``tags`` are message tags (IRCv3), unescaped; a tag without a value is "".
    """

    command: str
    source: str = ""
    params: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def nick(self) -> str:
        """The nick that sent it, "" where a server did."""
        nick, mark, _ = self.source.partition("!")
        return nick if mark else ""

    def param(self, index: int) -> str:
        """The parameter at ``index`` (from 0; from the end if negative), "" where there is none."""
        try:
            return self.params[index]
        except IndexError:
            return ""

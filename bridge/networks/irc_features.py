"""What an IRC server says of itself (numeric 005, ISUPPORT): how names compare, which modes make an operator, how long things may be."""

import re
import string
from collections.abc import Iterable
from dataclasses import dataclass, replace

_ASCII = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_RFC1459 = str.maketrans(string.ascii_uppercase + "[]\\^", string.ascii_lowercase + "{}|~")
_RFC1459_STRICT = str.maketrans(string.ascii_uppercase + "[]\\", string.ascii_lowercase + "{}|")
_FOLDS = {
    "ascii": _ASCII,
    "rfc1459": _RFC1459,
    "rfc1459-strict": _RFC1459_STRICT,
    "strict-rfc1459": _RFC1459_STRICT,
}

_NUMBER = re.compile(r"[1-9][0-9]{0,5}")


@dataclass(frozen=True, slots=True)
class Features:
    """The features that matter to us; the defaults are those of RFC 1459, for servers that say nothing.

    ``modes`` and ``symbols`` are the member modes and their prefixes, highest first (PREFIX). ``list_modes`` and ``set_modes`` are channel modes
    that take a parameter always, or only when set (CHANMODES groups A and B, and C). Lengths are bytes.
    ``denied_tags`` (CLIENTTAGDENY) are client tags that the server does not hand on, without their ``+``: ``*`` is all, ``-name`` an exception.
    ``history`` is how many messages can be asked for at once (CHATHISTORY), 0 where the server does not say.
    Source: https://modern.ircdocs.horse/#feature-advertisement
    """

    casemapping: str = "rfc1459"
    modes: str = "ov"
    symbols: str = "@+"
    chantypes: str = "#&"
    list_modes: str = "beIkq"
    set_modes: str = "l"
    nick_length: int = 30
    channel_length: int = 200
    topic_length: int = 300
    denied_tags: tuple[str, ...] = ()
    history: int = 0

    def fold(self, name: str) -> str:
        """``name`` as the server compares it."""
        table = _FOLDS.get(self.casemapping)
        return name.translate(table) if table else name.casefold()

    def is_channel(self, name: str) -> bool:
        """Whether ``name`` can be a channel's (RFC 2812 section 1.3)."""
        return (
            len(name) > 1
            and name[0] in self.chantypes
            and not any(char in " ,:\x07" or ord(char) < 33 or ord(char) == 127 for char in name[1:])
            and len(name.encode(errors="replace")) <= self.channel_length
        )

    def passes_tag(self, name: str) -> bool:
        """Whether the server hands the client tag ``name`` on (https://ircv3.net/specs/extensions/message-tags)."""
        bare = name.removeprefix("+")
        return bare not in self.denied_tags and (
            "*" not in self.denied_tags or f"-{bare}" in self.denied_tags
        )

    @property
    def operator_modes(self) -> frozenset[str]:
        """The member modes that rank as operator or above: ``o`` and all before it."""
        return frozenset(self.modes[: self.modes.index("o") + 1]) if "o" in self.modes else frozenset()

    def with_tokens(self, tokens: Iterable[str]) -> "Features":
        """These features after the tokens of one 005 line. A token that makes no sense changes nothing."""
        features = self
        for token in tokens:
            name, _, value = token.partition("=")
            features = features._with(name.upper(), value)
        return features

    def _with(self, name: str, value: str) -> "Features":
        if name == "CASEMAPPING" and value:
            return replace(self, casemapping=value.lower())
        if name == "PREFIX":
            modes, closed, symbols = value.removeprefix("(").partition(")")
            fits = closed and len(modes) == len(symbols)
            return replace(self, modes=modes, symbols=symbols) if fits else self
        if name == "CHANTYPES" and value:
            return replace(self, chantypes=value)
        if name == "CLIENTTAGDENY":
            return replace(self, denied_tags=tuple(value.split(",")))
        if name == "CHANMODES":
            groups = value.split(",")
            return (
                replace(self, list_modes=groups[0] + groups[1], set_modes=groups[2])
                if len(groups) > 2
                else self
            )
        return self._with_length(name, int(value)) if _NUMBER.fullmatch(value) else self

    def _with_length(self, name: str, length: int) -> "Features":
        match name:
            case "NICKLEN":
                return replace(self, nick_length=length)
            case "CHANNELLEN":
                return replace(self, channel_length=length)
            case "CHATHISTORY":
                return replace(self, history=length)
            case "TOPICLEN":
                return replace(self, topic_length=length)
            case _:
                return self

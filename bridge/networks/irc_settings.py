"""The settings of an IRC network, read from its section of the configuration."""

from dataclasses import dataclass, field
from enum import StrEnum

from ..section import Section

_FORBIDDEN = frozenset("\0\r\n")


class Manner(StrEnum):
    """Under which name the members of a room speak."""

    SHARED = "shared"
    """All through the bridge's own connection, their name before their words."""
    OWN = "own"
    """Each through a connection of their own."""


@dataclass(frozen=True, slots=True)
class IrcSettings:
    """How to reach an IRC server and how to behave there.

    ``rate`` is lines a second in the long run and ``burst`` how many may go at once (servers drop who floods them); ``alive`` is after how
    many seconds of silence we ask whether the server is there, and again after how many it counts as lost. ``most_lines`` bounds one message.
    ``quotes``: a reply also quotes what it answers in words, for clients that know no replies.
    ``members``: whether each member who speaks has a connection of their own, with a nick after ``member_nick``, at most ``member_limit`` at once,
    each closed after ``member_idle`` seconds of silence.
    ``account`` with ``password`` logs in by SASL PLAIN, ``password`` alone is the server's password.
    """

    host: str
    port: int
    tls: bool
    tls_verify: bool
    nick: str
    user: str
    realname: str
    account: str
    password: str = field(repr=False)
    burst: int = 5
    rate: float = 2.0
    alive: float = 45.0
    most_lines: int = 30
    retry_least: float = 2.0
    retry_most: float = 300.0
    quotes: bool = True
    members: Manner = Manner.SHARED
    member_nick: str = "{name}[m]"
    member_limit: int = 20
    member_idle: float = 86400.0


def read_settings(section: Section) -> IrcSettings:
    """The settings in ``section``; ``Misconfigured`` names the key that is wrong. Reads the section to its end."""
    tls = section.flag("tls", True)
    settings = IrcSettings(
        host=_word(section, "host"),
        port=section.integer("port", 6697 if tls else 6667, least=1, most=65535),
        tls=tls,
        tls_verify=section.flag("tls_verify", True),
        nick=_word(section, "nick", "haven"),
        user=_word(section, "user", "haven"),
        realname=_line(section, "realname", "Haven"),
        account=_word(section, "account", ""),
        password=_line(section, "password", ""),
        burst=section.integer("burst", 5, least=1, most=1000),
        rate=section.number("rate", 2.0, least=0.1, most=10000),
        alive=section.number("alive", 45.0, least=0.2, most=3600),
        most_lines=section.integer("most_lines", 30, least=1, most=1000),
        retry_least=section.number("retry_least", 2.0, least=0.01, most=3600),
        retry_most=section.number("retry_most", 300.0, least=0.01, most=86400),
        quotes=section.flag("quotes", True),
        members=Manner(section.choice("members", tuple(Manner), Manner.SHARED)),
        member_nick=_member_nick(section),
        member_limit=section.integer("member_limit", 20, least=1, most=10000),
        member_idle=section.number("member_idle", 86400.0, least=0.1, most=31536000),
    )
    if settings.account and not settings.password:
        raise section.wrong("setting_missing", "password")
    section.done()
    return settings


def _line(section: Section, key: str, default: str) -> str:
    value = section.text(key, default)
    if _FORBIDDEN & set(value):
        raise section.wrong("setting_not_line", key)
    return value


def _word(section: Section, key: str, default: str | None = None) -> str:
    """A value that stands as one parameter of a line: no blank, no colon at its start (RFC 1459 section 2.3.1)."""
    value = section.text(key, default)
    if value.startswith(":") or any(char.isspace() for char in value) or _FORBIDDEN & set(value):
        raise section.wrong("setting_not_word", key)
    return value


def _member_nick(section: Section) -> str:
    """How a member's nick is made of their name: ``{name}`` stands for it."""
    value = _word(section, "member_nick", "{name}[m]")
    if value.count("{name}") != 1 or any(char in "{} " for char in value.replace("{name}", "")):
        raise section.wrong("setting_member_nick", "member_nick")
    return value

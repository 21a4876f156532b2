"""Logging in to an IRC server: capabilities, SASL PLAIN, a free nick, until the server's greeting has ended.

Pure: lines in, lines out. Sources: RFC 2812 section 3.1; https://ircv3.net/specs/extensions/sasl-3.1.
"""

import base64
from collections.abc import Iterator
from enum import StrEnum

from haven.errors import GiveUp, HavenError, Refused, Unreachable

from .irc_capabilities import Negotiation
from .irc_features import Features
from .irc_line import Line
from .irc_lines import cut_bytes
from .irc_settings import IrcSettings


class Refusal(StrEnum):
    """Why a server does not take us, where only a person can help; keys ``status.<reason>``."""

    LOGIN = "login_refused"
    NICK = "nick_refused"
    BANNED = "banned"


class Registration:
    """One login. Send ``irc_capabilities.OPENING``, PASS, NICK and USER, then what ``answers`` gives to each line, until ``done`` or ``error``."""

    def __init__(self, settings: IrcSettings) -> None:
        self._settings = settings
        self._sasl = bool(settings.account)
        self.negotiation = Negotiation(("sasl",) if self._sasl else ())
        self._tries = 0
        self.nick = settings.nick
        self.features = Features()
        self.done = False
        self.error: HavenError | None = None

    @property
    def capabilities(self) -> frozenset[str]:
        """The capabilities in force."""
        return self.negotiation.held

    def answers(self, line: Line) -> tuple[str, ...]:
        """The lines to send in answer to ``line``."""
        match line.command:
            case "cap":
                what, names = line.param(1).upper(), line.param(-1)
                if self.done:
                    return tuple(self.negotiation.changed(what, names))
                return tuple(self._capability(what, names, more=line.param(2) == "*"))
            case "authenticate" if line.param(0) == "+":
                return tuple(_plain(self._settings.account, self._settings.password))
            case "saslsuccess":
                return ("CAP END",)
            case "nicklocked" | "saslfail" | "sasltoolong" | "saslaborted" | "saslmechs" | "passwdmismatch":
                self._refuse(Refusal.LOGIN)
            case "yourebannedcreep":
                self._refuse(Refusal.BANNED)
            case "erroneusnickname" | "nonicknamegiven":
                self._refuse(Refusal.NICK)
            case "nicknameinuse" | "nickcollision" | "unavailresource":
                return (f"NICK {self._next_nick()}",)
            case _:
                self._greeted(line)
        return ()

    def _greeted(self, line: Line) -> None:
        match line.command:
            case "welcome":
                self.nick = line.param(0) or self.nick
            case "featurelist":
                self.features = self.features.with_tokens(line.params[1:-1])
            case "endofmotd" | "nomotd":
                self.done = True
            case "error":
                self.error = self.error or Unreachable()

    def _capability(self, what: str, names: str, *, more: bool) -> Iterator[str]:
        """CAP LS tells (perhaps in several lines) what is offered; ACK and NAK answer our wish."""
        if what == "LS":
            self.negotiation.listed(names)
            if more:
                return
            wish = self.negotiation.wish()
            if self._sasl and "sasl" not in wish.split():
                self._refuse(Refusal.LOGIN)
            yield f"CAP REQ :{wish}" if wish else "CAP END"
        elif what == "ACK":
            self.negotiation.granted(names)
            yield "AUTHENTICATE PLAIN" if "sasl" in self.capabilities else "CAP END"
        elif what == "NAK":
            if self._sasl:
                self._refuse(Refusal.LOGIN)
            yield "CAP END"

    def _next_nick(self) -> str:
        """The wished nick, and behind it an underscore, then numbers, within the length we know of."""
        self._tries += 1
        tail = "_" if self._tries == 1 else f"_{self._tries}"
        self.nick = cut_bytes(self._settings.nick, self.features.nick_length - len(tail)) + tail
        return self.nick

    def _refuse(self, reason: Refusal) -> None:
        self.error = self.error or Refused("network_refused", reason=reason.value)


def _plain(account: str, password: str) -> Iterator[str]:
    """The AUTHENTICATE lines of SASL PLAIN (RFC 4616): base64 in pieces of 400, closed by a shorter one or ``+``."""
    token = base64.b64encode(f"{account}\0{account}\0{password}".encode()).decode()
    for start in range(0, len(token), 400):
        yield f"AUTHENTICATE {token[start : start + 400]}"
    if len(token) % 400 == 0:
        yield "AUTHENTICATE +"


def why(error: GiveUp) -> str:
    """The key of the reason that stands in a refusal."""
    return str(error.values.get("reason", Refusal.LOGIN.value))

"""What a line of IRC tells beside the port's events: how our connection stands in a channel, and why a server refuses."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from haven.errors import GiveUp, HavenError, Invalid, Missing, Refused, TryLater
from haven.ids import ChatId, RemoteMessageId

from .events import ChatEvent, Person


@dataclass(frozen=True, slots=True)
class Entered:
    """We are in the channel, and know who else is."""

    chat: ChatId


@dataclass(frozen=True, slots=True)
class NotEntered:
    """The server did not let us in."""

    chat: ChatId
    error: HavenError


@dataclass(frozen=True, slots=True)
class Removed:
    """We were put out of the channel, where ``people`` were."""

    chat: ChatId
    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class Unsent:
    """What we last wrote to the channel was not let through; with ``topic`` the topic that we wanted to set. ``TryLater`` where we had just been
    put out.
    """

    chat: ChatId
    error: HavenError
    topic: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """A line to send."""

    line: str


@dataclass(frozen=True, slots=True)
class SplitOff:
    """Someone is gone because servers lost each other, not of their own accord: most are back within minutes."""

    chat: ChatId
    person: Person


@dataclass(frozen=True, slots=True)
class Remembered:
    """The server's history of the channel holds this line. ``event`` is ``None`` for what is no news, such as our own; ``mark`` is what stands
    in the tag ``irc_tags.OURS``.
    """

    chat: ChatId
    event: ChatEvent | None
    id: RemoteMessageId | None
    at: int | None
    mark: str = ""


@dataclass(frozen=True, slots=True)
class BanMask:
    """One entry of the channel's list of bans, which we asked for."""

    chat: ChatId
    mask: str


@dataclass(frozen=True, slots=True)
class NoHistory:
    """The server does not give the history that we asked for."""

    chat: ChatId


Fact = (
    ChatEvent | Entered | NotEntered | Removed | Unsent | Answer | SplitOff | Remembered | NoHistory | BanMask
)

_no = partial(Refused, "network_refused")
NOT_ENTERED: dict[str, Callable[[], HavenError]] = {
    "nosuchchannel": partial(Invalid, "network_no_such_chat"),
    "badchanmask": partial(Invalid, "network_no_such_chat"),
    "inviteonlychan": partial(_no, reason="invite_only"),
    "bannedfromchan": partial(_no, reason="banned"),
    "470": partial(_no, reason="invite_only"),
    "badchannelkey": partial(_no, reason="needs_key"),
    "nochanmodes": partial(_no, reason="needs_account"),
    "489": partial(_no, reason="needs_tls"),
    "520": partial(_no, reason="operators_only"),
    "channelisfull": partial(TryLater, "network_chat_full"),
    "toomanychannels": partial(TryLater, "network_too_many_chats"),
    "unavailresource": partial(TryLater, "network_unreachable"),
}
"""What a server answers to JOIN. Numerics: RFC 2812 section 5.2; 470 (sent elsewhere), 477 (``nochanmodes``), 489, 520: https://defs.ircdocs.horse."""

UNSENT: dict[str, Callable[[], GiveUp]] = {
    "cannotsendtochan": partial(_no, reason="no_voice"),
    "nosuchnick": partial(Missing, "network_no_such_chat"),
}
TOPIC_REFUSED: dict[str, Callable[[], GiveUp]] = {
    "chanoprivsneeded": partial(_no, reason="operators_only"),
    "notonchannel": partial(_no, reason="no_voice"),
}

REFUSALS = {*NOT_ENTERED, *UNSENT, *TOPIC_REFUSED}
"""The commands of all lines that refuse."""


def not_redacted(code: str) -> GiveUp:
    """Why a message could not be taken back: ``code`` of https://ircv3.net/specs/extensions/message-redaction."""
    if code.upper() in ("UNKNOWN_MSGID", "REDACT_WINDOW_EXPIRED"):
        return Missing("network_too_late")
    return Refused("network_refused", reason="operators_only")

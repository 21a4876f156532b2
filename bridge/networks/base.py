"""What a network must do, what it may do (capabilities as data), and what it says.

A network is one object behind the ``Network`` port. It knows nothing of Matrix: it gets neutral messages and
says neutral events. The relay never asks for a network's name; it asks ``capabilities``, and ``isinstance``
for the optional ports at the end.

Errors: every method raises ``haven.errors.TryLater`` (with ``after`` where the network said how long) or
``GiveUp``; anything else is taken for a bug of the network.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from haven.ids import ChatId, RemoteMessageId
from haven.ids import Network as NetworkName

from ..message import MediaKind, Style
from ..section import Section
from .acts import Claim, Outgoing, Receipt
from .events import Person, Receive


@dataclass(frozen=True, slots=True)
class Place:
    """How far the bridge got in a chat: the last event of it that is committed. ``at``: milliseconds since 1970, by
    the network's clock where the event had its time, else by ours.
    """

    id: RemoteMessageId
    at: int


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a network can do. The defaults are the poorest network: lines of plain text under one account.

    ``line_bytes`` and ``text_bytes``: most bytes (UTF-8) of one line and of one message, ``None`` for no
    bound worth knowing; a network splits what is longer by itself. ``lists_members``: it says who is in a
    chat, not only who speaks.
    """

    formatting: frozenset[Style] = frozenset()
    colours: bool = False
    edits: bool = False
    deletions: bool = False
    reactions: bool = False
    replies: bool = False
    threads: bool = False
    """It has threads, or comments under a message: ``Message.thread``. Elsewhere the root is quoted."""
    locations: bool = False
    contacts: bool = False
    polls: bool = False
    votes: bool = False
    """Each member's vote can be cast apart. Where polls are but votes are not, votes are said in words."""
    gatherings: bool = False
    timers: bool = False
    """Messages can disappear: it heeds ``Message.expires`` and says ``TimerChanged``."""
    media: frozenset[MediaKind] = frozenset()
    """What it can send as itself (see ``networks.media``); all else becomes a line with a link."""
    media_bytes: int | None = None
    """Most bytes of one file; ``None`` for no bound worth knowing."""
    sends_as_person: bool = False
    """Each Matrix member speaks under a name of their own; otherwise the relay puts the name before the
    text."""
    topic_from_network: bool = False
    topic_to_network: bool = False
    lists_members: bool = False
    roles: bool = False
    """It says who is an operator. Without this nobody can prove a link by saying its code."""
    history: bool = False
    """It can say what happened in a chat while nobody of ours was there."""
    line_bytes: int | None = None
    text_bytes: int | None = None


class Network(Protocol):
    """A network, connected by one account. All that every network must do."""

    @property
    def name(self) -> NetworkName:
        """The short name in CONTRACT's ``<network>``, e.g. ``irc``."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do. May differ from one connection to the next, so it is asked anew each time."""

    async def run(self, receive: Receive) -> None:
        """Connect and stay connected, with back-off, until cancelled; open chats are entered again after
        each reconnect.

        Returns by itself only after having said ``LOGGED_OUT``. Says ``Connection`` at each change of state.
        """

    async def open(self, chat: ChatId, after: Place | None = None) -> None:
        """Be in ``chat`` from now on and say what happens there. Returns when it is so; again for an open
        chat: nothing.

        Where ``capabilities.history``: what was said after ``after`` (``None``: nothing) is said first, in order, before
        anything live; the bridge's own sends are left out. The same after each reconnect, from the last event for
        which ``receive`` returned. In doubt begin too early: what was committed is known by its ``id``. Where the
        history does not reach back to ``after``, say what there is.

        ``TryLater`` while not connected (it is remembered and entered on connect all the same); ``Refused``
        (key ``network_refused``) when the network does not let us in; ``Invalid`` when no chat can have this
        id.
        """

    async def close(self, chat: ChatId) -> None:
        """Leave ``chat``, say nothing about it any more. For a chat that is not open: nothing."""

    async def send(self, outgoing: Outgoing, claim: Claim) -> Receipt:
        """Send, in as many parts as it takes, each claimed. Calls for one chat come one after the other,
        others side by side.

        Raise ``TryLater`` or ``GiveUp`` only where the part claimed last certainly did not go out: it is then unclaimed
        and the whole call repeated, later or when an admin asks for it (parts before it are answered ``False``). In doubt, return.
        """


Build = Callable[[Section], Network]
"""What stands under an entry point of the group ``haven.networks``, whose name is the network's: reads its
section of the configuration (ending with ``done()``) and returns the network; opens nothing yet."""


@runtime_checkable
class LooksUp(Protocol):
    """A network that finds again what it was asked to send (only asked where ``capabilities.history``).

    With it nothing is lost and nothing doubled by a crash between the claim of a part and its being written.
    """

    async def sent(self, outgoing: Outgoing, part: int) -> RemoteMessageId | None:
        """The id of part ``part`` of ``outgoing`` where it stands in the chat, ``None`` where it does not: then it is sent. Asked for
        parts that were claimed in an earlier life; ``TryLater`` where it cannot be said now.
        """


@runtime_checkable
class SetsTopic(Protocol):
    """A network on which the topic of a chat can be set (``capabilities.topic_to_network``)."""

    async def set_topic(self, chat: ChatId, topic: str) -> None:
        """Set it; ``Refused`` where we lack the right."""


@runtime_checkable
class SetsTimer(Protocol):
    """A network on which it can be set after which time the messages of a chat disappear
    (``capabilities.timers``).
    """

    async def set_timer(self, chat: ChatId, seconds: int | None) -> int | None:
        """Set it (``None``: they stay); the time that holds now, where only some can be had. ``Refused`` where
        we lack the right.
        """


@dataclass(frozen=True, slots=True)
class ChatSummary:
    """A chat that could be linked: its id as ``<chat>``, its name for people, how many are in it (``None``:
    unknown).
    """

    chat: ChatId
    name: str
    members: int | None = None


@runtime_checkable
class ListsChats(Protocol):
    """A network that can say which chats there are."""

    async def chats(self) -> tuple[ChatSummary, ...]:
        """Those that this account can see or enter."""


@runtime_checkable
class ListsMembers(Protocol):
    """A network that can say who is in an open chat (``capabilities.lists_members``)."""

    async def members(self, chat: ChatId) -> tuple[Person, ...]:
        """All members now, our own account left out. An empty answer is not a fact."""


@runtime_checkable
class Checks(Protocol):
    """A network that can be tried out without being run, for ``haven-bridge check``."""

    async def check(self) -> None:
        """Connect, log in, disconnect; raises what stands in the way."""


@runtime_checkable
class LogsIn(Protocol):
    """A network whose account needs a person once, for ``haven-bridge login``."""

    async def login(self, show: Callable[[str], None], ask: Callable[[str], Awaitable[str]]) -> None:
        """Lead a person through it: ``show`` prints a line or a QR code in text, ``ask`` asks for a line."""

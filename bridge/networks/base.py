"""What a network must do, what it may do (capabilities as data), and what it says.

A network is one object behind the ``Network`` port. It knows nothing of Matrix: it gets neutral messages and
says neutral events. The relay never asks for a network's name; it asks ``capabilities``, and ``isinstance``
for the optional ports at the end.

Errors: every method raises ``haven.errors.TryLater`` (with ``after`` where the network said how long) or
``GiveUp``; anything else is taken for a bug of the network.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from haven.ids import ChatId, RemoteMessageId, RemoteUserId, UserId
from haven.ids import Network as NetworkName

from ..message import Message, Style
from ..section import Section

# --- what it can do, as data --------------------------------------------------------------------------------


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
    sends_as_person: bool = False
    """Each Matrix member speaks under a name of their own; otherwise the relay puts the name before the
    text."""
    topic_from_network: bool = False
    topic_to_network: bool = False
    lists_members: bool = False
    roles: bool = False
    """It says who is an operator. Without this nobody can prove a link by saying its code."""
    line_bytes: int | None = None
    text_bytes: int | None = None


# --- what it says -------------------------------------------------------------------------------------------


class Role(StrEnum):
    """What a person may do in a chat, as the network says it."""

    MEMBER = "member"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Person:
    """Someone on the network, as seen in one chat. ``name`` is what the network shows; the ghost makes it
    safe.
    """

    id: RemoteUserId
    name: str
    role: Role = Role.MEMBER


@dataclass(frozen=True, slots=True)
class Said:
    """Someone said something. ``id`` is the message's own id on the network, which later edits, replies ...
    name.

    For this and all events: ``id`` is stable (the same event told twice has the same id) and unique within
    ``chat``; a network that has no ids makes one when the event arrives. ``at`` is the network's own time in
    milliseconds since 1970, ``None`` where unknown. What the bridge itself sent is never said.
    """

    id: RemoteMessageId
    chat: ChatId
    person: Person
    message: Message
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Edited:
    """``person`` replaced the text of ``target``, a message of their own."""

    id: RemoteMessageId
    chat: ChatId
    person: Person
    target: RemoteMessageId
    message: Message
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Deleted:
    """``person`` took ``target`` back; not necessarily their own."""

    id: RemoteMessageId
    chat: ChatId
    person: Person
    target: RemoteMessageId
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Reacted:
    """``person`` put ``key`` (an emoji) on ``target``, or took it away."""

    id: RemoteMessageId
    chat: ChatId
    person: Person
    target: RemoteMessageId
    key: str
    removed: bool = False
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """``person`` is in the chat, or their role there changed. Said again for those already there after a
    reconnect.
    """

    id: RemoteMessageId
    chat: ChatId
    person: Person


@dataclass(frozen=True, slots=True)
class Left:
    """``person`` is no longer in the chat, by themselves or not."""

    id: RemoteMessageId
    chat: ChatId
    person: Person


@dataclass(frozen=True, slots=True)
class Renamed:
    """``person`` has a new name. Where names are ids (IRC) ``before`` is the id they had; elsewhere it
    equals ``person.id``.
    """

    id: RemoteMessageId
    chat: ChatId
    before: RemoteUserId
    person: Person


@dataclass(frozen=True, slots=True)
class TopicChanged:
    """The chat's topic is now ``topic`` (plain text, "" for none). ``person`` is ``None`` where nobody in
    sight set it.
    """

    id: RemoteMessageId
    chat: ChatId
    person: Person | None
    topic: str


@dataclass(frozen=True, slots=True)
class ChatGone:
    """The bridge is no longer in the chat: removed, banned, or the chat was dissolved. ``reason``: a key
    ``status.<reason>``.
    """

    id: RemoteMessageId
    chat: ChatId
    reason: str


class ConnectionState(StrEnum):
    """How the network is reached. ``LOGGED_OUT`` needs a person; all else the network mends itself."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    LOST = "lost"
    LOGGED_OUT = "logged_out"


@dataclass(frozen=True, slots=True)
class Connection:
    """The state of the connection changed. Not stored: it is true now or not at all. ``reason``: a key,
    never the network's words.
    """

    state: ConnectionState
    reason: str | None = None


ChatEvent = Said | Edited | Deleted | Reacted | Joined | Left | Renamed | TopicChanged | ChatGone
"""What happens in a chat: stored in the inbox before ``receive`` returns, then handled once, in the order it
was said."""

Event = ChatEvent | Connection
"""All that a network says."""

Receive = Callable[[Event], Awaitable[None]]
"""Takes an event. Returns when it is committed to the inbox: only then may the network acknowledge it.
Events of one chat are said one after the other; ``TryLater`` from it means not stored (say it again)."""


# --- what it is asked to do ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sender:
    """The Matrix member in whose name something is sent; ``name`` is their display name, without control
    characters.
    """

    user: UserId
    name: str


@dataclass(frozen=True, slots=True)
class Say:
    """Say ``message``."""

    message: Message


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace ``target`` by ``message``. Only asked where ``capabilities.edits``; elsewhere the relay says
    it in words.
    """

    target: RemoteMessageId
    message: Message


@dataclass(frozen=True, slots=True)
class Delete:
    """Take ``target`` back. Only asked where ``capabilities.deletions``."""

    target: RemoteMessageId


@dataclass(frozen=True, slots=True)
class React:
    """Put ``key`` on ``target``, or take it away. Only asked where ``capabilities.reactions``."""

    target: RemoteMessageId
    key: str
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One thing to do in ``chat`` for ``sender``; ``None``: in the bridge's own name.

    ``key`` is stable over retries and restarts, unique per thing: networks with ids chosen by the client
    derive theirs from it. Where the network does not send as a person the relay has put the sender's name
    into the text already.
    """

    key: str
    chat: ChatId
    sender: Sender | None
    act: Say | Edit | Delete | React


Claim = Callable[[int], Awaitable[bool]]
"""``await claim(part)``: "I write part number ``part`` (from 0) to the network now". ``True``: it is
committed that it goes out, write it at once. ``False``: it went out in an earlier try or an earlier life,
leave it out. Parts are claimed in order, after any waiting for pace or flood limits, so that only the
instant between the claim and the write is in doubt."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was sent: the network's ids of the parts written by this call, by part number; empty where it
    gives none.
    """

    messages: tuple[tuple[int, RemoteMessageId], ...] = ()


# --- the ports ----------------------------------------------------------------------------------------------


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

    async def open(self, chat: ChatId) -> None:
        """Be in ``chat`` from now on and say what happens there. Returns when it is so; again for an open
        chat: nothing.

        ``TryLater`` while not connected (it is remembered and entered on connect all the same); ``Refused``
        (key ``network_refused``) when the network does not let us in; ``Invalid`` when no chat can have this
        id.
        """

    async def close(self, chat: ChatId) -> None:
        """Leave ``chat``, say nothing about it any more. For a chat that is not open: nothing."""

    async def send(self, outgoing: Outgoing, claim: Claim) -> Receipt:
        """Send, in as many parts as it takes, each claimed. Calls for one chat come one after the other,
        others side by side.

        Raise ``TryLater`` only where the part claimed last certainly did not go out: it is then unclaimed
        and the whole call repeated later (parts before it are answered ``False``). In doubt, return.
        """


Build = Callable[[Section], Network]
"""What stands under an entry point of the group ``haven.networks``, whose name is the network's: reads its
section of the configuration (ending with ``done()``) and returns the network; opens nothing yet."""


@runtime_checkable
class SetsTopic(Protocol):
    """A network on which the topic of a chat can be set (``capabilities.topic_to_network``)."""

    async def set_topic(self, chat: ChatId, topic: str) -> None:
        """Set it; ``Refused`` where we lack the right."""


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

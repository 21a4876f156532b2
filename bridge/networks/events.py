"""What a network says: what happens in its chats, and how it is reached.

Neutral values without anything of Matrix in them. Each event of a chat has an id that is stable, so that the same event told twice is taken
once.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from haven.ids import ChatId, RemoteMessageId, RemoteUserId

from ..message import Message


class Role(StrEnum):
    """What a person may do in a chat, as the network says it. ``VOICED``: speak where others may only read, no more."""

    MEMBER = "member"
    VOICED = "voiced"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Person:
    """Someone on the network, as seen in one chat. ``name`` is what the network shows; the ghost makes it
    safe.

    ``picture``: another text for each other picture ("" for none, or where the network has none): whoever wants to see it asks
    `networks.people.HasPictures`.
    """

    id: RemoteUserId
    name: str
    role: Role = Role.MEMBER
    picture: str = ""


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
class Voted:
    """``person`` chose these options of the poll ``target`` (places from 0; none: took their vote back). It
    is their whole vote, in place of any earlier one. For a gathering the choices are ``message.Answer``.
    """

    id: RemoteMessageId
    chat: ChatId
    person: Person
    target: RemoteMessageId
    choices: tuple[int, ...]
    at: int | None = None


@dataclass(frozen=True, slots=True)
class PollClosed:
    """The poll ``target`` is over. ``person`` is ``None`` where nobody in sight ended it."""

    id: RemoteMessageId
    chat: ChatId
    person: Person | None
    target: RemoteMessageId
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
class Banned:
    """``person`` was banned from the chat, or (``lifted``) may come again. Only said by networks that `ListsBans`: what holds is
    always read there.
    """

    id: RemoteMessageId
    chat: ChatId
    person: Person
    lifted: bool = False


@dataclass(frozen=True, slots=True)
class Renamed:
    """``person`` has a new name, or another picture. Where names are ids (IRC) ``before`` is the id they had; elsewhere it
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
class TimerChanged:
    """Messages of the chat disappear after ``seconds`` from now on; ``None``: they stay. Said again for what
    holds already after a reconnect.
    """

    id: RemoteMessageId
    chat: ChatId
    person: Person | None
    seconds: int | None


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


Talk = Said | Edited | Deleted | Reacted | Voted | PollClosed
"""What people say and do in a chat."""

ChatEvent = Talk | Joined | Left | Banned | Renamed | TopicChanged | TimerChanged | ChatGone
"""What happens in a chat: stored in the inbox before ``receive`` returns, then handled once, in the order it
was said."""


@dataclass(frozen=True, slots=True)
class StructureChanged:
    """Something of what a chat or a community shows of itself, of its groups, or of who asks to be let in may have changed.

    A nudge: not stored, and read anew where it matters (`bridge.networks.structure`).
    """

    chat: ChatId


Event = ChatEvent | Connection | StructureChanged
"""All that a network says."""

Receive = Callable[[Event], Awaitable[None]]
"""Takes an event. Returns when it is committed to the inbox: only then may the network acknowledge it.
Events of one chat are said one after the other; ``TryLater`` from it means not stored (say it again)."""

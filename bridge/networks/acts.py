"""What a network is asked to do in a chat, and what it answers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from haven.ids import ChatId, RemoteMessageId, UserId

from ..message import Message


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
    """Take ``target`` back, and ``more``: the other parts of the same message, where it went out in several.
    Only asked where ``capabilities.deletions``.
    """

    target: RemoteMessageId
    more: tuple[RemoteMessageId, ...] = ()


@dataclass(frozen=True, slots=True)
class React:
    """Put ``key`` on ``target``, or take it away. Only asked where ``capabilities.reactions``."""

    target: RemoteMessageId
    key: str
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Vote:
    """Choose these options of the poll or gathering ``target`` (places from 0), in place of any earlier
    vote of the sender; none: take it back. Only asked where ``capabilities.votes``.
    """

    target: RemoteMessageId
    choices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ClosePoll:
    """End the poll ``target``. Only asked where ``capabilities.polls``."""

    target: RemoteMessageId


Act = Say | Edit | Delete | React | Vote | ClosePoll
"""What can be asked of a network in the name of a person."""


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
    act: Act


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

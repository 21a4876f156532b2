"""Which ids belong to which: messages by the ids that their senders chose, and who wrote a message of the room.

Senders name a message that they correct by the id that they chose (XEP-0308), which is theirs alone: it means something only together with
who chose it, so nobody reaches a message of somebody else's. Bounded: what is older is looked up in the room's archive.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

from haven.ids import RemoteMessageId, RemoteUserId

MOST = 2000
"""Messages of one room that are remembered."""

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """A dictionary of the latest entries only."""

    def __init__(self, most: int = MOST) -> None:
        self._entries: OrderedDict[K, V] = OrderedDict()
        self._most = most

    def put(self, key: K, value: V) -> None:
        """Keep it, as the latest."""
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self._most:
            self._entries.popitem(last=False)

    def get(self, key: K) -> V | None:
        """What is kept, if it still is."""
        return self._entries.get(key)


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a message: ``person``, under ``chosen`` as its id."""

    person: RemoteUserId
    chosen: str


class Known:
    """The latest messages of one room, and the reactions to them."""

    def __init__(self) -> None:
        self._ids: Recent[tuple[RemoteUserId, str], RemoteMessageId] = Recent()
        self._authors: Recent[RemoteMessageId, Author] = Recent()
        self._reactions: Recent[tuple[RemoteUserId, str], frozenset[str]] = Recent()
        self._told: Recent[str, bool] = Recent()
        self._sent: Recent[str, RemoteMessageId] = Recent()

    def said(self, person: RemoteUserId, chosen: str, message: RemoteMessageId) -> None:
        """``person`` said ``message``, under an id of their choice. The first one holds: an id is used once."""
        if self._authors.get(message) is None:
            self._authors.put(message, Author(person, chosen))
        if chosen and self._ids.get((person, chosen)) is None:
            self._ids.put((person, chosen), message)

    def message(self, person: RemoteUserId, chosen: str) -> RemoteMessageId | None:
        """The message of ``person``'s that they gave this id."""
        return self._ids.get((person, chosen))

    def author(self, message: RemoteMessageId) -> Author | None:
        """Who wrote it."""
        return self._authors.get(message)

    def told(self, message: str) -> None:
        """What ``message`` tells has been told. Nothing for "", which is no id."""
        if message:
            self._told.put(message, True)

    def was_told(self, message: str) -> bool:
        """Whether it has been told."""
        return self._told.get(message) is not None

    def sent(self, chosen: str, message: RemoteMessageId) -> None:
        """What we sent as ``chosen`` is ``message``."""
        self._sent.put(chosen, message)

    def ours(self, chosen: str) -> RemoteMessageId | None:
        """What became of what we sent as ``chosen``."""
        return self._sent.get(chosen)

    def reactions(self, person: RemoteUserId, target: str) -> frozenset[str]:
        """The reactions of ``person`` to ``target``, as far as we saw them."""
        return self._reactions.get((person, target)) or frozenset()

    def reacted(
        self, person: RemoteUserId, target: str, now: frozenset[str]
    ) -> tuple[frozenset[str], frozenset[str]]:
        """``now`` is the whole set of ``person``'s reactions to ``target`` (XEP-0444); those that came, and those that went."""
        before = self._reactions.get((person, target)) or frozenset()
        self._reactions.put((person, target), now)
        return now - before, before - now

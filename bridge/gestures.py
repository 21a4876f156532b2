"""What a reaction or a vote is called among the pairs of messages and events, so that it can be found when it is taken back."""

from dataclasses import dataclass
from typing import ClassVar, Self

from haven.ids import EventId, RemoteMessageId, RemoteUserId

_BETWEEN = "\x1f"
"""Between the parts of a name. No NUL: PostgreSQL keeps no text with one in it."""
_THEIRS, _REACTION, _VOTE = "reaction", "own reaction", "own vote"


def theirs(target: RemoteMessageId, person: RemoteUserId, key: str) -> RemoteMessageId:
    """The reaction of somebody on the network."""
    return RemoteMessageId(_BETWEEN.join((_THEIRS, target, person, key)))


def is_theirs(name: RemoteMessageId) -> bool:
    """Whether a name is that of a reaction of somebody on the network."""
    return name.startswith(_THEIRS + _BETWEEN)


@dataclass(frozen=True, slots=True)
class Gesture:
    """What a Matrix member put on the message ``target`` by ``event``: the reaction ``key``, or (``None``) a vote. ``target`` is
    ``NOWHERE`` where the network does not know the message and was told in words.
    """

    NOWHERE: ClassVar[RemoteMessageId] = RemoteMessageId("")

    target: RemoteMessageId
    event: EventId
    key: str | None = None

    @property
    def name(self) -> RemoteMessageId:
        """What it is called."""
        kind = _VOTE if self.key is None else _REACTION
        return RemoteMessageId(_BETWEEN.join((kind, self.target, self.event, self.key or "")))

    @classmethod
    def read(cls, name: RemoteMessageId) -> Self | None:
        """The gesture that is called so; ``None`` where ``name`` is that of a message."""
        kind, *rest = name.split(_BETWEEN)
        if kind not in (_VOTE, _REACTION) or len(rest) != 3:
            return None
        target, event, key = rest
        return cls(RemoteMessageId(target), EventId(event), key if kind == _REACTION else None)

"""A Matrix event on its way to a network, and what is to be done there for it."""

from collections.abc import Mapping
from dataclasses import dataclass

from haven.ids import EventId, RemoteMessageId, UserId

from .networks.acts import Act


@dataclass(frozen=True, slots=True)
class Spoken:
    """A Matrix event on its way out; ``redacts`` only for redactions."""

    event: EventId
    type: str
    sender: UserId
    content: Mapping[str, object]
    redacts: EventId | None = None


@dataclass(frozen=True, slots=True)
class Doing:
    """What to do in a chat. ``gesture``: what the event is called among the pairs, where it is no message (``gestures``)."""

    act: Act
    gesture: RemoteMessageId | None = None

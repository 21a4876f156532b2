"""What the memory network keeps of a chat's past, for accounts that were away."""

from dataclasses import dataclass, field

from haven.ids import RemoteMessageId

from .base import Place
from .events import ChatEvent


@dataclass(slots=True)
class Past:
    """What people said and did in one chat, in order; the bridge's own sends are no part of it."""

    events: list[ChatEvent] = field(default_factory=list)
    _numbers: dict[RemoteMessageId, int] = field(default_factory=dict)

    def keep(self, event: ChatEvent) -> None:
        """Add an event, which has the next number."""
        self._numbers[event.id] = len(self.events)
        self.events.append(event)

    def number(self, event: ChatEvent) -> int | None:
        """The number of an event, from 0; ``None`` for one that is not kept."""
        return self._numbers.get(event.id)

    def since(self, place: Place | None) -> int:
        """The number of the first event that is news for a client that knows ``place``; none are where it knows none."""
        if place is None:
            return len(self.events)
        known = self._numbers.get(place.id)
        if known is not None:
            return known + 1
        return sum((getattr(event, "at", None) or 0) <= place.at for event in self.events)

"""The polls of rooms, as they stand there: what was asked, and what its answers are called."""

from collections import OrderedDict
from dataclasses import dataclass

from haven.errors import GiveUp
from haven.ids import EventId, RoomId, UserId

from .convert.polls import Ballot, ballot_of
from .homeserver import AppserviceHomeserver

MOST = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """A poll in a room, and who asked it."""

    sender: UserId
    ballot: Ballot


class Ballots:
    """The last five hundred polls, in memory only; others are asked of the homeserver."""

    def __init__(self, homeserver: AppserviceHomeserver) -> None:
        self._homeserver = homeserver
        self._kept: OrderedDict[tuple[RoomId, EventId], Asked] = OrderedDict()

    async def find(self, room: RoomId, event: EventId) -> Asked | None:
        """The poll that an event asks; ``None`` where it is none, or gone. Raises ``TryLater``."""
        if (room, event) not in self._kept:
            try:
                sender, content = await self._homeserver.read_event(room, event)
            except GiveUp:
                return None
            ballot = ballot_of(content)
            if ballot is None:
                return None
            self._kept[room, event] = Asked(sender, ballot)
            if len(self._kept) > MOST:
                self._kept.popitem(last=False)
        self._kept.move_to_end((room, event))
        return self._kept[room, event]

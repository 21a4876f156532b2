"""What was said lately, in short: the words that a reply, a deletion or a reaction quotes where a network
has none of these.
"""

from collections import OrderedDict
from dataclasses import dataclass

from haven.errors import GiveUp
from haven.ids import EventId, RoomId

from .convert.from_matrix import read_any
from .convert.lessened import gist
from .homeserver import AppserviceHomeserver
from .rooms import Rooms

MOST = 2000
LONGEST = 60


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Who said what; both "" where it cannot be known any more."""

    author: str = ""
    words: str = ""


class Excerpts:
    """The last two thousand messages by event, in memory only; older ones are asked of the homeserver."""

    def __init__(self, homeserver: AppserviceHomeserver, rooms: Rooms) -> None:
        self._homeserver = homeserver
        self._rooms = rooms
        self._kept: OrderedDict[tuple[RoomId, EventId], Excerpt] = OrderedDict()

    def keep(self, room: RoomId, event: EventId, author: str, words: str) -> None:
        """Remember what ``author`` said."""
        self._kept[room, event] = Excerpt(author, shortened(words))
        self._kept.move_to_end((room, event))
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)

    async def find(self, room: RoomId, event: EventId) -> Excerpt:
        """What an event said."""
        if (room, event) in self._kept:
            return self._kept[room, event]
        try:
            sender, content = await self._homeserver.read_event(room, event)
        except GiveUp:
            return Excerpt()
        said = read_any(content)
        return Excerpt(self._rooms.name_of(room, sender), shortened(gist(said.message)) if said else "")


def shortened(text: str) -> str:
    """One line of at most sixty characters."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1].rstrip()}…"

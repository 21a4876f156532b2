"""The links at work: which room is joined to which chat, found by either end."""

from collections.abc import Iterator
from dataclasses import dataclass

from haven.ids import ChatId, EventId, Network, RoomId, UserId
from haven.stateevents import bridge_key


@dataclass(slots=True, eq=False)
class Linked:
    """One link: a room and a chat. ``proven``: an operator of the chat has confirmed it; before that nothing
    is carried.

    ``event`` is the ``chat.haven.link`` event that asked for it. ``whole``: the room is a space, and the chat a community: nothing is
    carried between them, but their groups are kept alike. ``hears``: the chat in which such a link is proven, once it is known.
    """

    room: RoomId
    network: Network
    chat: ChatId
    by: UserId
    event: EventId
    proven: bool = False
    whole: bool = False
    hears: ChatId | None = None

    @property
    def key(self) -> str:
        """The state key of its ``chat.haven.link``."""
        return f"{self.network}:{self.chat}"

    @property
    def bridge_key(self) -> str:
        """The state key of its ``m.bridge``."""
        return bridge_key(self.network, self.chat)

    @property
    def to_matrix(self) -> str:
        """The lane of what comes from the chat."""
        return f"{self.network}:{self.chat}>{self.room}"

    @property
    def to_network(self) -> str:
        """The lane of what goes to the chat."""
        return f"{self.room}>{self.network}:{self.chat}"


class Links:
    """All links that are wanted, by room and by chat."""

    def __init__(self) -> None:
        self._by_room: dict[RoomId, dict[str, Linked]] = {}
        self._by_chat: dict[tuple[Network, ChatId], dict[RoomId, Linked]] = {}

    def __iter__(self) -> Iterator[Linked]:
        return iter([link for links in self._by_room.values() for link in links.values()])

    def put(self, link: Linked) -> None:
        """Add a link, or replace the one between the same two."""
        self._by_room.setdefault(link.room, {})[link.key] = link
        self._by_chat.setdefault((link.network, link.chat), {})[link.room] = link

    def listen(self, link: Linked, chat: ChatId | None) -> None:
        """Have a link of a whole community hear a chat beside its own, until it is proven; ``None``: no more."""
        if link.hears is not None:
            self._by_chat.get((link.network, link.hears), {}).pop(link.room, None)
        link.hears = chat
        if chat is not None:
            self._by_chat.setdefault((link.network, chat), {})[link.room] = link

    def drop(self, link: Linked) -> None:
        """Forget a link."""
        if link.hears is not None:
            self._by_chat.get((link.network, link.hears), {}).pop(link.room, None)
        self._by_room.get(link.room, {}).pop(link.key, None)
        self._by_chat.get((link.network, link.chat), {}).pop(link.room, None)

    def find(self, room: RoomId, network: Network, chat: ChatId) -> Linked | None:
        """The link between the two, if there is one."""
        return self._by_chat.get((network, chat), {}).get(room)

    def of_room(self, room: RoomId) -> tuple[Linked, ...]:
        """The links of a room."""
        return tuple(self._by_room.get(room, {}).values())

    def of_chat(self, network: Network, chat: ChatId) -> tuple[Linked, ...]:
        """The links of a chat."""
        return tuple(self._by_chat.get((network, chat), {}).values())


def way_of(lane: str) -> tuple[Network, str] | None:
    """The network of a lane that a link named, and ``in`` (to Matrix) or ``out``; ``None`` for any other lane."""
    first, arrow, second = lane.partition(">")
    if first.startswith("!"):
        network, colon, _ = second.partition(":")
        return (Network(network), "out") if colon else None
    network, colon, _ = first.partition(":")
    return (Network(network), "in") if colon and arrow else None

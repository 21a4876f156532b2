"""``plan``: what the bridge would do about the links that the rooms ask for, without doing it."""

from dataclasses import dataclass

from haven.errors import Invalid
from haven.ids import ChatId, Network, RoomId
from haven.ports import Homeserver
from haven.stateevents import BRIDGE, LINK, LinkState, read_link, read_status

from .rooms import Rooms, RoomView


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that would change. ``change``: a key ``command.plan_<change>``."""

    room: RoomId
    network: Network
    chat: ChatId
    change: str


async def outlook(homeserver: Homeserver, rooms: Rooms) -> tuple[Step, ...]:
    """Read every room of the bot into ``rooms`` and say what would change. Raises ``TryLater`` where the homeserver does
    not answer.
    """
    steps: list[Step] = []
    for room in sorted(await homeserver.joined_rooms()):
        view = rooms.read(room, await homeserver.room_state(room))
        steps += _steps(room, view, homeserver)
    return tuple(steps)


def _steps(room: RoomId, view: RoomView, homeserver: Homeserver) -> list[Step]:
    states = {
        (status.network, status.chat): status.state
        for (kind, _), event in view.state.items()
        if kind == BRIDGE and event.sender == homeserver.user and (status := read_status(event.content))
    }
    steps: list[Step] = []
    wanted: set[tuple[Network, ChatId]] = set()
    for (kind, key), event in view.state.items():
        if kind != LINK:
            continue
        try:
            link = read_link(event.content)
        except Invalid:
            continue
        if link is None or link.key != key:
            continue
        wanted.add((link.network, link.chat))
        proven = link.proven and event.sender == homeserver.user
        target = LinkState.LINKED if proven else LinkState.PROOF
        if states.get((link.network, link.chat)) is not target:
            steps.append(Step(room, link.network, link.chat, "enter" if proven else "open"))
    steps += [
        Step(room, network, chat, "close")
        for (network, chat), state in states.items()
        if (network, chat) not in wanted and state is not LinkState.UNLINKED
    ]
    return steps

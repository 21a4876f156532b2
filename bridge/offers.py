"""`bridge chats`: asked in an admins' room by state (`haven.wishes.LOOK`), answered there in words: what can be linked, by name."""

import hashlib
from collections.abc import Mapping

from haven.errors import GiveUp, HavenError
from haven.ids import ChatId, RoomId
from haven.ids import Network as NetworkName
from haven.stateevents import GROUP
from haven.texts import readable_description
from haven.wishes import LOOK

from .admins import Admins
from .homeserver import AppserviceHomeserver
from .i18n import Voice
from .links import Links
from .networks.base import ChatSummary, ListsChats, Network
from .networks.structure import HasCommunities
from .rooms import Rooms

MOST = 50
"""How many are named; of more only the number is said."""


class Offers:
    """Answers what admins ask for."""

    def __init__(
        self,
        homeserver: AppserviceHomeserver,
        rooms: Rooms,
        admins: Admins,
        networks: Mapping[NetworkName, Network],
        *,
        links: Links,
        voice: Voice,
    ) -> None:
        self._links = links
        self._homeserver = homeserver
        self._rooms = rooms
        self._admins = admins
        self._networks = networks
        self._voice = voice

    async def answer(self, room: RoomId) -> None:
        """Answer what is asked in a room, if it is an admins' room and the community's bot asks. Raises `TryLater` where the homeserver
        does not answer.
        """
        view = self._rooms.view(room)
        asked = {key: event for (kind, key), event in view.state.items() if kind == LOOK and event.content}
        if not asked or not self._admins.is_admins_room(room):
            return
        for network, event in asked.items():
            if event.sender != view.state[GROUP, ""].sender:
                continue
            words = await self._words(NetworkName(network), room)
            content = {"msgtype": "m.notice", "body": words, "m.mentions": {}}
            transaction = hashlib.sha256(f"look {event.event}".encode()).hexdigest()[:32]
            try:
                await self._homeserver.send_message(room, "m.room.message", content, transaction)
                done = await self._homeserver.send_state(room, LOOK, network, {})
            except GiveUp:
                continue  # without power there; it is tried again when something changes
            view.note(LOOK, network, self._homeserver.user, {}, done)

    async def _words(self, name: NetworkName, room: RoomId) -> str:
        network = self._networks.get(name)
        if network is None:
            return self._voice.say("offers.no_network", network=name[:100])
        try:
            chats = await network.chats() if isinstance(network, ListsChats) else ()
            wholes = await network.communities() if isinstance(network, HasCommunities) else ()
        except HavenError:
            return self._voice.say("offers.unreachable", network=name)
        others = self._others(name, room)
        chats, wholes = (tuple(one for one in some if one.chat not in others) for some in (chats, wholes))
        if not chats and not wholes:
            return self._voice.say("offers.none", network=name)
        lines = [self._voice.say("offers.head", network=name)]
        lines += [self._line("whole", one) for one in wholes[:MOST]]
        lines += [self._line("chat", one) for one in chats[:MOST]]
        more = max(0, len(wholes) - MOST) + max(0, len(chats) - MOST)
        return "\n".join([*lines, *([self._voice.say("offers.more", n=more)] if more else [])])

    def _others(self, network: NetworkName, room: RoomId) -> set[ChatId]:
        """What is another community's: its admins have proven that, and who else asks does not hear of it."""
        proven = [link for link in self._links if link.network == network and link.proven]
        return {link.chat for link in proven if self._admins.room_of(link.room) != room}

    def _line(self, kind: str, one: ChatSummary) -> str:
        name = " ".join(readable_description(one.name).split())[:100] or "?"
        return self._voice.say(f"offers.{kind}", chat=str(one.chat), name=name)

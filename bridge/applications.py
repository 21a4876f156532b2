"""Who asks on a network to be let in, and which groups are suggested there: brought before the admins of the community, and answered."""

import logging
from collections.abc import Mapping

from haven.errors import GiveUp
from haven.ids import ChatId, RoomId
from haven.texts import NAME_LIMIT, readable_description
from haven.wishes import Asking, Wish

from .asks import Asks
from .convert.names import safe_name, without_numbers
from .links import Linked
from .networks.base import Network
from .networks.structure import Application, TakesApplications
from .rooms import Rooms

log = logging.getLogger(__name__)


class Applications:
    """Asks the admins, and carries their answers back."""

    def __init__(self, asks: Asks, rooms: Rooms) -> None:
        self._asks = asks
        self._rooms = rooms

    async def wishes(
        self, link: Linked, network: Network, pairs: Mapping[ChatId, RoomId]
    ) -> dict[str, Asking]:
        """What waits for the admins' word; what they have answered is answered on the network first. Raises `TryLater`."""
        if not isinstance(network, TakesApplications):
            return {}
        wishes: dict[str, Asking] = {}
        scope = self._asks.name(f"{link.network}\0{link.chat}")
        for one in await network.applications(link.chat):
            name = self._asks.name(f"application\0{one.id}")
            answered = self._asks.answer(link.room, scope, name)
            if answered is None or not await self._answer(network, one, admit=answered.yes):
                wishes[name] = self._asking(link, one, pairs.get(one.chat))
        return wishes

    async def _answer(self, network: TakesApplications, one: Application, *, admit: bool) -> bool:
        """Whether the network took the answer."""
        try:
            await network.answer(one, admit=admit)
        except GiveUp as error:
            log.warning("An answer was not taken by the network: %s", error)
            return False
        return True

    def _asking(self, link: Linked, one: Application, room: RoomId | None) -> Asking:
        who = safe_name(without_numbers(one.person.name), "?")
        if one.look is None:
            return Asking(link.network, one.chat, Wish.JOIN, who, room=room)
        name = " ".join(readable_description(one.look.name).split())[:NAME_LIMIT] or "?"
        topic = readable_description(one.look.topic)
        return Asking(link.network, one.chat, Wish.SUGGESTION, name, topic, who=who)

"""The topics of a link's two ends, kept alike: whoever changed theirs since both were last seen is followed.

What was last seen at either end is kept in the database as a pair, since two ends that differ from the start
may do so in peace until somebody changes one. Where both changed at once, both stay (as in ``haven.merge``).
"""

import json
import logging

from haven.errors import GiveUp

from .homeserver import AppserviceHomeserver
from .links import Linked
from .networks.base import Network, SetsTopic
from .rooms import Rooms
from .store import Store

log = logging.getLogger(__name__)

CUT = 80
"""Characters from which on the beginning of a topic counts as the topic: networks cut long ones."""


class Topics:
    """The topics of all links."""

    def __init__(self, homeserver: AppserviceHomeserver, store: Store, rooms: Rooms) -> None:
        self._homeserver = homeserver
        self._store = store
        self._rooms = rooms

    async def heard(self, link: Linked, topic: str) -> None:
        """Take note of the topic that the chat has now."""
        await self._store.keep(f"topic there {link.to_matrix}", _line(topic))

    async def settle(self, link: Linked, network: Network) -> None:
        """Compare the two ends and carry a change over. Raises ``TryLater`` where an end cannot be
        reached.
        """
        here = _line(self._rooms.view(link.room).topic)
        there = await self._store.recall(f"topic there {link.to_matrix}") or ""
        before = json.loads(await self._store.recall(f"topic seen {link.to_matrix}") or '["", ""]')
        changed_here, changed_there = not _same(here, before[0]), not _same(there, before[1])
        try:
            if _same(here, there):
                pass
            elif changed_here and not changed_there:
                there = await self._bring_there(link, network, here, there)
            elif changed_there and not changed_here:
                here = await self._bring_here(link, network, here, there)
            elif changed_here:
                log.info("The topics of a link differ; both stay as they are")
        except GiveUp as error:
            log.info("A topic could not be carried over: %s", error)
        if [here, there] != before:
            await self._store.keep(f"topic seen {link.to_matrix}", json.dumps([here, there]))

    async def _bring_there(self, link: Linked, network: Network, here: str, there: str) -> str:
        if not (network.capabilities.topic_to_network and isinstance(network, SetsTopic)):
            return there
        await network.set_topic(link.chat, here)
        await self.heard(link, here)
        return here

    async def _bring_here(self, link: Linked, network: Network, here: str, there: str) -> str:
        if not network.capabilities.topic_from_network:
            return here
        content = {"topic": there, "m.topic": {"m.text": [{"body": there}]}}
        event = await self._homeserver.send_state(link.room, "m.room.topic", "", content)
        self._rooms.view(link.room).note("m.room.topic", "", self._homeserver.user, content, event)
        return there


def _line(topic: str) -> str:
    return " ".join(topic.split())


def _same(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return short == long or (len(short) >= CUT and long.startswith(short))

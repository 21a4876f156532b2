"""Does what the inbox holds: finds the link of an item and sends it its way, to Matrix or to a network."""

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from haven.errors import GiveUp, Invalid
from haven.ids import ChatId, EventId, RoomId, UserId, server_of
from haven.ids import Network as NetworkName

from .caretaker import Caretaker
from .homeserver import AppserviceHomeserver
from .keeper import Keeper
from .links import Linked, Links
from .networks.base import Network
from .networks.events import ChatEvent, Said, TimerChanged, TopicChanged
from .reports import Reports
from .spelling import read
from .spoken import Spoken
from .store import Item, Pair
from .timers import Timers
from .to_matrix import ToMatrix
from .to_network import ToNetwork
from .topics import Topics

log = logging.getLogger(__name__)


class Relay:
    """The handler of the inbox."""

    def __init__(
        self,
        *,
        homeserver: AppserviceHomeserver,
        networks: Mapping[NetworkName, Network],
        links: Links,
        keeper: Keeper,
        caretaker: Caretaker,
        topics: Topics,
        timers: Timers,
        to_matrix: ToMatrix,
        to_network: ToNetwork,
        reports: Reports,
    ) -> None:
        self._homeserver = homeserver
        self._networks = networks
        self._links = links
        self._keeper = keeper
        self._caretaker = caretaker
        self._topics = topics
        self._timers = timers
        self._to_matrix = to_matrix
        self._to_network = to_network
        self._reports = reports

    async def handle(self, item: Item) -> Sequence[Pair]:
        """Do one item. What belongs to a link that is no more is done by doing nothing."""
        await self._keeper.ready.wait()
        job = _job(item)
        if job["to"] == "room":
            await self._enter(RoomId(job["room"]), job["via"])
            return ()
        if job["to"] in {"report", "redo", "redone", "ring"}:
            await self._reports.handle(item, job)
            return ()
        link = self._link(job)
        if link is None:
            return ()
        if job["to"] == "network":
            return await self._outwards(item, link, job["event"])
        return await self._inwards(link, read(job["event"], ChatEvent))

    async def _inwards(self, link: Linked, event: ChatEvent) -> Sequence[Pair]:
        if link.whole and link.proven:
            return ()
        if link.proven:
            return await self._to_matrix.carry(link, event)
        if isinstance(event, Said):
            await self._caretaker.heard(link, event)
        if isinstance(event, TopicChanged) and not link.whole:
            await self._topics.heard(link, event.topic)
        if isinstance(event, TimerChanged):
            await self._timers.heard(link, event.seconds)
        return ()

    async def _outwards(self, item: Item, link: Linked, event: dict[str, Any]) -> Sequence[Pair]:
        network = self._networks.get(link.network)
        if network is None or not link.proven:
            return ()
        return await self._to_network.carry(item, link, network, _spoken(event))

    def _link(self, job: Mapping[str, Any]) -> Linked | None:
        if "link" not in job:
            return None
        room, network, chat = job["link"]
        return self._links.find(RoomId(room), NetworkName(network), ChatId(chat))

    async def _enter(self, room: RoomId, server: str) -> None:
        """Accept an invite from somebody of our own server; others have no business with this bridge."""
        if server != server_of(self._homeserver.user):
            log.warning("An invite from another server was refused")
            await self._homeserver.leave(room)
            return
        try:
            await self._homeserver.join(room)
        except GiveUp as error:
            log.warning("An invite could not be accepted: %s", error)
            return
        self._keeper.nudge(room)


def _job(item: Item) -> dict[str, Any]:
    try:
        job = json.loads(item.payload)
    except ValueError:
        raise Invalid("damaged") from None
    if not isinstance(job, dict):
        raise Invalid("damaged")
    return job


def _spoken(event: Mapping[str, Any]) -> Spoken:
    content = event.get("content")
    content = content if isinstance(content, dict) else {}
    # Room versions before 11 name the redacted event at the top, later ones in the content. The other place anybody may fill as they like.
    named = {place["redacts"] for place in (content, event) if isinstance(place.get("redacts"), str)}
    redacts = EventId(named.pop()) if len(named) == 1 else None
    return Spoken(
        EventId(str(event.get("event_id"))),
        str(event.get("type")),
        UserId(str(event.get("sender"))),
        content,
        redacts,
    )

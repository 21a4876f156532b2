"""After which time messages disappear, kept alike at a link's two ends: a chat's timer and its room's ``m.room.retention``.

Whoever changed theirs since both were last seen is followed; where both changed at once, both stay. Source: MSC1763.
"""

import asyncio
import json
import logging
from weakref import WeakValueDictionary

from haven.errors import GiveUp
from haven.stateevents import RETENTION, read_retention, retention_content

from .homeserver import AppserviceHomeserver
from .links import Linked
from .networks.base import Network, SetsTimer
from .rooms import Rooms
from .store import Store

log = logging.getLogger(__name__)

LONGEST = 10 * 365 * 24 * 3600
"""Seconds; what a network says beyond it (or below one) counts as never."""


class Timers:
    """The timers of all links. All times are in seconds, ``None`` for never."""

    def __init__(self, homeserver: AppserviceHomeserver, store: Store, rooms: Rooms) -> None:
        self._homeserver = homeserver
        self._store = store
        self._rooms = rooms
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of_room(self, link: Linked) -> int | None:
        """After how many seconds the room's messages disappear."""
        lifetime = read_retention(self._rooms.view(link.room).content(RETENTION))
        return max(1, lifetime // 1000) if lifetime is not None else None

    async def heard(self, link: Linked, seconds: int | None) -> None:
        """Take note of the timer that the chat has now."""
        told = seconds if seconds is not None and 0 < seconds <= LONGEST else None
        await self._store.keep(f"timer there {link.to_matrix}", json.dumps(told))

    async def settle(self, link: Linked, network: Network) -> None:
        """Compare the two ends and carry a change over. Raises ``TryLater`` where an end cannot be reached."""
        # The network's own news and the link's caretaker may both come here: one after the other, or each takes the other's for a conflict.
        async with self._turns.setdefault(link.to_matrix, asyncio.Lock()):
            await self._settle(link, network)

    async def _settle(self, link: Linked, network: Network) -> None:
        told = await self._store.recall(f"timer there {link.to_matrix}")
        if told is None or not network.capabilities.timers:
            return
        here, there = self.of_room(link), json.loads(told)
        known = await self._store.recall(f"timer seen {link.to_matrix}")
        # What differs from the start does so in peace: to link a chat must not make anything disappear.
        before = json.loads(known) if known is not None else [here, there]
        try:
            here, there = await self._carried(link, network, (here, there), before)
        except GiveUp as error:
            log.info("A timer could not be carried over: %s", error)
        if known is None or [here, there] != before:
            await self._store.keep(f"timer seen {link.to_matrix}", json.dumps([here, there]))

    async def _carried(
        self, link: Linked, network: Network, now: tuple[int | None, int | None], before: list[int | None]
    ) -> tuple[int | None, int | None]:
        here, there = now
        changed_here, changed_there = here != before[0], there != before[1]
        if here == there or not (changed_here or changed_there):
            return now
        if changed_here and changed_there:
            log.info("The timers of a link differ; both stay as they are")
            return now
        if changed_there:
            await self._bring_here(link, there)
            return there, there
        if not isinstance(network, SetsTimer):
            return now
        held = await network.set_timer(link.chat, here)
        await self.heard(link, held)
        return here, held

    async def _bring_here(self, link: Linked, seconds: int | None) -> None:
        view = self._rooms.view(link.room)
        before = view.content(RETENTION)
        content = retention_content(seconds * 1000 if seconds else None, before)
        event = await self._homeserver.send_state(link.room, RETENTION, "", content)
        view = self._rooms.view(link.room)
        if view.content(RETENTION) == before:  # else somebody has changed it since, and it was read again
            view.note(RETENTION, "", self._homeserver.user, content, event)

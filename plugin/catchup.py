"""Catches up with what was said while nobody listened.

maubot's client begins to sync before its plugins are there, and passes over the first answer after each start. So we remember how
far we have come ourselves, and ask once for what came after that. What is heard twice is taken once (`plugin.engine`).
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from haven.errors import GiveUp, TryLater
from haven.ids import RoomId

from .clock import Clock

log = logging.getLogger("haven.catchup")

PLACE = "sync"
"""Under what name the place is remembered."""

EVERY = 5.0
"""Seconds between two notes of how far we have come: what lies between is only heard again."""

PAUSE = 5.0
"""Seconds to wait where the homeserver does not answer and does not say how long."""


class TellsSince(Protocol):
    """``GET /sync``, once."""

    async def sync_since(self, place: str) -> Mapping[str, Any]:
        """What has come after a place, without waiting for more; messages and reactions only."""

    async def members_since(self, place: str, rooms: Collection[RoomId]) -> Mapping[str, Any]:
        """Who has come into these rooms after a place, and who has left or was put out, the last hundred of each room."""


class RemembersPlaces(Protocol):
    """Where small things outlive us."""

    async def recall(self, name: str) -> str:
        """What was kept under a name; "" where nothing was."""

    async def keep(self, name: str, value: str) -> None:
        """Keep something under a name."""


@dataclass(slots=True)
class Catchup:
    """Reads on from where an earlier life was.

    ``take``: is given each answer of ``/sync``. ``witnessed``: is given what members did in the ``spaces`` meanwhile, which the rooms
    show already.
    """

    homeserver: TellsSince
    memory: RemembersPlaces
    take: Callable[[Mapping[str, Any]], None]
    clock: Clock
    spaces: Callable[[], Collection[RoomId]]
    witnessed: Callable[[Mapping[str, Any]], None]
    _place: str = ""
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    def came_to(self, place: str) -> None:
        """The client has come so far."""
        self._place = place
        self._moved.set()

    async def run(self) -> None:
        """Catch up, then keep note of how far we have come, until cancelled."""
        await self._catch_up(await self.memory.recall(PLACE))
        while True:
            await self._moved.wait()
            self._moved.clear()
            await self.memory.keep(PLACE, self._place)
            await self.clock.wait(EVERY)

    async def _catch_up(self, place: str) -> None:
        while place:
            try:
                spaces = self.spaces()
                if spaces:
                    self.witnessed(await self.homeserver.members_since(place, spaces))
                self.take(await self.homeserver.sync_since(place))
            except TryLater as later:
                await self.clock.wait(PAUSE if later.after is None else later.after)
            except GiveUp as error:
                log.warning("what was said meanwhile cannot be read: %s", error)
                return
            else:
                return

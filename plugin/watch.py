"""Turns nudges into looking: reads what may have changed, and wakes the keepers of the communities it is about."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field

from haven.errors import TryLater
from haven.ids import RoomId
from haven.intent import Intent
from haven.model import Community
from haven.snapshot import World

from .clock import Clock, within
from .concerns import Concern
from .faults import reference_of
from .keeper import Keeper
from .notices import Notices, concerns_by_space
from .rooms import Rooms
from .service.communities import Communities
from .service.run import pause

log = logging.getLogger("haven.watch")

DEBOUNCE = 0.2
"""Seconds from the first nudge to looking: what belongs together comes together."""


async def _unheard(room: RoomId) -> None:
    """Nobody wants to know."""


@dataclass(slots=True)
class Watch:
    """Looks after all communities. ``reread``: seconds between two readings of everything.

    ``changed``: told of every room of a community in which something may have changed. May raise `TryLater`.
    """

    rooms: Rooms
    communities: Communities
    notices: Notices
    clock: Clock
    reread: float
    changed: Callable[[RoomId], Awaitable[None]] = _unheard
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _touched: set[RoomId] = field(default_factory=set)
    _keepers: dict[RoomId, tuple[Keeper, asyncio.Task[None]]] = field(default_factory=dict)
    _noticed: dict[RoomId, tuple[Concern, ...]] = field(default_factory=dict)

    def nudge(self, room: RoomId) -> None:
        """Something may have changed in a room."""
        self._touched.add(room)
        self._wake.set()

    async def open(self) -> None:
        """See everything for the first time, however long the homeserver needs."""
        attempt = 0
        while not await self._seen_all():
            await self.clock.wait(pause(TryLater("unseen"), attempt))
            attempt += 1
        self.ready.set()

    async def run(self) -> None:
        """Look after all communities until cancelled. `open` comes first."""
        try:
            self._touched |= self.rooms.world.keys()
            await self._round()
            while True:
                if await within(self._wake, self.clock, self.reread):
                    await self.clock.wait(DEBOUNCE)
                    self._wake.clear()
                else:
                    await self._seen_all()
                    self._touched |= self.rooms.world.keys()
                await self._round()
        finally:
            await self._stop(tuple(self._keepers))

    async def _seen_all(self) -> bool:
        self.rooms.doubt_all()
        try:
            await self.rooms.look()
            await self.rooms.observe()
        except TryLater as later:
            log.warning("the rooms cannot be read now: %s", later)
            return False
        return True

    async def _round(self) -> None:
        """Look once, and wake whom it concerns."""
        touched, self._touched = self._touched, set()
        try:
            world = await self.rooms.observe()
            intent = self.communities.intent_of(world)
            await self._stop(self._keepers.keys() - intent.communities.keys())
            for space in affected(intent, world, touched):
                self._keeper(space).nudge()
            await self._notice(intent, world)
            for room in touched & world.keys():
                await self.changed(room)
        except TryLater as later:
            log.warning("rooms cannot be read now: %s", later)
            self._touched |= touched
            self._wake.set()
            await self.clock.wait(pause(later, 0))
        except Exception as error:
            reference_of(log, error, "looking at the rooms")

    async def _notice(self, intent: Intent, world: World) -> None:
        now = concerns_by_space(intent, world)
        for space, concerns in now.items():
            if self._noticed.get(space) != concerns:
                await self.notices.report(space, "notice", concerns)
        self._noticed = dict(now)

    def _keeper(self, space: RoomId) -> Keeper:
        kept = self._keepers.get(space)
        if kept is None or kept[1].done():
            keeper = Keeper(space, self.communities, self._report, self.clock)
            kept = self._keepers[space] = keeper, asyncio.create_task(keeper.run(), name=f"keeper {space}")
        return kept[0]

    async def _report(self, space: RoomId, concerns: tuple[Concern, ...]) -> None:
        await self.notices.report(space, "keeper", concerns)

    async def _stop(self, spaces: Iterable[RoomId]) -> None:
        tasks = [self._keepers.pop(space)[1] for space in tuple(spaces)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def affected(intent: Intent, world: World, touched: Iterable[RoomId]) -> Iterator[RoomId]:
    """The communities that changes in these rooms may concern; rooms made twice for a slot included."""
    rooms = frozenset(touched)
    slots = {room.slot for room in (world.get(each) for each in rooms) if room} - {""}
    for space, community in intent.communities.items():
        if rooms & _rooms(community) or slots & _slots(community):
            yield space


def _rooms(community: Community) -> set[RoomId]:
    return {community.space, *(group.room for group in community.groups)}


def _slots(community: Community) -> set[str]:
    return {community.slot, *(group.slot for group in community.groups)}

"""Turns nudges into looking: reads what may have changed, and wakes the keepers of the communities it is about."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from haven.errors import TryLater
from haven.ids import RoomId, UserId
from haven.ports import StateEvent
from haven.snapshot import Census
from haven.stateevents import GROUP
from haven.succession import latest

from .clock import Clock, within
from .concerns import Concern
from .faults import reference_of
from .keeper import Keeper
from .notices import Notices, concerns_by_space
from .rooms import Rooms
from .service.communities import Communities
from .service.run import pause

log = logging.getLogger("haven.watch")

NOTICE_PAUSE = 2.0
"""Seconds between two looks at everything for what is damaged."""

DEBOUNCE = 0.2
"""Seconds from the first nudge to looking: what belongs together comes together."""


async def _unheard(room: RoomId) -> None:
    """Nobody wants to know."""


def _unnoticed(room: RoomId, event: StateEvent) -> None:
    """Nobody watches."""


async def _unseen(rooms: Iterable[RoomId]) -> None:
    """Nobody looks first."""


@dataclass(slots=True)
class Watch:
    """Looks after all communities. ``reread``: seconds between two readings of everything.

    ``changed``: told of every room in which something may have changed. May raise `TryLater`.
    ``before``: told of such rooms before the keepers look after them; must be quick.
    ``saw``: told of every state event before anything is made of it; must not wait.
    """

    rooms: Rooms
    communities: Communities
    notices: Notices
    clock: Clock
    reread: float
    changed: Callable[[RoomId], Awaitable[None]] = _unheard
    before: Callable[[Iterable[RoomId]], Awaitable[None]] = _unseen
    saw: Callable[[RoomId, StateEvent], None] = _unnoticed
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _stale: asyncio.Event = field(default_factory=asyncio.Event)
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
        noticing = asyncio.create_task(self._notice_again(), name="notices")
        try:
            await self._round(self.rooms.world.keys())
            while True:
                if await within(self._wake, self.clock, self.reread):
                    await self.clock.wait(DEBOUNCE)
                    self._wake.clear()
                    touched, self._touched = self._touched, set()
                    await self._round(touched)
                elif await self._seen_all():
                    await self._round(self.rooms.world.keys())
        finally:
            tasks = [noticing, *(task for _, task in self._keepers.values())]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _seen_all(self) -> bool:
        self.rooms.doubt_all()
        try:
            await self.rooms.look()
            await self.rooms.observe()
        except TryLater as later:
            log.warning("the rooms cannot be read now: %s", later)
            return False
        return True

    async def _round(self, touched: Iterable[RoomId]) -> None:
        """Look once, and wake whom it concerns, one after the other: each has to think for a moment."""
        touched = frozenset(touched)
        try:
            world = await self.rooms.observe()
            await self.before(touched)
            for space in affected(world, touched, self.communities.loop.actors.bot):
                self._keeper(space).nudge()
                await asyncio.sleep(0)
            self._stale.set()
            for room in touched & world.keys():
                await self._told(room)
        except TryLater as later:
            log.warning("rooms cannot be read now: %s", later)
            self._touched.update(touched)
            self._wake.set()
            await self.clock.wait(pause(later, 0))
        except Exception as error:
            reference_of(log, error, "looking at the rooms")

    async def _told(self, room: RoomId) -> None:
        """Tell who wants to know; a bug of theirs over one room keeps no other from being told of."""
        try:
            await self.changed(room)
        except TryLater:
            raise
        except Exception as error:
            reference_of(log, error, "telling of a change in a room")

    async def _notice_again(self) -> None:
        """Look through everything for what nobody believes or understands, now and then while things change."""
        while True:
            await self._stale.wait()
            self._stale.clear()
            try:
                await self._notice()
            except TryLater as later:
                log.info("notices must wait: %s", later)
                self._stale.set()
            except Exception as error:
                reference_of(log, error, "looking for what is damaged")
            await self.clock.wait(NOTICE_PAUSE)

    async def _notice(self) -> None:
        world, intent = await self.communities.reading()
        now = concerns_by_space(intent, world, self.communities.loop.actors)
        for space in now.keys() | self._noticed.keys():
            if self._noticed.get(space) != now.get(space):
                await self.notices.report(space, "notice", now.get(space, ()))
        self._noticed = dict(now)

    def _keeper(self, space: RoomId) -> Keeper:
        kept = self._keepers.get(space)
        if kept is None or kept[1].done():
            keeper = Keeper(space, self.communities, self._report, self.clock)
            kept = self._keepers[space] = keeper, asyncio.create_task(keeper.run(), name=f"keeper {space}")
        return kept[0]

    async def _report(self, space: RoomId, concerns: tuple[Concern, ...]) -> None:
        await self.notices.report(space, "keeper", concerns)


def affected(world: Census, touched: Iterable[RoomId], bot: UserId) -> set[RoomId]:
    """The spaces that changes in these rooms may concern: those they are or claim, also of their twins in the same slot.

    Of a space that was upgraded: the one it is today.
    """
    seen = [room for room in (world.get(each) for each in touched) if room is not None]
    twins = [twin for room in seen if room.slot for twin in world.by_slot.get(room.slot, ())]
    spaces = {room.id if room.is_space else RoomId(room.text(GROUP, "community")) for room in (*seen, *twins)}
    return {latest(world, space, bot) for space in spaces & world.keys()}

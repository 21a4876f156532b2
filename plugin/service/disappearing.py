"""Messages that disappear: deletes what is older than a group keeps it, where the homeserver does not do so itself.

A homeserver that obeys ``m.room.retention`` (MSC1763; Synapse: ``retention.enabled``) shows nobody what is too old, so there is nothing
left here to delete. In each room we walk from its beginning, once: where we have come to is kept, and everything before it is gone.
"""

import logging
from asyncio import Event
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from haven.errors import GiveUp, Invalid, Missing, RateLimited, TryLater
from haven.ids import EventId, RoomId
from haven.model import Group
from haven.stateevents import RETENTION
from haven.succession import ancestors

from ..cards import Cards
from ..catchup import RemembersPlaces
from ..clock import Clock, within
from ..desk import Desk
from ..durations import DAY, HOUR, MINUTE
from ..engine import Engine
from ..faults import reference_of
from ..homeserver_messages import Messenger, Page
from .communities import Communities
from .run import pause

log = logging.getLogger("haven.disappearing")

BOT = "bot"
"""Who deletes, as the configuration says."""

MEMORY = "disappear"
"""How the names begin under which it is kept how far we have come in a room."""

MOST = 100
"""How many events are read at once."""

BREATH = 5.0
"""Seconds that we stay silent beyond what the homeserver asks for, so that others of us are heard."""

TURN = 500
"""How many messages are deleted in one room before the others have their turn."""

SECOND_THOUGHTS = DAY
"""Milliseconds after which we begin to delete where somebody has set for how long messages are kept: nothing brings them back."""

LONGEST = 3_600.0
"""Seconds after which we look again whether a room wants us."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far we are in a room that keeps messages for ``lifetime`` ms. ``due``: when there is something to do again, in ms since the
    epoch; ``place``: from where on there may be something, as the homeserver calls it, "" for the beginning.
    """

    due: int = 0
    lifetime: int = 0
    place: str = ""


@dataclass(frozen=True, slots=True)
class Swept:
    """What came of a page. ``stays``: the times of what stays until later; ``young``: whether some of it is of the last time, so that
    all that follows is.
    """

    stays: tuple[int, ...]
    deleted: int
    young: bool


@dataclass(slots=True)
class Disappearing:
    """Deletes by redacting, one message after the other. ``epoch``: ms since the epoch, now. ``least``: what is to be kept for
    fewer ms than that is not deleted by us: such a time can only be set by hand, and may be a mistake in the unit.
    """

    communities: Communities
    messages: Messenger
    memory: RemembersPlaces
    cards: Cards
    clock: Clock
    epoch: Callable[[], int]
    least: int = DAY
    _wake: Event = field(default_factory=Event)

    async def noticed(self, room: RoomId) -> None:
        """Something may have changed in a room."""
        seen = self.communities.rooms.world.get(room)
        if seen is not None and (RETENTION, "") in seen.state:
            self._wake.set()

    async def run(self) -> None:
        """Delete what is too old, until cancelled."""
        attempt = 0
        while True:
            try:
                left, attempt = await self.round(), 0
            except TryLater as later:
                left, attempt = pause(later, attempt), attempt + 1
            except Exception as error:
                reference_of(log, error, "deleting what is too old")
                left = LONGEST
            await within(self._wake, self.clock, min(left, LONGEST))

    async def round(self) -> float:
        """Look at every room whose time has come; gives the seconds until the next has. Raises `TryLater`."""
        soonest = self.epoch() + round(LONGEST * 1_000)
        for community in (await self.communities.intent()).communities.values():
            for group in community.groups if community.deactivated is None else ():
                if group.retention is not None and group.retention >= self.least and group.released is None:
                    soonest = min(soonest, await self._turn_of(group, group.retention))
        return max(0, soonest - self.epoch()) / 1_000

    async def _turn_of(self, group: Group, lifetime: int) -> int:
        """Look after the rooms of a group, if they are to be by now; gives when it comes next."""
        begins = self._begins(group)
        if begins > self.epoch():
            return begins
        return min([await self._looked_after(room, lifetime) for room in self._rooms(group)])

    def _begins(self, group: Group) -> int:
        """From when on we delete there: some time after somebody has said so, in which they can take it back."""
        room = self.communities.rooms.world.get(group.room)
        event = room.state.get((RETENTION, "")) if room else None
        said = event.at if event else 0
        if room and not said:  # written by us, and not read since
            self.communities.rooms.doubt((group.room,))
        return (said or self.epoch()) + SECOND_THOUGHTS

    def _rooms(self, group: Group) -> tuple[RoomId, ...]:
        """The room of a group, and those it was in before it was upgraded: what was said there disappears as well."""
        world = self.communities.rooms.world
        if group.room not in world:
            return ()
        before = ancestors(world, world[group.room], self.communities.loop.actors.bot)
        return (group.room, *(old.id for old in before))

    async def _looked_after(self, room: RoomId, lifetime: int) -> int:
        """Delete what is too old in a room, if its time has come; gives when it comes next."""
        before = await self._recall(room)
        if before.lifetime == lifetime and self.epoch() < before.due:
            return before.due
        try:
            return await self._walk(room, lifetime, before.place)
        except GiveUp as error:
            log.warning("what is too old cannot be deleted in %s: %s", room, error)
            lost = error.key == "homeserver_invalid"  # the place: nobody can go on from there
            again = Progress(self.epoch() + HOUR, lifetime, "" if lost else before.place)
            await self._keep(room, again)
            return again.due

    async def _walk(self, room: RoomId, lifetime: int, place: str) -> int:
        """Go on from where we were until nothing is too old any more; gives when something will be."""
        waiting = frozenset(card.event for card in await self.cards.open("", None))
        stays: list[int] = []
        gone, at = 0, place
        while gone < TURN:
            page = await self._patiently(lambda: self.messages.page(room, at, MOST))  # noqa: B023 - called at once
            swept = await self._swept(room, page, lifetime, waiting)
            stays += swept.stays
            gone += swept.deleted
            if not stays and page.next:
                place = page.next
                await self._keep(room, Progress(0, lifetime, place))
            if not page.next or (swept.young and not swept.deleted):
                await self._keep(room, Progress(self._next(stays, lifetime), lifetime, place))
                break
            at = page.next
        else:
            await self._keep(room, Progress(0, lifetime, place))
        if gone:
            log.info("%d messages were too old in %s", gone, room)
        return (await self._recall(room)).due

    async def _swept(self, room: RoomId, page: Page, lifetime: int, waiting: frozenset[EventId]) -> Swept:
        """Delete what is too old on a page. The time of a message is what its homeserver says: one that is dated later than we could
        ever wait for stays, and keeps nothing else.
        """
        stays, deleted, young = list[int](), 0, False
        for said in page.said:
            now = self.epoch()
            if said.event in waiting:
                stays.append(now)
            elif said.at + lifetime <= now:
                await self._delete(room, said.event)
                deleted += 1
            elif said.at <= now + lifetime:
                stays.append(said.at)
                young = young or said.at <= now
        return Swept(tuple(stays), deleted, young)

    async def _delete(self, room: RoomId, event: EventId) -> None:
        try:
            await self._patiently(lambda: self.messages.take_out(room, event, "", f"{MEMORY}.{event}"))
        except (Missing, Invalid):
            return

    def _next(self, stays: list[int], lifetime: int) -> int:
        """When to look again: as soon as the oldest is too old, but not for every single message."""
        seldom = self.epoch() + max(MINUTE, min(lifetime // 24, 6 * HOUR))
        oldest = min(stays, default=self.epoch())
        return max(seldom, min(oldest + lifetime, self.epoch() + DAY))

    async def _patiently(self, ask: Callable[[], Awaitable[Page | None]]) -> Page:
        """Ask, and again whenever the homeserver wants us to wait: nobody waits for us."""
        while True:
            try:
                return await ask() or Page()
            except RateLimited as limit:
                await self.clock.wait(2 * (limit.after or 0) + BREATH)

    async def _recall(self, room: RoomId) -> Progress:
        kept = (await self.memory.recall(f"{MEMORY} {room}")).split(" ", 2)
        return Progress(int(kept[0]), int(kept[1]), kept[2]) if len(kept) == 3 else Progress()

    async def _keep(self, room: RoomId, progress: Progress) -> None:
        await self.memory.keep(f"{MEMORY} {room}", f"{progress.due} {progress.lifetime} {progress.place}")


def open_disappearing(engine: Engine, desk: Desk, messages: Messenger) -> Disappearing:
    """Deletes what is too old as long as the engine runs, unless the operator leaves it to the homeserver."""

    def epoch() -> int:
        return desk.timers.epoch()

    cards, clock = desk.cards, engine.clock
    disappearing = Disappearing(engine.communities, messages, engine.store, cards, clock, epoch)
    before = engine.watch.changed

    async def changed(room: RoomId) -> None:
        await disappearing.noticed(room)
        await before(room)

    if engine.settings.retention == BOT:
        engine.watch.changed = changed
        engine.besides.append(disappearing.run)
    return disappearing

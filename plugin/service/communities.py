"""The communities of this bot: read from the cache, read anew, changed, planned and repaired."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from haven.errors import Missing
from haven.guards import Bounds
from haven.ids import RoomId, UserId
from haven.intent import Intent, read_intent
from haven.model import Community
from haven.plan import Plan, plan_for
from haven.reconcile import Loop, Outcome, Progress
from haven.snapshot import World
from haven.stateevents import GROUP
from haven.succession import ancestors, is_member, latest

from ..rooms import Rooms

Edit = Callable[[Community], Community]
"""From what is meant to what shall be meant. Called again in every round, so doing it twice must be doing it once."""

Check = Callable[[Community], None]
"""Raises `NotAllowed` or `Invalid` where a change must not be made; called once, with what was read just now."""

Meant = Callable[[World], Community]
"""Reads out of the world what is meant."""


async def untold(done: int, total: int) -> None:
    """Nobody wants to know how far it is."""


def _never() -> bool:
    return False


def _allowed(community: Community) -> None:
    """Anything goes."""


def _unchanged(community: Community) -> Community:
    return community


def _system_time() -> int:
    return time.time_ns() // 1_000_000


async def _untold(community: Community) -> None:
    """Nobody wants to know."""


def _unheard(space: RoomId) -> None:
    """Nobody takes care of it."""


@dataclass(slots=True)
class Communities:
    """All communities of this bot. ``removals``: how many one plan may have where a caller says nothing else.

    ``unfinished``: told the space of a community that could not be brought in step, so that somebody tries again.
    ``busy``: whether the homeserver slows us down. ``changed``: told what a community is after a command has changed it.
    ``epoch``: ms since the epoch, now; what has ended by then is not meant any more.
    """

    rooms: Rooms
    loop: Loop
    removals: int = Bounds().removals
    unfinished: Callable[[RoomId], None] = _unheard
    epoch: Callable[[], int] = _system_time
    changed: Callable[[Community], Awaitable[None]] = _untold
    busy: Callable[[], bool] = _never
    _locks: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    _read: tuple[World, Intent] | None = None

    async def intent(self) -> Intent:
        """All communities, as the cache knows them: asks the server only about rooms that changed. Raises `TryLater`."""
        return (await self.reading())[1]

    async def reading(self) -> tuple[World, Intent]:
        """The world and what it means, which is read beside the loop: it takes a while where there are a thousand rooms."""
        world = await self.rooms.observe()
        if self._read is None or self._read[0] is not world:
            self._read = (world, await asyncio.to_thread(read_intent, world, self.loop.actors))
        return self._read

    def one_of(self, world: World, space: RoomId) -> Community | None:
        """The community of a space, or of what took its place, in a world, without what has ended by now."""
        space = latest(world, space, self.loop.actors.bot)
        if self._read is not None and self._read[0] is world:
            found = self._read[1].communities.get(space)
        else:
            found = read_intent(world, self.loop.actors, space).communities.get(space)
        return found and found.at(self.epoch())

    async def of_room(self, room: RoomId) -> Community | None:
        """The community whose space or room this is; from the cache."""
        world = await self.rooms.observe()
        seen = world.get(room)
        if seen is None:
            return None
        space = room if seen.is_space else RoomId(seen.text(GROUP, "community"))
        community = self.one_of(world, space)
        known = community is not None and (seen.is_space or community.group(room) is not None)
        return community if known else None

    async def fresh(self, space: RoomId) -> Community:
        """One community after its space has been read anew (one request), so that rights hold now.

        Raises `Missing` where there is none, `TryLater` where the server does not answer.
        """
        there = latest(self.rooms.world, space, self.loop.actors.bot)
        if there in self.rooms.world:
            self.rooms.doubt((there,))
        return self.must(await self.rooms.observe(), space)

    async def is_member(self, space: RoomId, user: UserId) -> bool:
        """Whether somebody is of the community; from the cache."""
        world = await self.rooms.observe()
        community = self.one_of(world, space)
        return community is not None and is_member(world, community, user)

    async def change(
        self,
        space: RoomId,
        edit: Edit,
        *,
        check: Check = _allowed,
        bounds: Bounds | None = None,
        progress: Progress = untold,
    ) -> Outcome:
        """Change what is meant and bring the rooms in step, alone in this community.

        The space is read anew first (one request; no need to call `fresh` before), then ``check`` is asked once; then each
        round makes rooms what ``edit`` gives for what they mean now. Raises what ``check`` and ``edit`` raise, and as `fresh`.
        ``bounds``: the operator's where nothing is said.
        """
        async with self.alone(space):
            check(await self.fresh(space))
            outcome = await self.loop.reconcile(
                lambda world: edit(self.must(world, space)), self._bounds(bounds), progress
            )
            await self.changed(outcome.community)
        if not outcome.in_step:
            self.unfinished(space)
        return outcome

    async def plan(self, space: RoomId) -> Plan:
        """What would bring the community in step; all its rooms are read anew. Raises as `fresh`."""
        self._doubt(space)
        world = await self.rooms.observe()
        return plan_for(self.must(world, space), world, self.loop.actors)

    async def repair(
        self, space: RoomId, bounds: Bounds | None = None, progress: Progress = untold
    ) -> Outcome:
        """Bring the community in step with itself; all its rooms are read anew. Raises as `fresh`."""
        self._doubt(space)
        return await self.change(space, _unchanged, bounds=bounds, progress=progress)

    async def reconcile(self, space: RoomId) -> Outcome:
        """Bring the community in step with itself, as far as the cache knows. Raises `Missing`, `TryLater`."""
        async with self.alone(space):
            return await self.reconciled(space)

    async def reconciled(self, space: RoomId, progress: Progress = untold) -> Outcome:
        """As `reconcile`, for who is `alone` in it."""
        return await self.loop.reconcile(lambda world: self.must(world, space), self._bounds(None), progress)

    async def carry_out(self, slot: str, meant: Meant, progress: Progress) -> Outcome:
        """Bring in step what ``meant`` reads, alone in the community whose space has this slot, also before it exists."""
        async with self._locks[slot]:
            return await self.loop.reconcile(meant, self._bounds(None), progress)

    def key(self, space: RoomId) -> str:
        """What a community is locked by: the slot of its first space, known before the space is; else that space itself."""
        world = self.rooms.world
        room = world.get(latest(world, space, self.loop.actors.bot))
        if room is None:
            return space
        first = (room, *ancestors(world, room, self.loop.actors.bot))[-1]
        return first.slot or first.id

    def alone(self, space: RoomId) -> asyncio.Lock:
        """What keeps others from changing the community meanwhile."""
        return self._locks[self.key(space)]

    def _bounds(self, said: Bounds | None) -> Bounds:
        return said or replace(Bounds(), removals=self.removals)

    def _doubt(self, space: RoomId) -> None:
        community = self.one_of(self.rooms.world, space)
        if community is not None:
            self.rooms.doubt((space, *(group.room for group in community.groups)))

    def must(self, world: World, space: RoomId) -> Community:
        """As `one_of`. Raises `Missing` where there is none."""
        community = self.one_of(world, space)
        if community is None:
            raise Missing("community_missing")
        return community

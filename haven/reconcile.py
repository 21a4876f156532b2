"""The loop: observe, desire, plan, guard, apply, and observe again until nothing differs.

Rooms are made one by one, since each is told the ids of those before it. The space follows in order, then the other rooms side
by side, each in its own order; removals come last. When the homeserver says "wait", everybody waits.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

from haven.changes import REMOVALS, Abandon, Ban, Change, CreateRoom, Invite, Remove, SetState, Unban
from haven.desired import Actors, located
from haven.errors import GiveUp, Guarded, HavenError, RateLimited, Refused, TryLater
from haven.guards import Bounds, guard
from haven.ids import RoomId
from haven.model import Community
from haven.plan import Plan, is_last, plan_for, resolved, resolved_content
from haven.ports import Bans, CreatesRoom, Invites, Kicks, Leaves, NewRoom, SendsState, StateEvent, Unbans
from haven.reach import Obstacle
from haven.snapshot import World, census

LANES = 8
ROUNDS = 4
TRIES = 8
BACK_OFF = 2.0
"""Seconds before the second try where nobody said how long; doubled each time."""


class Hands(CreatesRoom, SendsState, Invites, Kicks, Bans, Unbans, Leaves, Protocol):
    """What the loop needs to act."""


class Observes(Protocol):
    """Tells the whole world as it is now."""

    async def observe(self) -> World:
        """Every room the bot is joined to; what we have just written is in it already."""


class Waits(Protocol):
    """Time, which the mind does not have."""

    async def wait(self, seconds: float) -> None:
        """Let that many seconds pass."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A change that could not be made, and why."""

    change: Change
    error: HavenError


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it. ``community`` is the community with its rooms found; ``refused`` the guard's word, if it spoke."""

    community: Community
    done: tuple[Change, ...] = ()
    failures: tuple[Failure, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    refused: Guarded | None = None
    left: int = 0
    """How many changes were still open when the rounds were used up: someone else keeps changing the same things."""

    @property
    def in_step(self) -> bool:
        """Whether everything is as it is meant."""
        return not (self.failures or self.obstacles or self.refused or self.left)


Progress = Callable[[int, int], Awaitable[None]]
"""Told after every change: how many are done, and how many there are in this round. May fail: work goes on."""


Think = Callable[[Community, World, Actors], Awaitable[Plan]]
"""As `haven.plan.plan_for`, in its own time."""


async def _at_once(community: Community, world: World, actors: Actors) -> Plan:
    return plan_for(community, world, actors)


async def _silent(done: int, total: int) -> None:
    """Nobody wants to know."""


@dataclass(slots=True)
class Loop:
    """Brings communities in step over one homeserver. ``think``: makes a plan; where thousands are banned it takes seconds."""

    hands: Hands
    eyes: Observes
    clock: Waits
    actors: Actors
    think: Think = _at_once

    async def reconcile(
        self,
        meant: Callable[[World], Community],
        bounds: Bounds = Bounds(),  # noqa: B008 - frozen
        progress: Progress = _silent,
    ) -> Outcome:
        """Bring one community in step. ``meant`` reads from the world what is meant, again in every round.

        What goes wrong while acting is part of the outcome; only `meant` and the eyes may raise.
        """
        done: list[Change] = []
        outcome = None
        for _ in range(ROUNDS):
            seen = await self.eyes.observe()
            community, world = meant(seen), census(seen)
            plan = await self.think(community, world, self.actors)
            outcome = Outcome(located(community, world, self.actors), tuple(done), obstacles=plan.obstacles)
            if not plan:
                return outcome
            try:
                guard(plan, managed(community, world, self.actors), world, self.actors, bounds)
            except Guarded as refusal:
                return replace(outcome, refused=refusal)
            applied, failures = await apply(plan, self.hands, self.clock, progress)
            done.extend(applied)
            if failures:
                return replace(outcome, done=tuple(done), failures=failures)
        return await self._out_of_rounds(meant, tuple(done))

    async def _out_of_rounds(self, meant: Callable[[World], Community], done: tuple[Change, ...]) -> Outcome:
        seen = await self.eyes.observe()
        community, world = meant(seen), census(seen)
        plan = await self.think(community, world, self.actors)
        where = located(community, world, self.actors)
        return Outcome(where, done, obstacles=plan.obstacles, left=len(plan.changes))


def managed(community: Community, world: World, actors: Actors) -> frozenset[RoomId]:
    """The rooms that are ours to change for this community: its own, those before them, and twins that a founding left."""
    where = located(community, world, actors)
    slots = {where.slot, *(group.slot for group in where.groups)} - {""}
    by_slot = census(world).by_slot
    twins = (room.id for slot in slots for room in by_slot.get(slot, ()) if room.maker == actors.bot)
    former = (old.room for old in where.all_former)
    return frozenset({where.space, *(group.room for group in where.groups), *former, *twins})


async def apply(
    plan: Plan, hands: Hands, clock: Waits, progress: Progress = _silent
) -> tuple[tuple[Change, ...], tuple[Failure, ...]]:
    """Carry out a plan; gives what was done and what failed. After a failure the rest of that room is left for later."""
    work = _Work(hands, clock, progress, len(plan.changes))
    await work.in_order(change for change in plan.changes if isinstance(change, CreateRoom))
    if work.failures:
        return tuple(work.done), tuple(work.failures)
    first = [change for change in plan.changes if not is_last(change)]
    others = [change for change in first if not isinstance(change, (CreateRoom, *REMOVALS))]
    await work.in_order(change for change in others if change.room == plan.space)
    if work.failures:
        return tuple(work.done), tuple(work.failures)
    await work.side_by_side(c for c in others if c.room != plan.space and isinstance(c, SetState))
    await work.side_by_side(c for c in others if c.room != plan.space and isinstance(c, Unban | Invite))
    await work.in_order(change for change in plan.removals if change.room == plan.space)
    await work.side_by_side(change for change in plan.removals if change.room != plan.space)
    if not any(failure.change.room == plan.space for failure in work.failures):
        await work.side_by_side(change for change in plan.changes if is_last(change))
    return tuple(work.done), tuple(work.failures)


@dataclass(slots=True)
class _Work:
    """One plan being carried out."""

    hands: Hands
    clock: Waits
    progress: Progress
    total: int
    made: dict[str, RoomId] = field(default_factory=dict)
    done: list[Change] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    limited: bool = False
    gate: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def in_order(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if not await self._carry_out(change):
                return

    async def side_by_side(self, changes: Iterable[Change]) -> None:
        stuck = {failure.change.room for failure in self.failures}
        rooms: dict[RoomId, list[Change]] = defaultdict(list)
        for change in changes:
            if change.room not in stuck:
                rooms[change.room].append(change)
        lanes = asyncio.Semaphore(LANES)

        async def one_room(own: list[Change]) -> None:
            async with lanes:
                await self.in_order(own)

        async with asyncio.TaskGroup() as group:
            for own in rooms.values():
                group.create_task(one_room(own))

    async def _carry_out(self, change: Change) -> bool:
        """Gives whether to go on in this room: that somebody cannot be put out keeps nobody else in."""
        try:
            await self._patiently(change)
        except HavenError as error:
            self.failures.append(Failure(change, error))
            return isinstance(change, Remove | Ban | Unban) and isinstance(error, GiveUp)
        return True

    async def _did(self, change: Change) -> None:
        """One more is done: tell how far it is."""
        self.done.append(change)
        with suppress(HavenError):
            await self.progress(len(self.done), self.total)

    async def _patiently(self, change: Change) -> None:
        """Do it, waiting as long as we are told. Once the server limits us we go one by one: the limit is on the account."""
        for attempt in range(1, TRIES + 1):
            try:
                await self._do_or_queue(change)
            except TryLater as later:
                if attempt == TRIES or isinstance(change, CreateRoom):
                    raise
                own = BACK_OFF * 2 ** (attempt - 1)
                await self.clock.wait(own if later.after is None else later.after)
            except Refused:
                # Who was invited or removed by a try whose answer was lost cannot be so again. The next round will see.
                if attempt == 1 or not isinstance(change, Invite | Remove | Unban | Abandon):
                    raise
                await self._did(change)
                return
            else:
                return

    async def _do_or_queue(self, change: Change) -> None:
        """Whoever is in the gate also tells how far it is: that costs a turn, which nobody would ever get outside of it."""
        if not self.limited:
            try:
                await self._do(change)
            except RateLimited:
                self.limited = True
            else:
                await self._did(change)
                return
        async with self.gate:
            await self._when_allowed(change)
            await self._did(change)

    async def _when_allowed(self, change: Change) -> None:
        while True:
            try:
                return await self._do(change)
            except RateLimited as limit:
                await self.clock.wait(limit.after or BACK_OFF)

    async def _do(self, change: Change) -> None:
        match change:
            case CreateRoom():
                self.made[change.room] = await self.hands.create_room(self._resolved_room(change.new))
            case SetState():
                key = str(resolved(change.key, self.made))
                content = resolved_content(change.content, self.made)
                await self.hands.send_state(self._place(change.room), change.type, key, content)
            case Invite():
                await self.hands.invite(self._place(change.room), change.user)
            case Remove():
                await self.hands.kick(self._place(change.room), change.user, change.reason)
            case Ban():
                await self.hands.ban(self._place(change.room), change.user, change.reason)
            case Unban():
                await self.hands.unban(self._place(change.room), change.user)
            case Abandon():
                await self.hands.leave(change.room)

    def _place(self, room: RoomId) -> RoomId:
        return self.made.get(room, room)

    def _resolved_room(self, new: NewRoom) -> NewRoom:
        return replace(new, state=tuple(self._resolved_event(event) for event in new.state))

    def _resolved_event(self, event: StateEvent) -> StateEvent:
        key = str(resolved(event.key, self.made))
        return replace(event, key=key, content=resolved_content(event.content, self.made))

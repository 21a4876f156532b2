"""The eyes: every room the bot is joined to, read whole once and again only when something may have changed in it.

Events are nudges: one that is not the echo of our own write puts the room in doubt, and what is in doubt is read again before
anybody looks. Only memberships of people without power in large rooms are taken from the event itself (see `Rooms.nudge`).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from haven.errors import Missing, RateLimited, Refused
from haven.ids import EventId, RoomId, UserId
from haven.ports import KnowsItself, ListsRooms, ReadsRoom, StateEvent
from haven.reconcile import Waits
from haven.snapshot import Census, Membership, Room, room_of

from .sharing import Sharing

LANES = 8
"""How many rooms are read at the same time."""

TRIES = 6
"""How often a rate limit is waited out for one room."""

LARGE = 20
"""Members from which on a room is not read again for every coming and going."""

ECHOES = 500
"""How many of our own events a room remembers until they come back by sync."""

MEMBER = "m.room.member"


class Reads(KnowsItself, ListsRooms, ReadsRoom, Protocol):
    """What the eyes need."""


@dataclass(slots=True)
class _Cell:
    """One room: what it looked like, whether that may be wrong by now, and what of it we are writing."""

    room: Room | None = None
    doubted: bool = True
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    writing: bool = False
    early: list[StateEvent] = field(default_factory=list)
    own: dict[EventId, None] = field(default_factory=dict)

    def remember(self, event: EventId) -> None:
        self.own[event] = None
        if len(self.own) > ECHOES:
            del self.own[next(iter(self.own))]

    def is_echo(self, event: StateEvent) -> bool:
        """Whether this is what we have written ourselves; said once."""
        return event.event in self.own and self.own.pop(event.event, None) is None


Wrote = Callable[[StateEvent], None]


class Rooms:
    """The world as the bot last saw it; `haven.reconcile.Observes`."""

    def __init__(self, homeserver: Reads, clock: Waits) -> None:
        self._homeserver = homeserver
        self._clock = clock
        self._cells: dict[RoomId, _Cell] = {}
        self._gate = asyncio.Lock()
        self._sharing = Sharing()
        self._world: Census | None = None

    @property
    def world(self) -> Census:
        """All rooms as last seen, the very same value while nothing changes."""
        if self._world is None:
            seen = {room: cell.room for room, cell in self._cells.items() if cell.room is not None}
            self._world = Census(seen)
        return self._world

    async def observe(self) -> Census:
        """See `haven.reconcile.Observes`. Asks about rooms in doubt only. Raises `TryLater`."""
        async with self._gate:
            doubted = iter([room for room, cell in self._cells.items() if cell.doubted])
            results = await asyncio.gather(
                *(self._read_all(doubted) for _ in range(LANES)), return_exceptions=True
            )
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return self.world

    async def look(self) -> None:
        """Ask which rooms the bot is joined to; new ones are in doubt until they have been read, others are dropped."""
        before = frozenset(self._cells)
        joined = frozenset(await self._homeserver.joined_rooms())
        for room in before - joined:
            self.forget(room)
        self.doubt(joined - self._cells.keys())

    def doubt(self, rooms: Iterable[RoomId]) -> None:
        """Have these rooms read again before anybody looks; those we did not know included."""
        for room in rooms:
            self._cells.setdefault(room, _Cell()).doubted = True

    def doubt_all(self) -> None:
        """Have every room read again."""
        self._sharing = Sharing()
        self.doubt(tuple(self._cells))

    def forget(self, room: RoomId) -> None:
        """Drop a room that the bot is not in any more."""
        self._cells.pop(room, None)
        self._world = None

    def nudge(self, room: RoomId, event: StateEvent) -> bool:
        """A state event of a joined room has come by sync. Gives whether anything may have changed.

        A membership is believed as the event tells it where the room is large and the person without power: it concerns nobody but
        them, and reading thousands of members again for each that comes or goes would be a harm of its own.
        """
        cell = self._cells.setdefault(room, _Cell())
        if cell.room is None:
            cell.doubted = True  # it may be on its way to us as it was before
            return True
        if cell.is_echo(event):
            return False
        if cell.writing and event.sender == self._homeserver.user:
            cell.early.append(event)
            return False
        if event.type == MEMBER:
            return self._take_member(cell, cell.room, event)
        known = cell.room.state.get((event.type, event.key))
        if known is not None and known.event == event.event:
            return False
        cell.doubted = True
        return True

    def _take_member(self, cell: _Cell, room: Room, event: StateEvent) -> bool:
        user, after = UserId(event.key), room.changed(event)
        if after.members[user] is room.members.get(user):
            return False
        powerless = room.power_of(user) <= room.power.users_default
        if len(room.members) > LARGE and powerless and user != self._homeserver.user:
            self._see(cell, after)
        else:
            cell.doubted = True
        return True

    @asynccontextmanager
    async def writing(self, room: RoomId) -> AsyncIterator[Wrote]:
        """While we write to a room: gives what to tell the new state event to. One writer, or reader, at a time.

        What failed puts the room in doubt, but for a rate limit: then nothing has happened.
        """
        cell = self._cells.setdefault(room, _Cell())

        def wrote(event: StateEvent) -> None:
            if event.event:
                cell.remember(event.event)
            if cell.room is not None:
                self._see(cell, cell.room.changed(self._sharing.event(event)))

        async with cell.lock:
            cell.writing = True
            try:
                yield wrote
            except RateLimited:
                raise
            except BaseException:
                cell.doubted = True
                raise
            finally:
                cell.writing = False
                self._take_early(room, cell)

    def _take_early(self, room: RoomId, cell: _Cell) -> None:
        """Judge the events of ours that came back before the answer did."""
        early, cell.early = cell.early, []
        for event in early:
            self.nudge(room, event)

    def _see(self, cell: _Cell, room: Room) -> None:
        cell.room = room
        self._world = None

    async def _read_all(self, rooms: Iterator[RoomId]) -> None:
        """One lane: reads what no other has begun to read, until one cannot be read."""
        for room in rooms:
            await self._read(room)

    async def _read(self, room: RoomId) -> None:
        cell = self._cells.get(room)
        if cell is None:
            return
        async with cell.lock:
            cell.doubted = False
            try:
                seen = room_of(room, await self._state(room))
            except (Refused, Missing):
                self.forget(room)
                return
            except BaseException:
                cell.doubted = True
                raise
            if seen.members.get(self._homeserver.user) is Membership.JOINED:
                self._see(cell, self._sharing.room(seen))
            else:
                self.forget(room)

    async def _state(self, room: RoomId) -> tuple[StateEvent, ...]:
        for _ in range(TRIES):
            try:
                return await self._homeserver.room_state(room)
            except RateLimited as limit:
                await self._clock.wait(limit.after or 1)
        return await self._homeserver.room_state(room)

"""Makes each room once, although nobody can know what became of a request whose answer was lost.

That a room is being made is stored before it is asked for. Where the answer never came, in this life or an earlier one, the room is
looked for by its slot for a while, since the homeserver may still be at it, before another is made.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Protocol

from haven.errors import GiveUp, RateLimited
from haven.ids import RoomId, UserId
from haven.policies import SHORTCODE
from haven.ports import CreatesRoom, Invites, KnowsItself, NewRoom
from haven.snapshot import Room, World, census
from haven.stateevents import COMMUNITY, GROUP, SLOT

from .clock import Clock
from .rooms import Rooms

PATIENCE = 10.0
"""Seconds for which a room in question is looked for."""

PAUSE = 0.5
"""Seconds between two looks."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A room that was asked for and of which we do not know that it is there. ``invite``: who is invited at its making."""

    slot: str
    invite: tuple[UserId, ...]


class RemembersRooms(Protocol):
    """Keeps what was begun."""

    async def begin_room(self, begun: Begun) -> None:
        """Store it; the same slot again changes nothing."""

    async def end_room(self, slot: str) -> None:
        """Forget it."""

    async def begun_rooms(self) -> tuple[Begun, ...]:
        """All that were begun and not ended."""


class Makes(KnowsItself, CreatesRoom, Invites, Protocol):
    """What making a room needs."""


@dataclass(slots=True)
class Creation:
    """Makes rooms; `haven.ports.CreatesRoom`."""

    homeserver: Makes
    rooms: Rooms
    store: RemembersRooms
    clock: Clock

    async def create_room(self, new: NewRoom) -> RoomId:
        """See `haven.ports.CreatesRoom`; here the same slot again is the same room."""
        slot = str(new.creation.get(SLOT, ""))
        begun = next((each for each in await self.store.begun_rooms() if each.slot == slot), None)
        found = await self._settled(begun) if begun else None
        return found or await self._made(slot, new)

    async def settle(self, slots: Container[str] | None = None) -> None:
        """Look for every room (of ``slots``, if given) of whose making we did not hear. Raises `TryLater`.

        Nobody else may be making one of them at the same time.
        """
        for begun in await self.store.begun_rooms():
            if slots is None or begun.slot in slots:
                await self._settled(begun)

    async def _made(self, slot: str, new: NewRoom) -> RoomId:
        await self.store.begin_room(Begun(slot, tuple(new.invite)))
        try:
            room = await self.homeserver.create_room(new)
        except (GiveUp, RateLimited):
            await self.store.end_room(slot)
            raise
        self.rooms.doubt((room,))
        await self.store.end_room(slot)
        return room

    async def _settled(self, begun: Begun) -> RoomId | None:
        room = await self._found(begun.slot)
        if room is not None:
            await self._invite(room, begun.invite)
        await self.store.end_room(begun.slot)
        return None if room is None else room.id

    async def _found(self, slot: str) -> Room | None:
        deadline = self.clock.now() + PATIENCE
        while True:
            await self.rooms.look()
            room = self._eldest(slot, await self.rooms.observe())
            if (room is not None and _is_whole(room)) or self.clock.now() >= deadline:
                return room
            if room is not None:
                self.rooms.doubt((room.id,))
            await self.clock.wait(PAUSE)

    def _eldest(self, slot: str, world: World) -> Room | None:
        bot = self.homeserver.user
        return next((room for room in census(world).by_slot.get(slot, ()) if room.maker == bot), None)

    async def _invite(self, room: Room, people: Sequence[UserId]) -> None:
        """Invite whom the making would have invited, where the homeserver did not come to it."""
        for user in people:
            if user not in room.members:
                await self.homeserver.invite(room.id, user)
                self.rooms.doubt((room.id,))


def _is_whole(room: Room) -> bool:
    """Whether the homeserver has done with the first state: it sends the create event alone before the rest."""
    return bool(room.name and room.content("m.room.power_levels")) and any(
        room.content(record) for record in (COMMUNITY, GROUP, SHORTCODE)
    )

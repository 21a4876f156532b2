"""The hands: what the mind decides is written, and seen by the eyes at once, so that nothing of our own is read back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from haven.errors import RateLimited
from haven.ids import EventId, RoomId, UserId
from haven.ports import Content, Homeserver, NewRoom, StateEvent

from .clock import Clock
from .creation import Creation
from .rooms import MEMBER, Rooms, Wrote

LIMITED_FOR = 10.0
"""Seconds for which a rate limit is held to be near after it was last met."""


@dataclass(slots=True)
class Hands:
    """`haven.reconcile.Hands` over a homeserver."""

    homeserver: Homeserver
    rooms: Rooms
    creation: Creation
    clock: Clock
    limited_until: float = float("-inf")

    @property
    def limited(self) -> bool:
        """Whether the homeserver has slowed us down just now: no time for what nobody needs."""
        return self.clock.now() < self.limited_until

    async def create_room(self, room: NewRoom) -> RoomId:
        """See `haven.ports.CreatesRoom`."""
        async with self._noticing_limits():
            return await self.creation.create_room(room)

    async def send_state(self, room: RoomId, event_type: str, key: str, content: Content) -> EventId:
        """See `haven.ports.SendsState`."""
        async with self._writing(room) as wrote:
            event = await self.homeserver.send_state(room, event_type, key, content)
            wrote(StateEvent(event_type, key, self.homeserver.user, content, event))
        return event

    async def invite(self, room: RoomId, user: UserId) -> None:
        """See `haven.ports.Invites`."""
        async with self._writing(room) as wrote:
            await self.homeserver.invite(room, user)
            wrote(self._membership(user, "invite"))

    async def kick(self, room: RoomId, user: UserId, reason: str = "") -> None:
        """See `haven.ports.Kicks`."""
        async with self._writing(room) as wrote:
            await self.homeserver.kick(room, user, reason)
            wrote(self._membership(user, "leave", reason))

    async def ban(self, room: RoomId, user: UserId, reason: str = "") -> None:
        """See `haven.ports.Bans`."""
        async with self._writing(room) as wrote:
            await self.homeserver.ban(room, user, reason)
            wrote(self._membership(user, "ban", reason))

    async def unban(self, room: RoomId, user: UserId) -> None:
        """See `haven.ports.Unbans`."""
        async with self._writing(room) as wrote:
            await self.homeserver.unban(room, user)
            wrote(self._membership(user, "leave"))

    async def leave(self, room: RoomId) -> None:
        """See `haven.ports.Leaves`."""
        async with self._writing(room):
            await self.homeserver.leave(room)
        self.rooms.forget(room)

    def _membership(self, user: UserId, membership: str, reason: str = "") -> StateEvent:
        content = {"membership": membership, **({"reason": reason} if reason else {})}
        return StateEvent(MEMBER, user, self.homeserver.user, content)

    @asynccontextmanager
    async def _writing(self, room: RoomId) -> AsyncIterator[Wrote]:
        async with self._noticing_limits(), self.rooms.writing(room) as wrote:
            yield wrote

    @asynccontextmanager
    async def _noticing_limits(self) -> AsyncIterator[None]:
        try:
            yield
        except RateLimited as limit:
            self.limited_until = self.clock.now() + (limit.after or 0) + LIMITED_FOR
            raise

"""Which invitations the bot accepts: to direct chats, not more than a person can need, and back into rooms that a space of ours lists."""

import logging
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from haven.absence import is_listed
from haven.errors import HavenError, TryLater, Unreachable
from haven.ids import RoomId, UserId, server_of
from haven.ports import Joins, Leaves
from haven.snapshot import PRESENT, World

from .clock import Clock
from .events import Invited
from .service.communities import Communities
from .service.run import pause

log = logging.getLogger("haven.invitations")

ACCEPTING = 6
"""How often an invitation is tried to be accepted, within two minutes."""

AT_ONCE = 5
"""How many direct chats of one person are accepted within `WHILE`."""

WHILE = 3_600.0
"""Seconds."""

CHATS = 10
"""How many direct chats we have with one person."""

PEOPLE = 10_000
"""Of how many people we remember that they invited us."""


class Enters(Joins, Leaves, Protocol):
    """What it takes to accept, and to decline."""


@dataclass(slots=True)
class Invitations:
    """Accepts and declines. ``direct``: whether direct chats are accepted at all; what is no affair of ours is left unanswered."""

    homeserver: Enters
    communities: Communities
    clock: Clock
    direct: bool
    _accepted: dict[UserId, deque[float]] = field(default_factory=dict)

    async def take(self, invitation: Invited) -> None:
        """Somebody has invited us. Raises nothing that was foreseen."""
        try:
            if await self._is_ours(invitation.room):
                await self._accept(invitation)
            elif self.direct and invitation.direct:
                await self._chat(invitation)
        except HavenError as error:
            log.info("an invitation could not be answered: %s", error)

    async def _is_ours(self, room: RoomId) -> bool:
        """Whether somebody wants us back in a room of a community."""
        world, intent = await self.communities.reading()
        bot = self.communities.loop.actors.bot
        return is_listed(world, iter(intent.communities.values()), room, bot)

    async def _chat(self, invitation: Invited) -> None:
        who, world = invitation.sender, self.communities.rooms.world
        if self._is_bearable(who) and _chats(world, self.communities.loop.actors.bot, who) < CHATS:
            await self._accept(invitation)
        else:
            log.info("an invitation to one more direct chat of somebody is declined")
            await self.homeserver.leave(invitation.room)

    def _is_bearable(self, who: UserId) -> bool:
        now, times = self.clock.now(), self._accepted.pop(who, deque())
        while times and times[0] <= now - WHILE:
            times.popleft()
        self._accepted[who] = times
        if len(self._accepted) > PEOPLE:
            del self._accepted[next(iter(self._accepted))]
        if len(times) >= AT_ONCE:
            return False
        times.append(now)
        return True

    async def _accept(self, invitation: Invited) -> None:
        """Join, also where we are refused at first: a homeserver tells ours of an invitation before it has stored it itself."""
        for attempt in range(ACCEPTING):
            try:
                await self.homeserver.join(invitation.room, (server_of(invitation.sender),))
                return
            except HavenError as error:
                log.info("an invitation could not be accepted: %s", error)
                later = error if isinstance(error, TryLater) else Unreachable()
            await self.clock.wait(pause(later, attempt))


def _chats(world: World, bot: UserId, who: UserId) -> int:
    """How many rooms there are with nobody in them but the two."""
    return sum(room.with_membership(*PRESENT) == {bot, who} for room in world.values())

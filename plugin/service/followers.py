"""After an upgrade: asks those into the new room who have no other way in, and lets the old room go when its time is over.

What is to be done is read off the rooms each time; a timer only looks again, so that nothing is lost by a restart and nobody waits
while thousands are invited.
"""

import logging
from dataclasses import dataclass, field

from haven.errors import GiveUp, HavenError
from haven.ids import RoomId, UserId
from haven.model import Community
from haven.snapshot import World
from haven.succession import left_behind

from ..durations import DAY
from ..timers import Timer, Timers
from .communities import Communities

log = logging.getLogger("haven.followers")

FOLLOW = "follow"
"""The kind of these timers; named after the space."""

AT_ONCE = 10
"""How many are invited in one go."""

PAUSE = 15_000
"""Milliseconds between two goes."""


@dataclass(slots=True)
class Followers:
    """Looks after old rooms. ``in_vain``: whom the homeserver did not let us invite, in this life."""

    communities: Communities
    timers: Timers
    in_vain: set[tuple[RoomId, UserId]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.timers.rings[FOLLOW] = self._look

    async def follow(self, community: Community) -> None:
        """Look after the old rooms of a community, if it has any, from now on."""
        if community.all_former:
            await self.timers.set(FOLLOW, community.space, self.timers.epoch(), {"space": community.space})

    async def resume(self) -> None:
        """Look after all there are."""
        try:
            for community in (await self.communities.intent()).communities.values():
                await self.follow(community)
        except HavenError as error:
            log.warning("it could not be seen which old rooms there are: %s", error)

    async def _look(self, timer: Timer) -> None:
        world = await self.communities.rooms.observe()
        community = self.communities.one_of(world, RoomId(timer.payload["space"]))
        if community is None or not community.all_former:
            return
        missing = self._missing(community, world)
        for room, user in missing[:AT_ONCE]:
            try:
                await self.communities.loop.hands.invite(room, user)
            except GiveUp as error:
                self.in_vain.add((room, user))
                log.info("somebody could not be asked into an upgraded room: %s", error)
        if any(old.over for old in community.all_former):
            self.communities.unfinished(community.space)
        await self._again(community, more=len(missing) > AT_ONCE)

    def _missing(self, community: Community, world: World) -> list[tuple[RoomId, UserId]]:
        """Who is to be asked in where, the space before its rooms. Nobody is asked into a community that rests."""
        if community.deactivated is not None:
            return []
        places = [(community.space, None), *((group.room, group) for group in community.groups)]
        return [
            (room, user)
            for room, group in places
            for user in sorted(left_behind(community, group, world))
            if (room, user) not in self.in_vain
        ]

    async def _again(self, community: Community, *, more: bool) -> None:
        """Look again soon where there are more, else when the first old room has served its time, or tomorrow."""
        now = self.timers.epoch()
        ends = [old.until for old in community.all_former if not old.over]
        at = now + PAUSE if more else min([now + DAY, *ends])
        await self.timers.set(FOLLOW, community.space, max(at, now + 1_000), {"space": community.space})

"""Everybody is in the announcements: where the bot is an administrator of the homeserver, local members are joined to them.

Who has left the announcements, or was removed or banned from them, stays out.
"""

import logging
from dataclasses import dataclass, field
from typing import Protocol

from haven.errors import GiveUp, Refused
from haven.ids import RoomId, UserId, server_of
from haven.model import Community, Kind
from haven.snapshot import Membership, World
from haven.succession import members

log = logging.getLogger("haven.entrance")

AT_ONCE = 20
"""How many are joined in one look: others who knock meanwhile do not wait for thousands."""


class JoinsOthers(Protocol):
    """``POST /_synapse/admin/v1/join/{room}`` (Synapse's admin API; local users only)."""

    async def join_for(self, room: RoomId, user: UserId) -> None:
        """Have a user of our server join a room that we may invite to. Raises `Refused` where we are no administrator."""


@dataclass(slots=True)
class Everybody:
    """Joins members to announcements.

    ``able``: whether the bot is an administrator of its homeserver, as far as we know;
    ``in_vain``: whom the homeserver did not join.
    """

    homeserver: JoinsOthers
    bot: UserId
    able: bool = False
    in_vain: set[tuple[RoomId, UserId]] = field(default_factory=set)

    async def look(self, community: Community, world: World) -> bool:
        """Join who is missing; gives whether there are more. Raises `TryLater`."""
        news = community.only(Kind.ANNOUNCEMENTS)
        if not self.able or news is None or news.room not in world or community.lockdown is not None:
            return False
        there, home = world[news.room].members, server_of(self.bot)
        waiting = {Membership.INVITED, None}
        local = (
            who for who in members(world, community) if server_of(who) == home and there.get(who) in waiting
        )
        missing = sorted(who for who in local if (news.room, who) not in self.in_vain)
        for who in missing[:AT_ONCE]:
            if not await self._joined(news.room, who):
                return False
        return len(missing) > AT_ONCE

    async def _joined(self, room: RoomId, who: UserId) -> bool:
        """Join one, if that can be done; gives whether we may do such things at all."""
        try:
            await self.homeserver.join_for(room, who)
        except GiveUp as error:
            self.in_vain.add((room, who))
            self.able = not isinstance(error, Refused) and error.values.get("code") != "M_UNRECOGNIZED"
            log.warning("a member could not be joined to the announcements: %s", error)
            if not self.able:
                log.warning("the bot is no administrator of a Synapse: it joins nobody to announcements")
        return self.able

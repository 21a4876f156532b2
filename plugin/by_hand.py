"""Notices roles that were given or taken by hand, in the power levels of a space, and writes them into the audit log.

It looks before the keepers do: they bring every room in step with a new level, and write over who set it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from haven.ids import RoomId, UserId
from haven.model import Community, Role
from haven.ports import StateEvent
from haven.reach import POWER

from .audit import Audit, Deed, Door
from .service.communities import Communities


class RemembersRoles(Protocol):
    """Keeps who was what when we last looked. Implemented by `plugin.store_roles.RoleStore`."""

    async def held(self, space: RoomId) -> Mapping[UserId, str]:
        """The role of everybody who has, or once had, one in a community, the owner among them; empty before the first look."""

    async def hold(self, space: RoomId, user: UserId, role: str) -> None:
        """Remember what somebody is now."""


@dataclass(frozen=True, slots=True)
class RolesByHand:
    """Compares who is what with who was."""

    communities: Communities
    memory: RemembersRoles
    audit: Audit

    async def noticed(self, rooms: Iterable[RoomId]) -> None:
        """These rooms may have changed. Asks nothing of the homeserver."""
        world = self.communities.rooms.world
        for room in rooms:
            community = self.communities.one_of(world, room) if room in world else None
            levels = world[room].state.get((POWER, "")) if community else None
            if community is not None and levels is not None:
                await self._compare(community, levels)

    async def _compare(self, community: Community, levels: StateEvent) -> None:
        before = await self.memory.held(community.space)
        for user in sorted({community.owner, *community.roles, *before}):
            role = community.role_of(user)
            if before.get(user, Role.MEMBER if before else role) != role:
                await self._found(community, levels, user, Role(before.get(user, Role.MEMBER)))
            if before.get(user) != role:
                await self.memory.hold(community.space, user, role)

    async def _found(self, community: Community, levels: StateEvent, user: UserId, was: Role) -> None:
        """What we have written ourselves was a command, which has its own line."""
        if levels.sender == self.communities.loop.actors.bot:
            return
        role = community.role_of(user)
        what, told = ("role_removed", was) if role is Role.MEMBER else ("role_added", role)
        values = {"whom": str(user), "role": str(told)}
        deed = f"{levels.event}.{user}"
        await self.audit.keep(
            Deed(deed, community.space, levels.sender, what, Door.BY_HAND, levels.at, values)
        )

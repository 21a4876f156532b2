"""Notices roles that were given or taken by hand, in the power levels of a space, and writes them into the audit log.

It looks before the keepers do: they bring every room in step with a new level, and write over who set it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from haven.ids import RoomId, UserId
from haven.intent import read_intent
from haven.model import Community, Role
from haven.ports import StateEvent
from haven.reach import POWER
from haven.snapshot import Room

from .audit import Audit, Deed, Door
from .service.communities import Communities


class RemembersRoles(Protocol):
    """Keeps who was what when we last looked. Implemented by `plugin.store_roles.RoleStore`."""

    async def held(self, space: RoomId) -> Mapping[UserId, str]:
        """The role of everybody who has, or once had, one in a community, the owner among them; empty before the first look."""

    async def hold(self, space: RoomId, user: UserId, role: str) -> None:
        """Remember what somebody is now."""


@dataclass(slots=True)
class RolesByHand:
    """Compares who is what with who was: event by event while we are there, with what we remember when we come back."""

    communities: Communities
    memory: RemembersRoles
    audit: Audit
    _seen: list[Deed] = field(default_factory=list)
    _latest: dict[RoomId, Room] = field(default_factory=dict)
    _known: set[RoomId] = field(default_factory=set)

    def saw(self, room: RoomId, event: StateEvent) -> None:
        """A state event has come; the room is still known as it was before."""
        before = self._latest.get(room) or self.communities.rooms.world.get(room)
        ours = event.sender == self.communities.loop.actors.bot
        if before is None or event.type != POWER or ours or not before.is_space:
            return
        after = self._latest[room] = before.changed(event)
        was, now = self._read(before), self._read(after)
        if was is not None and now is not None:
            roles = {user: was.role_of(user) for user in {*was.roles, *now.roles}}
            self._seen += [_deed(now, event, user, role) for user, role in _differing(roles, now)]

    async def noticed(self, rooms: Iterable[RoomId]) -> None:
        """These rooms may have changed. Asks nothing of the homeserver."""
        seen, self._seen = self._seen, []
        self._latest.clear()
        for deed in seen:
            await self.audit.keep(deed)
        world = self.communities.rooms.world
        for room in rooms:
            community = self.communities.one_of(world, room) if room in world else None
            if community is not None:
                await self._compare(community, world[room])
                self._known.add(room)

    async def remember(self, community: Community) -> None:
        """A command has changed a community: what it did is no deed of a hand."""
        await self._remembered(community, await self.memory.held(community.space))

    def _read(self, room: Room) -> Community | None:
        return read_intent({room.id: room}, self.communities.loop.actors, room.id).communities.get(room.id)

    async def _compare(self, community: Community, space: Room) -> None:
        """At the first look of a life: what was changed while nobody was there."""
        before = await self.memory.held(community.space)
        levels = space.state.get((POWER, ""))
        by_hand = levels is not None and levels.sender != self.communities.loop.actors.bot
        if levels is not None and by_hand and before and community.space not in self._known:
            roles = dict.fromkeys(community.roles, Role.MEMBER) | {u: Role(r) for u, r in before.items()}
            for user, role in _differing(roles, community):
                await self.audit.keep(_deed(community, levels, user, role))
        await self._remembered(community, before)

    async def _remembered(self, community: Community, before: Mapping[UserId, str]) -> None:
        for user in sorted({community.owner, *community.roles, *before}):
            role = community.role_of(user)
            if before.get(user) != role:
                await self.memory.hold(community.space, user, role)


def _differing(before: Mapping[UserId, Role], now: Community) -> list[tuple[UserId, Role]]:
    """Who is something else than before, and what they were. The owner is no level's affair."""
    others = (
        (user, role) for user, role in sorted(before.items()) if Role.OWNER not in (role, now.role_of(user))
    )
    return [(user, role) for user, role in others if now.role_of(user) is not role]


def _deed(community: Community, levels: StateEvent, user: UserId, was: Role) -> Deed:
    role = community.role_of(user)
    what, told = ("role_removed", was) if role is Role.MEMBER else ("role_added", role)
    values = {"whom": str(user), "role": str(told)}
    deed = f"{levels.event}.{user}"
    return Deed(deed, community.space, levels.sender, what, Door.BY_HAND, levels.at, values)

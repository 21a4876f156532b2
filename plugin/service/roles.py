"""Giving and taking roles: what a role holds in, whether it may be given, and the community with it."""

from dataclasses import dataclass, replace

from haven.desired import Actors
from haven.errors import Invalid, Missing, NotAllowed
from haven.ids import RoomId, UserId
from haven.model import Community, Group, Kind, Role
from haven.permissions import ROOM_ROLES, role_refusal


@dataclass(frozen=True, slots=True)
class Grant:
    """A role given to somebody, or ``taken`` from them. ``room``: the one room it holds in, if it is such a role."""

    who: UserId
    role: Role
    room: RoomId | None = None
    taken: bool = False

    def held(self, community: Community) -> bool:
        """Whether they have the role."""
        if self.room is None:
            return community.role_of(self.who) is self.role
        group = community.group(self.room)
        return group is not None and group.exceptions.get(self.who) is self.role

    def carried_out(self, community: Community) -> Community:
        """The community afterwards. Twice is as good as once."""
        if self.room is None:
            return community.with_role(self.who, Role.MEMBER if self.taken else self.role)
        group = community.group(self.room)
        return community if group is None else community.with_group(self._excepted(group))

    def _excepted(self, group: Group) -> Group:
        others = {user: role for user, role in group.exceptions.items() if user != self.who}
        return replace(group, exceptions=others if self.taken else {**others, self.who: self.role})


def room_of(community: Community, role: Role, group: Group | None) -> RoomId | None:
    """The room that a role holds in, ``group`` being the one that was named. Raises `Invalid` where the two do not fit."""
    kind = ROOM_ROLES.get(role)
    if kind is None:
        if group is not None:
            raise Invalid("role_holds_everywhere", role=role)
        return None
    if kind is Kind.ANNOUNCEMENTS:
        group = group or community.only(kind)
        if group is None:
            raise Missing("announcements_missing")
    if group is None:
        raise Invalid("role_needs_group", role=role)
    if group.kind is not kind:
        raise Invalid("role_not_there", role=role, group=group.name)
    return group.room


def check_target(grant: Grant, actors: Actors, member: bool) -> None:
    """Raise `Invalid` where nobody can give them a role: the bots, and people who are not members."""
    if grant.who == actors.bot:
        raise Invalid("role_bot")
    if grant.who == actors.bridge:
        raise Invalid("role_bridge")
    if not member and not grant.taken:
        raise Invalid("role_stranger", who=grant.who)


def check_grant(community: Community, grant: Grant, actor: UserId) -> None:
    """Raise `NotAllowed` where ``actor`` may not do it, `Invalid` where there is nothing to do."""
    if grant.taken and grant.role is Role.MEMBER:
        raise Invalid("role_member_stays")
    if grant.taken and not grant.held(community):
        raise Invalid("role_not_held", who=grant.who, role=grant.role)
    if grant.room is None:
        after = Role.MEMBER if grant.taken else grant.role
        refusal = role_refusal(community, actor, grant.who, after)
        if refusal is not None:
            raise NotAllowed(refusal.value, limit=community.settings.admin_limit)
    if not grant.taken and grant.held(community):
        raise Invalid("role_held", who=grant.who, role=grant.role)

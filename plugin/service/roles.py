"""Giving and taking roles: what a role holds in, whether it may be given, and the community with it."""

from dataclasses import dataclass, replace

from haven.desired import Actors
from haven.errors import Invalid, Missing, NotAllowed
from haven.ids import RoomId, UserId
from haven.model import Community, Group, Kind, Role
from haven.permissions import LEVELS, ROOM_ROLES, RoleRefusal, role_refusal

DIFFERS = frozenset({Role.MODERATOR, Role.GREETER, Role.MEMBER})
"""What somebody can be on purpose in one room only, whatever they are elsewhere."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role given to somebody, or ``taken`` from them. ``room``: the one room it holds in, if it is not to hold everywhere."""

    who: UserId
    role: Role
    room: RoomId | None = None
    taken: bool = False

    def held(self, community: Community) -> bool:
        """Whether they have the role. What is said of one room can be taken from it, what holds everywhere not."""
        everywhere = community.role_of(self.who)
        if self.room is None:
            return everywhere is self.role
        group = community.group(self.room)
        if group is None:
            return False
        before = group.lent.get(self.who, None if self.taken else everywhere)
        return group.exceptions.get(self.who, before) is self.role

    def lays_down(self, community: Community) -> bool:
        """Whether somebody gives away power by it; an exception that takes power away ends as others want it."""
        return self.taken and (self.room is None or LEVELS[self.role] > LEVELS[community.role_of(self.who)])

    def carried_out(self, community: Community) -> Community:
        """The community afterwards. Twice is as good as once."""
        if self.room is None:
            return community.with_role(self.who, Role.MEMBER if self.taken else self.role)
        group = community.group(self.room)
        if group is None:
            return community
        role = community.role_of(self.who) if self.taken else self.role
        return community.with_group(self._excepted(group, role, plain=role is community.role_of(self.who)))

    def _excepted(self, group: Group, role: Role, *, plain: bool) -> Group:
        """The group in which they are what was said, or ``plain``: what they are everywhere. What another network lends them is
        taken away only by saying so.
        """
        others = {user: held for user, held in group.exceptions.items() if user != self.who}
        plain = plain and self.who not in group.lent
        return replace(group, exceptions=others if plain else {**others, self.who: role})


def room_of(community: Community, role: Role, group: Group | None) -> RoomId | None:
    """The room that a role holds in, ``group`` being the one that was named. Raises `Invalid` where the two do not fit."""
    kind = ROOM_ROLES.get(role)
    if kind is None:
        if group is not None and role not in DIFFERS:
            raise Invalid("role_holds_everywhere", role=role)
        if group is not None and group.kind is Kind.ADMINS:
            raise Invalid("role_not_there", role=role, group=group.name)
        return group.room if group else None
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
    if grant.taken and grant.role is Role.MEMBER and grant.room is None:
        raise Invalid("role_member_stays")
    if grant.taken and not grant.held(community):
        raise Invalid("role_not_held", who=grant.who, role=grant.role)
    if grant.room is None:
        after = Role.MEMBER if grant.taken else grant.role
        refusal = role_refusal(community, actor, grant.who, after)
        if refusal is not None:
            raise NotAllowed(refusal.value, limit=community.settings.admin_limit)
    elif grant.role in DIFFERS:
        _check_exception(community, grant, actor)
    if not grant.taken and grant.held(community):
        raise Invalid("role_held", who=grant.who, role=grant.role)


def _check_exception(community: Community, grant: Grant, actor: UserId) -> None:
    """Raise `NotAllowed` where somebody is what they are in every room: the owner, and for all but the owner an admin."""
    if grant.who == community.owner:
        raise NotAllowed(RoleRefusal.OWNER_IS_HANDED_OVER.value)
    if community.role_of(grant.who) is Role.ADMIN and actor != community.owner:
        raise NotAllowed(RoleRefusal.ONLY_OWNER_LOWERS_ADMINS.value)

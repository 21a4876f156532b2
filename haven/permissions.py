"""Who may do what, and the power levels that say so to every Matrix client (CONTRACT, "Roles").

Roles of the whole community are levels in the space, where they can also be given and taken by hand. An announcer
or a group admin is an exception of one room, since a level between moderator and admin in the space would carry power there.
"""

from collections.abc import Mapping
from enum import Enum, StrEnum

from haven.ids import RoomVersion, UserId
from haven.model import Community, Group, Kind, Replies, Role, Settings, WhoAddsGroups
from haven.power import PowerLevels, creators_are_infinite

LEVELS: Mapping[Role, int] = {
    Role.OWNER: 100,
    Role.ADMIN: 90,
    Role.ANNOUNCER: 70,
    Role.GROUP_ADMIN: 60,
    Role.MODERATOR: 50,
    Role.GREETER: 40,
    Role.MEMBER: 0,
}
BOT_LEVEL = 100
OWNER_BELOW_BOT = 95
BRIDGE_LEVEL = 90

COMMUNITY_ROLES = (Role.OWNER, Role.ADMIN, Role.MODERATOR, Role.GREETER)
"""Roles that hold in the whole community; they are also who sits in the admins' room."""

ROOM_ROLES: Mapping[Role, Kind] = {Role.ANNOUNCER: Kind.ANNOUNCEMENTS, Role.GROUP_ADMIN: Kind.GROUP}
"""Roles that hold in one room only, and the kind of that room."""


def level_of(role: Role, version: RoomVersion) -> int:
    """The power level of a role in a room of that version.

    Before version 12 the bot has 100 like any user, so the owner has 95: else the bot could not demote them.
    """
    if role is Role.OWNER and not creators_are_infinite(version):
        return OWNER_BELOW_BOT
    return LEVELS[role]


def role_of_level(level: float) -> Role:
    """The role in the whole community that a level given by hand in the space stands for: the nearest one below."""
    held = (role for role in COMMUNITY_ROLES if role is not Role.OWNER and level >= LEVELS[role])
    return next(held, Role.MEMBER)


def role_in(community: Community, group: Group, user: UserId) -> Role:
    """The role of a person in one room. An exception that adds (announcer, group admin) never takes away.

    It counts only in the kind of room it is made for.
    """
    own = community.role_of(user)
    exception = group.exceptions.get(user)
    if exception is None or own is Role.OWNER:
        return own
    if exception in ROOM_ROLES:
        if ROOM_ROLES[exception] is not group.kind:
            return own
        return max(own, exception, key=LEVELS.__getitem__)
    return exception


def space_frame() -> PowerLevels:
    """The levels of a space, without its users."""
    return PowerLevels(
        events={"m.space.child": 90, "m.room.power_levels": 90},
        events_default=100,
        state_default=90,
        invite=40,
        kick=50,
        ban=50,
        redact=50,
    )


_FACE_OF_A_ROOM = {"m.room.name": 60, "m.room.topic": 60, "m.room.avatar": 60, "m.room.pinned_events": 60}
_ANSWERS = {
    "m.reaction": 0,
    "m.room.redaction": 0,
    "m.poll.response": 0,
    "org.matrix.msc3381.poll.response": 0,
}


def room_frame(kind: Kind, settings: Settings) -> PowerLevels:
    """The levels of a room of that kind, without its users."""
    if kind is not Kind.ANNOUNCEMENTS:
        return PowerLevels(events=_FACE_OF_A_ROOM, state_default=90, invite=40, kick=50, ban=50, redact=50)
    answers = _ANSWERS if settings.replies is Replies.OFF else {**_ANSWERS, "m.room.message": 0}
    return PowerLevels(
        events={**_FACE_OF_A_ROOM, **answers},
        events_default=70,
        state_default=90,
        invite=40,
        kick=90,
        ban=90,
        redact=50,
    )


class Right(StrEnum):
    """What a command can require."""

    SEE = "see"
    ADD_GROUP = "add_group"
    CHANGE_SETTINGS = "change_settings"
    CHANGE_ROLES = "change_roles"
    ANNOUNCE = "announce"
    PLAN = "plan"
    REPAIR = "repair"
    LINK = "link"
    SEE_LINKS = "see_links"


_ADMINS = frozenset({Role.OWNER, Role.ADMIN})
_STAFF = frozenset(COMMUNITY_ROLES)

_HOLDERS: Mapping[Right, frozenset[Role]] = {
    Right.SEE: frozenset(Role),
    Right.ADD_GROUP: _ADMINS,
    Right.CHANGE_SETTINGS: _ADMINS,
    Right.CHANGE_ROLES: _ADMINS,
    Right.ANNOUNCE: _ADMINS | {Role.ANNOUNCER},
    Right.PLAN: _ADMINS,
    Right.REPAIR: _ADMINS,
    Right.LINK: _ADMINS,
    Right.SEE_LINKS: _STAFF,
}


def holders(right: Right, settings: Settings) -> frozenset[Role]:
    """The roles that have a right under these settings."""
    if right is Right.ADD_GROUP and settings.who_adds_groups is WhoAddsGroups.EVERYONE:
        return frozenset(Role)
    return _HOLDERS[right]


def has_right(community: Community, user: UserId, right: Right) -> bool:
    """Whether a member of the community may do it. That the person is a member is for the caller to know."""
    announcements = community.only(Kind.ANNOUNCEMENTS)
    if right is Right.ANNOUNCE and announcements is not None:
        return role_in(community, announcements, user) in holders(right, community.settings)
    return community.role_of(user) in holders(right, community.settings)


class RoleRefusal(Enum):
    """Why somebody may not give or take a role; the value is the key of the sentence."""

    NOT_ADMIN = "role_not_admin"
    OWNER_IS_HANDED_OVER = "role_owner_is_handed_over"
    ONLY_OWNER_LOWERS_ADMINS = "role_only_owner_lowers_admins"
    ADMIN_LIMIT = "role_admin_limit"


def role_refusal(community: Community, actor: UserId, target: UserId, role: Role) -> RoleRefusal | None:
    """Why ``actor`` may not make ``target`` a ``role`` of the whole community; ``None`` when they may.

    Admins appoint; only the owner lowers another admin; anybody may step down; the owner's role is handed over, never given.
    """
    own, held = community.role_of(actor), community.role_of(target)
    if Role.OWNER in (role, held):
        return RoleRefusal.OWNER_IS_HANDED_OVER
    steps_down = actor == target and LEVELS[role] < LEVELS[held]
    if own not in _ADMINS and not steps_down:
        return RoleRefusal.NOT_ADMIN
    if held is Role.ADMIN and role is not Role.ADMIN and own is not Role.OWNER and not steps_down:
        return RoleRefusal.ONLY_OWNER_LOWERS_ADMINS
    if role is Role.ADMIN and held is not Role.ADMIN and _admins(community) >= community.settings.admin_limit:
        return RoleRefusal.ADMIN_LIMIT
    return None


def _admins(community: Community) -> int:
    return sum(role is Role.ADMIN for role in community.roles.values())

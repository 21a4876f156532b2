"""Who may do what, and the power levels that say so to every Matrix client (CONTRACT, "Roles").

Roles of the whole community are levels in the space, where they can also be given and taken by hand. An announcer
or a group admin is an exception of one room, since a level between moderator and admin in the space would carry power there.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from enum import Enum, StrEnum

from haven.ids import RoomVersion, UserId
from haven.measures import CLOSED_LEVEL
from haven.model import Community, Group, Kind, Replies, Role, Settings, Visibility, WhoAddsGroups
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

    It counts only in the kind of room it is made for. A lent role adds, too, where nothing else is said.
    """
    own = community.role_of(user)
    exception = group.exceptions.get(user)
    if exception is None:
        return max(own, group.lent.get(user, own), key=LEVELS.__getitem__)
    if own is Role.OWNER:
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


def is_muted(community: Community, group: Group, user: UserId) -> bool:
    """Whether somebody must not speak in a room. The owner and admins may always, and staff among themselves."""
    mute = community.muted.get(user)
    bound = group.kind is not Kind.ADMINS and community.role_of(user) not in _ADMINS
    return mute is not None and bound and mute.holds_in(group.room)


def closed(frame: PowerLevels) -> PowerLevels:
    """The same levels where only people with a role may speak, or send anything."""
    return replace(frame, users_default=CLOSED_LEVEL)


def archive_frame(frame: PowerLevels) -> PowerLevels:
    """The same levels in an archive: admins may still write there, others only read."""
    return replace(closed(frame), events_default=LEVELS[Role.ADMIN])


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
    answer = LEVELS[Role.ANNOUNCER] if settings.replies is Replies.OFF else 0
    return PowerLevels(
        events={**_FACE_OF_A_ROOM, **_ANSWERS, "m.room.message": answer},
        events_default=70,
        state_default=90,
        invite=40,
        kick=90,
        ban=90,
        redact=50,
    )


def is_secret(group: Group) -> bool:
    """Whether not every member may know of the room."""
    return group.kind is Kind.GROUP and group.visibility is Visibility.HIDDEN


def knows_of(community: Community, user: UserId, group: Group) -> bool:
    """Whether somebody may know of a room for what they are in the community; who is in a hidden group knows of it anyway."""
    return not is_secret(group) or community.role_of(user) in _ADMINS


class Right(StrEnum):
    """What a command, or an answer to a card, can require."""

    SEE = "see"
    REPORT = "report"
    SUGGEST = "suggest"
    ADD_GROUP = "add_group"
    MANAGE_GROUPS = "manage_groups"
    ADOPT = "adopt"
    UPGRADE = "upgrade"
    DECIDE_SUGGESTIONS = "decide_suggestions"
    CHANGE_SETTINGS = "change_settings"
    CHANGE_ROLES = "change_roles"
    ANNOUNCE = "announce"
    APPROVE = "approve"
    INVITE = "invite"
    REMOVE_PEOPLE = "remove_people"
    BAN = "ban"
    MUTE = "mute"
    DELETE = "delete"
    HANDLE_REPORTS = "handle_reports"
    LOCKDOWN = "lockdown"
    BAN_LISTS = "ban_lists"
    PLAN = "plan"
    REPAIR = "repair"
    LINK = "link"
    SEE_LINKS = "see_links"
    SEE_LOG = "see_log"
    DEACTIVATE = "deactivate"
    TRANSFER = "transfer"


_OWNER = frozenset({Role.OWNER})
_ADMINS = _OWNER | {Role.ADMIN}
_MODERATORS = _ADMINS | {Role.MODERATOR}
_STAFF = frozenset(COMMUNITY_ROLES)
_EVERYONE = frozenset(Role)

_HOLDERS: Mapping[Right, frozenset[Role]] = {
    Right.MANAGE_GROUPS: _ADMINS | {Role.GROUP_ADMIN},
    Right.ANNOUNCE: _ADMINS | {Role.ANNOUNCER},
    Right.APPROVE: _STAFF | {Role.GROUP_ADMIN},
    **dict.fromkeys((Right.SEE, Right.REPORT, Right.SUGGEST), _EVERYONE),
    **dict.fromkeys((Right.INVITE, Right.SEE_LINKS, Right.SEE_LOG), _STAFF),
    **dict.fromkeys(
        (Right.REMOVE_PEOPLE, Right.BAN, Right.MUTE, Right.DELETE, Right.HANDLE_REPORTS), _MODERATORS
    ),
    **dict.fromkeys(
        (Right.ADD_GROUP, Right.ADOPT, Right.UPGRADE, Right.DECIDE_SUGGESTIONS, Right.CHANGE_SETTINGS),
        _ADMINS,
    ),
    **dict.fromkeys((Right.CHANGE_ROLES, Right.LOCKDOWN, Right.BAN_LISTS), _ADMINS),
    **dict.fromkeys((Right.PLAN, Right.REPAIR, Right.LINK), _ADMINS),
    **dict.fromkeys((Right.DEACTIVATE, Right.TRANSFER), _OWNER),
}


def holders(right: Right, settings: Settings) -> frozenset[Role]:
    """The roles that have a right under these settings. Announcers and group admins have theirs in their room only."""
    if right is Right.ADD_GROUP and settings.who_adds_groups is WhoAddsGroups.EVERYONE:
        return _EVERYONE
    return _HOLDERS[right]


def has_right(community: Community, user: UserId, right: Right, group: Group | None = None) -> bool:
    """Whether a member of the community may do it, in ``group`` if one is given. That the person is a member is for the caller
    to know.

    Without a group only what holds in the whole community counts: a group admin may manage that group, not groups. A role that
    was taken from somebody in one room does not bind what they may do by command in the whole community.
    """
    able = holders(right, community.settings)
    place = community.only(Kind.ANNOUNCEMENTS) if right is Right.ANNOUNCE else group
    if place is not None and (right is Right.ANNOUNCE or community.role_of(user) not in able):
        return role_in(community, place, user) in able
    return community.role_of(user) in able


class ActRefusal(Enum):
    """Why somebody may not remove, ban, mute or unmute somebody; the value is the key of the sentence."""

    ONESELF = "act_oneself"
    BOT = "act_bot"
    OWNER = "act_owner"
    NOT_LOWER = "act_not_lower"


def act_refusal(
    community: Community, actor: UserId, target: UserId, bots: Collection[UserId] = ()
) -> ActRefusal | None:
    """Why ``actor`` may not act on ``target``, whatever right they have; ``None`` when they may.

    Never oneself, never the ``bots`` that work for Haven, never the owner, and only on who has a lower role in the
    whole community: what the levels of the space allow by hand.
    """
    if target in bots:
        return ActRefusal.BOT
    if actor == target:
        return ActRefusal.ONESELF
    if target == community.owner:
        return ActRefusal.OWNER
    lower = LEVELS[community.role_of(target)] < LEVELS[community.role_of(actor)]
    return None if lower else ActRefusal.NOT_LOWER


def may_act_on(community: Community, actor: UserId, target: UserId, bots: Collection[UserId] = ()) -> bool:
    """Whether `act_refusal` has nothing against it."""
    return act_refusal(community, actor, target, bots) is None


REACTIVATED_WITHIN = 30 * 24 * 3_600_000
"""For how long, in ms, a deactivated community can be taken up again."""


def may_reactivate(community: Community, now: int) -> bool:
    """Whether a community is deactivated and can still be taken up again. ``now``: ms since the epoch."""
    since = community.deactivated
    return since is not None and now < since + REACTIVATED_WITHIN


class HandoverRefusal(Enum):
    """Why a community may not be handed over, or a successor named; the value is the key of the sentence."""

    NOT_OWNER = "handover_not_owner"
    ONESELF = "handover_oneself"
    BOT = "handover_bot"
    STRANGER = "handover_stranger"


def handover_refusal(
    community: Community, actor: UserId, target: UserId, *, member: bool, bots: Collection[UserId] = ()
) -> HandoverRefusal | None:
    """Why ``actor`` may not make ``target`` the owner, or the successor; ``None`` when they may. ``member``: of the space."""
    if actor != community.owner:
        return HandoverRefusal.NOT_OWNER
    if target == actor:
        return HandoverRefusal.ONESELF
    if target in bots:
        return HandoverRefusal.BOT
    return None if member else HandoverRefusal.STRANGER


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

"""The table of roles and levels, and who may give which role to whom."""

import itertools

import pytest

from haven.ids import RoomId, RoomVersion, UserId
from haven.model import Community, Group, Kind, Replies, Role, Settings, WhoAddsGroups
from haven.permissions import (
    BOT_LEVEL,
    ActRefusal,
    Right,
    RoleRefusal,
    act_refusal,
    has_right,
    level_of,
    may_act_on,
    role_in,
    role_of_level,
    role_refusal,
    room_frame,
    space_frame,
)
from tests.haven.worlds import ANA, BO, CY, DORA, EVA, FIL

ANNOUNCEMENTS = Group(RoomId("!a"), Kind.ANNOUNCEMENTS, "Announcements", exceptions={FIL: Role.ANNOUNCER})
BOOKS = Group(RoomId("!b"), Kind.GROUP, "Books", exceptions={EVA: Role.GROUP_ADMIN, CY: Role.MEMBER})
WALKS = Group(RoomId("!w"), Kind.GROUP, "Walks")
COMMUNITY = Community(
    RoomId("!space"),
    "Fathers",
    ANA,
    roles={BO: Role.ADMIN, CY: Role.MODERATOR, DORA: Role.GREETER},
    groups=(ANNOUNCEMENTS, BOOKS, WALKS),
)
OTHER_ADMIN = UserId("@other:home.org")


@pytest.mark.parametrize(
    ("role", "level"),
    [
        ("admin", 90),
        ("announcer", 70),
        ("group-admin", 60),
        ("moderator", 50),
        ("greeter", 40),
        ("member", 0),
    ],
)
def test_a_role_has_the_same_level_in_every_version(role: str, level: int) -> None:
    assert {level_of(Role(role), RoomVersion(version)) for version in ("10", "11", "12")} == {level}


def test_the_owner_stands_below_the_bot_where_the_bot_is_no_creator_for_ever() -> None:
    assert [level_of(Role.OWNER, RoomVersion(version)) for version in ("10", "11", "12")] == [95, 95, 100]
    assert BOT_LEVEL == 100


@pytest.mark.parametrize(
    ("level", "role"),
    [
        (1_000, "admin"), (100, "admin"), (90, "admin"), (89, "moderator"), (70, "moderator"), (50, "moderator"),
        (49, "greeter"), (40, "greeter"), (39, "member"), (0, "member"), (-1, "member"),
    ],
)  # fmt: skip
def test_a_level_given_by_hand_stands_for_the_nearest_role_below(level: int, role: str) -> None:
    assert role_of_level(level) is Role(role)


@pytest.mark.parametrize(
    ("user", "group", "role"),
    [
        (ANA, BOOKS, Role.OWNER),
        (FIL, ANNOUNCEMENTS, Role.ANNOUNCER),
        (FIL, BOOKS, Role.MEMBER),
        (EVA, BOOKS, Role.GROUP_ADMIN),
        (EVA, ANNOUNCEMENTS, Role.MEMBER),
        (CY, BOOKS, Role.MEMBER),
        (CY, ANNOUNCEMENTS, Role.MODERATOR),
    ],
)
def test_an_exception_holds_in_its_room_only(user: UserId, group: Group, role: Role) -> None:
    assert role_in(COMMUNITY, group, user) is role


@pytest.mark.parametrize("role", [Role.ANNOUNCER, Role.GROUP_ADMIN])
def test_a_role_of_another_kind_of_room_says_nothing(role: Role) -> None:
    for kind in set(Kind) - {Kind.ANNOUNCEMENTS, Kind.GROUP}:
        group = Group(RoomId("!x"), kind, "X", exceptions={BO: role, EVA: role})
        assert role_in(COMMUNITY, group, EVA) is Role.MEMBER
        assert role_in(COMMUNITY, group, BO) is Role.ADMIN


def test_an_exception_that_adds_takes_nothing_away() -> None:
    group = Group(RoomId("!x"), Kind.GROUP, "X", exceptions=dict.fromkeys((ANA, BO, CY), Role.GROUP_ADMIN))
    assert [role_in(COMMUNITY, group, user) for user in (ANA, BO, CY)] == [
        Role.OWNER,
        Role.ADMIN,
        Role.GROUP_ADMIN,
    ]


def test_the_frames_are_those_of_the_contract() -> None:
    space = space_frame()
    assert (space.invite, space.kick, space.ban, space.events_default) == (40, 50, 50, 100)
    assert {space.for_state(kind) for kind in ("m.space.child", "m.room.power_levels", "org.other")} == {90}
    for kind in (Kind.GENERAL, Kind.GROUP, Kind.ADMINS):
        room = room_frame(kind, Settings())
        assert (room.invite, room.kick, room.ban, room.redact, room.for_message("m.room.message")) == (
            40,
            50,
            50,
            50,
            0,
        )
        faces = ("m.room.name", "m.room.topic", "m.room.avatar", "m.room.pinned_events")
        assert {room.for_state(face) for face in faces} == {60}
        assert {
            room.for_state(other) for other in ("m.room.join_rules", "m.room.power_levels", "m.bridge")
        } == {90}


@pytest.mark.parametrize(("replies", "message"), [("off", 70), ("threads", 0), ("open", 0)])
def test_announcements_are_for_announcers_and_reactions_for_all(replies: str, message: int) -> None:
    room = room_frame(Kind.ANNOUNCEMENTS, Settings(replies=Replies(replies)))
    assert room.for_message("m.room.message") == message
    assert room.for_message("m.sticker") == 70
    answers = ("m.reaction", "m.room.redaction", "m.poll.response", "org.matrix.msc3381.poll.response")
    assert {room.for_message(answer) for answer in answers} == {0}
    assert (room.redact, room.kick, room.ban) == (50, 90, 90)


EVERYBODY = (ANA, BO, CY, DORA, EVA, FIL)
OWNER, ADMINS, MODERATORS, STAFF = (ANA,), (ANA, BO), (ANA, BO, CY), (ANA, BO, CY, DORA)
WHO_MAY = {
    Right.SEE: EVERYBODY,
    Right.REPORT: EVERYBODY,
    Right.SUGGEST: EVERYBODY,
    Right.ANNOUNCE: (ANA, BO, FIL),
    Right.ADD_GROUP: ADMINS,
    Right.MANAGE_GROUPS: ADMINS,
    Right.ADOPT: ADMINS,
    Right.UPGRADE: ADMINS,
    Right.DECIDE_SUGGESTIONS: ADMINS,
    Right.CHANGE_SETTINGS: ADMINS,
    Right.CHANGE_ROLES: ADMINS,
    Right.LOCKDOWN: ADMINS,
    Right.BAN_LISTS: ADMINS,
    Right.PLAN: ADMINS,
    Right.REPAIR: ADMINS,
    Right.LINK: ADMINS,
    Right.REMOVE_PEOPLE: MODERATORS,
    Right.BAN: MODERATORS,
    Right.MUTE: MODERATORS,
    Right.DELETE: MODERATORS,
    Right.HANDLE_REPORTS: MODERATORS,
    Right.APPROVE: STAFF,
    Right.INVITE: STAFF,
    Right.SEE_LINKS: STAFF,
    Right.SEE_LOG: STAFF,
    Right.DEACTIVATE: OWNER,
    Right.TRANSFER: OWNER,
}


@pytest.mark.parametrize("right", list(Right))
def test_a_right_is_held_by(right: Right) -> None:
    assert {user for user in EVERYBODY if has_right(COMMUNITY, user, right)} == set(WHO_MAY[right])


@pytest.mark.parametrize("right", list(Right))
def test_in_a_group_its_admin_may_also_manage_it(right: Right) -> None:
    more = {EVA} if right in {Right.MANAGE_GROUPS, Right.APPROVE} else set()
    assert {user for user in EVERYBODY if has_right(COMMUNITY, user, right, BOOKS)} == {
        *WHO_MAY[right],
        *more,
    }
    assert {user for user in EVERYBODY if has_right(COMMUNITY, user, right, WALKS)} == set(WHO_MAY[right])


HAVEN, SHIP = UserId("@haven:home.org"), UserId("@haven-bridge:home.org")


@pytest.mark.parametrize(
    ("actor", "may"),
    [
        (ANA, {BO, CY, DORA, EVA, FIL}),
        (BO, {CY, DORA, EVA, FIL}),
        (CY, {DORA, EVA, FIL}),
        (DORA, {EVA, FIL}),
        (EVA, set()),
        (FIL, set()),
    ],
)
def test_one_acts_only_on_who_has_a_lower_role(actor: UserId, may: set[UserId]) -> None:
    everybody = (*EVERYBODY, HAVEN, SHIP)
    assert {user for user in everybody if may_act_on(COMMUNITY, actor, user, (HAVEN, SHIP))} == may


@pytest.mark.parametrize(
    ("actor", "target", "refusal"),
    [
        (BO, BO, ActRefusal.ONESELF),
        (ANA, ANA, ActRefusal.ONESELF),
        (ANA, HAVEN, ActRefusal.BOT),
        (BO, SHIP, ActRefusal.BOT),
        (BO, ANA, ActRefusal.OWNER),
        (CY, BO, ActRefusal.NOT_LOWER),
        (EVA, FIL, ActRefusal.NOT_LOWER),
        (CY, EVA, None),
    ],
)
def test_why_one_may_not_act(actor: UserId, target: UserId, refusal: ActRefusal | None) -> None:
    assert act_refusal(COMMUNITY, actor, target, (HAVEN, SHIP)) is refusal


def test_everyone_adds_groups_where_that_is_set() -> None:
    free = Community(RoomId("!s"), "F", ANA, settings=Settings(who_adds_groups=WhoAddsGroups.EVERYONE))
    assert has_right(free, EVA, Right.ADD_GROUP)
    assert not has_right(free, EVA, Right.ANNOUNCE)


def _expected(actor: UserId, target: UserId, role: Role) -> RoleRefusal | None:
    """The same decision in other words: what the house rules say of each pair."""
    held, own = COMMUNITY.role_of(target), COMMUNITY.role_of(actor)
    if target == ANA or role is Role.OWNER:
        return RoleRefusal.OWNER_IS_HANDED_OVER
    if own is Role.OWNER:
        return None
    if own is Role.ADMIN:
        takes_admin_from_another = held is Role.ADMIN and role is not Role.ADMIN and actor != target
        return RoleRefusal.ONLY_OWNER_LOWERS_ADMINS if takes_admin_from_another else None
    order = [Role.ADMIN, Role.MODERATOR, Role.GREETER, Role.MEMBER]
    steps_down = actor == target and order.index(role) > order.index(held)
    return None if steps_down else RoleRefusal.NOT_ADMIN


ACTORS = (ANA, BO, CY, DORA, EVA)
GIVEN = (Role.OWNER, Role.ADMIN, Role.MODERATOR, Role.GREETER, Role.MEMBER)


@pytest.mark.parametrize(("actor", "target", "role"), list(itertools.product(ACTORS, ACTORS, GIVEN)))
def test_who_may_make_whom_what(actor: UserId, target: UserId, role: Role) -> None:
    assert role_refusal(COMMUNITY, actor, target, role) is _expected(actor, target, role)


def test_an_admin_lowers_no_other_admin_but_the_owner_does() -> None:
    two = COMMUNITY.with_role(OTHER_ADMIN, Role.ADMIN)
    assert role_refusal(two, BO, OTHER_ADMIN, Role.MEMBER) is RoleRefusal.ONLY_OWNER_LOWERS_ADMINS
    assert role_refusal(two, BO, OTHER_ADMIN, Role.ADMIN) is None
    assert role_refusal(two, ANA, OTHER_ADMIN, Role.MEMBER) is None


def test_there_are_as_many_admins_as_there_may_be() -> None:
    full = Community(RoomId("!s"), "F", ANA, roles={BO: Role.ADMIN}, settings=Settings(admin_limit=1))
    assert role_refusal(full, ANA, EVA, Role.ADMIN) is RoleRefusal.ADMIN_LIMIT
    assert role_refusal(full, ANA, BO, Role.ADMIN) is None
    assert role_refusal(full, ANA, EVA, Role.MODERATOR) is None

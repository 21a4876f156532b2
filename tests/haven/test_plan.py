"""What is planned for a community, story by story: what is drift, what is a wish, and whose business is left alone."""

from dataclasses import replace

import pytest

from haven.changes import CreateRoom, Invite, Remove, SetState
from haven.founding import founded
from haven.ids import RoomVersion, UserId
from haven.model import JoinPolicy, Kind, Role, Settings, Visibility
from haven.plan import Plan, plan_for
from haven.reach import POWER
from haven.snapshot import Membership
from haven.stateevents import CHILD, COMMUNITY, GROUP, PARENT
from tests.haven.worlds import (
    ANA,
    BO,
    CY,
    EVA,
    FIL,
    GUS,
    STRANGER,
    VERSIONS,
    just_founded,
    village,
    wish,
)

each_version = pytest.mark.parametrize("version", VERSIONS)


def _lines(plan: Plan) -> list[tuple[str, str]]:
    return [(change.line()[0], str(change.line()[1].get("type", ""))) for change in plan.changes]


@each_version
def test_a_founding_makes_the_space_first_and_tells_it_its_rooms_last(version: RoomVersion) -> None:
    place = just_founded(wish("Books"), version)
    plan = plan_for(founded(wish("Books")), {}, place.actors)
    made = [change.new.name for change in plan.changes if isinstance(change, CreateRoom)]
    assert made == ["Fathers", "Announcements", "General", "Books", "Admins"]
    assert [type(change) for change in plan.changes] == [CreateRoom] * 5 + [SetState] * 5
    assert all(change.new.version == version for change in plan.changes if isinstance(change, CreateRoom))
    assert not place.plan()
    assert place.hall.members[ANA] == place.room(Kind.ADMINS).members[ANA] == Membership.INVITED
    assert place.hall.content("m.room.join_rules") == {"join_rule": "knock"}


@each_version
def test_a_role_by_command_is_one_write_per_room_and_an_invite(version: RoomVersion) -> None:
    place = village(version=version)
    plan = place.plan(lambda community: community.with_role(EVA, Role.ADMIN))
    assert _lines(plan) == [("change.power", POWER)] * 6 + [("change.invite", "")]
    assert plan.changes[0].room == place.space
    place.settle(lambda community: community.with_role(EVA, Role.ADMIN))
    assert all(room.power.of(EVA) == 90 for room in place.world.values())
    assert place.room(Kind.ADMINS).members[EVA] is Membership.INVITED


def test_a_role_given_by_hand_in_the_space_is_a_wish() -> None:
    place = village()
    place.gives_level(ANA, place.space, EVA, 77)
    place.settle()
    assert place.community.role_of(EVA) is Role.MODERATOR
    assert all(room.power.of(EVA) == 50 for room in place.world.values())


def test_a_level_given_by_hand_in_a_room_is_drift() -> None:
    place = village()
    place.gives_level(ANA, place.room("Books").id, EVA, 50)
    assert _lines(place.settle()) == [("change.power", POWER)]
    assert EVA not in place.room("Books").power.users


def test_who_lost_a_role_is_removed_from_the_admins_room_last() -> None:
    place = village()
    place.gives_level(ANA, place.space, BO, 0)
    plan = place.settle()
    assert plan.changes[-1] == Remove(place.room(Kind.ADMINS).id, "Admins", BO)
    assert plan.removals == plan.changes[-1:]
    assert all(BO not in room.power.users for room in place.world.values())


def test_the_silenced_stay_silenced_until_they_are_given_a_role() -> None:
    place = village()
    for room in (place.space, place.room("Books").id):
        place.gives_level(ANA, room, EVA, -1)
    assert not place.plan().changes
    place.settle(lambda community: community.with_role(EVA, Role.GREETER))
    assert all(room.power.of(EVA) == 40 for room in place.world.values())


def test_exceptions_hold_in_their_room_only() -> None:
    place = village()
    books = next(group for group in place.community.groups if group.name == "Books")
    news = next(group for group in place.community.groups if group.kind is Kind.ANNOUNCEMENTS)
    place.settle(lambda community: community.with_group(replace(books, exceptions={EVA: Role.GROUP_ADMIN})))
    place.settle(lambda community: community.with_group(replace(news, exceptions={FIL: Role.ANNOUNCER})))
    levels = {group.name: place.world[group.room].power for group in place.community.groups}
    assert {name: power.of(EVA) for name, power in levels.items() if power.of(EVA)} == {"Books": 60}
    assert {name: power.of(FIL) for name, power in levels.items() if power.of(FIL)} == {"Announcements": 70}
    assert EVA not in place.room(Kind.ADMINS).members


def test_what_is_meant_is_written_before_what_follows_from_it() -> None:
    """Else a crash between the two would make drift of it."""
    place = village()
    books = next(group for group in place.community.groups if group.name == "Books")
    wished = replace(books, exceptions={EVA: Role.GROUP_ADMIN}, visibility=Visibility.REQUEST)
    plan = place.plan(lambda community: community.with_group(wished))
    assert [change.type for change in plan.changes if isinstance(change, SetState)] == [
        GROUP,
        POWER,
        "m.room.join_rules",
    ]


def test_a_room_renamed_by_hand_keeps_its_name_and_an_edit_changes_it() -> None:
    place = village()
    books = place.room("Books").id
    place.says(CY, books, "m.room.name", {"name": "Novels"})
    place.says(CY, books, "m.room.topic", {"topic": "Mondays 👨‍👩‍👧"})
    assert not place.plan().changes
    group = place.community.group(books)
    assert group is not None
    plan = place.settle(
        lambda community: community.with_group(replace(group, name="Poems", topic="Tuesdays"))
    )
    assert _lines(plan) == [("change.name", "m.room.name"), ("change.topic", "m.room.topic")]
    assert place.world[books].topic == "Tuesdays"


def test_the_space_renamed_by_hand_says_so_in_its_record() -> None:
    place = village()
    place.says(ANA, place.space, "m.room.name", {"name": "Dads"})
    assert _lines(place.settle()) == [("change.record", COMMUNITY)]
    assert place.hall.content(COMMUNITY)["name"] == "Dads"


def test_order_and_suggestion_set_by_hand_are_kept() -> None:
    place = village()
    books = place.room("Books").id
    child = {**place.hall.content(CHILD, books), "order": "00", "suggested": True, "org.other": 1}
    place.says(BO, place.space, CHILD, child, books)
    place.says(
        BO,
        place.space,
        CHILD,
        {**place.hall.content(CHILD, place.room(Kind.GENERAL).id), "suggested": False},
        place.room(Kind.GENERAL).id,
    )
    assert not place.plan().changes


def test_a_child_taken_out_by_hand_comes_back() -> None:
    place = village()
    books = place.room("Books").id
    place.says(BO, place.space, CHILD, {}, books)
    assert _lines(place.settle()) == [("change.child", CHILD)]
    assert place.hall.content(CHILD, books)["via"]


def test_a_child_that_is_none_of_ours_stays() -> None:
    place = village()
    place.says(BO, place.space, CHILD, {"via": ["else.where"]}, "!friends")
    assert not place.plan().changes


@each_version
def test_a_group_switched_through_all_visibilities_converges(version: RoomVersion) -> None:
    place = village(version=version)
    for visibility, rule in (
        (Visibility.HIDDEN, {"join_rule": "invite"}),
        (
            Visibility.OPEN,
            {"join_rule": "restricted", "allow": [{"type": "m.room_membership", "room_id": place.space}]},
        ),
        (Visibility.REQUEST, {"join_rule": "knock"}),
        (Visibility.HIDDEN, {"join_rule": "invite"}),
        (Visibility.REQUEST, {"join_rule": "knock"}),
    ):
        books = next(group for group in place.community.groups if group.name == "Books")
        place.settle(lambda community: community.with_group(replace(books, visibility=visibility)))  # noqa: B023 - called at once
        assert place.room("Books").content("m.room.join_rules") == rule
        assert bool(place.hall.content(CHILD, books.room)) is (visibility is not Visibility.HIDDEN)


@pytest.mark.parametrize(("policy", "rule"), [("open", "public"), ("request", "knock"), ("invite", "invite")])
def test_one_comes_into_the_space_as_the_settings_say(policy: str, rule: str) -> None:
    place = just_founded(wish(settings=Settings(join=JoinPolicy(policy))))
    assert place.hall.content("m.room.join_rules") == {"join_rule": rule}


def test_a_join_writes_nothing_and_a_server_that_left_is_replaced() -> None:
    place = village()
    books, before = place.room("Books").id, place.hall.content(CHILD, place.room("Books").id)["via"]
    assert before in (["home.org", "away.net", "else.where"], ["home.org", "away.net", "far.example"])
    place.join_all(UserId("@new:away.net"), UserId("@new:brand.new"), UserId("@newer:brand.new"))
    assert not place.plan().changes
    place.becomes(books, Membership.LEFT, CY, EVA, UserId("@new:away.net"))
    assert _lines(place.settle()) == [("change.child", CHILD)]
    assert place.hall.content(CHILD, books)["via"] == ["home.org", "brand.new", "else.where"]


def test_the_bots_server_is_always_named() -> None:
    """Only a server with somebody who may invite can let people in by the restricted rule."""
    place = just_founded(wish("Books"))
    crowd = [UserId(f"@{number}:big{number % 4}.org") for number in range(20)]
    place.join_all(*crowd)
    place.settle()
    assert place.hall.content(CHILD, place.room("Books").id)["via"] == ["home.org", "big0.org", "big1.org"]
    place.says(BO, place.space, CHILD, {"via": ["big0.org", "big1.org", "big2.org"]}, place.room("Books").id)
    place.settle()
    assert "home.org" in str(place.hall.content(CHILD, place.room("Books").id)["via"])


def test_there_is_one_canonical_parent() -> None:
    place = village()
    books = place.room("Books")
    place.says(BO, books.id, PARENT, {"via": ["else.where"], "canonical": True}, "!umbrella")
    place.says(BO, books.id, PARENT, {**books.content(PARENT, place.space), "canonical": False}, place.space)
    place.settle()
    assert place.room("Books").content(PARENT, "!umbrella") == {"via": ["else.where"], "canonical": False}
    assert place.room("Books").content(PARENT, place.space)["canonical"] is True


def test_the_admins_room_asks_in_members_only_and_nags_nobody() -> None:
    place = village()
    admins = place.room(Kind.ADMINS).id
    place.gives_level(ANA, place.space, GUS, 50)
    place.becomes(place.space, Membership.LEFT, GUS)
    assert not [change for change in place.plan().changes if isinstance(change, Invite)]
    place.becomes(place.space, Membership.JOINED, GUS)
    place.settle()
    assert place.room(Kind.ADMINS).members[GUS] is Membership.INVITED
    for gone in (Membership.LEFT, Membership.BANNED):
        place.becomes(admins, gone, GUS)
        assert not place.plan().changes
    place.becomes(admins, Membership.REMOVED, GUS)
    assert place.plan().changes == (Invite(admins, "Admins", GUS),)


def test_nobody_else_stays_in_the_admins_room() -> None:
    place = village()
    admins = place.room(Kind.ADMINS).id
    for membership in (Membership.JOINED, Membership.INVITED, Membership.KNOCKING):
        place.becomes(admins, membership, STRANGER)
        assert place.plan().changes[-1] == Remove(admins, "Admins", STRANGER)
    place.becomes(admins, Membership.BANNED, STRANGER)
    assert not place.plan().changes


def test_the_owner_is_asked_in_again_where_the_first_invite_was_lost() -> None:
    place = just_founded(wish())
    place.becomes(place.space, Membership.REMOVED, ANA)
    assert place.plan().changes == (Invite(place.space, "Fathers", ANA),)
    place.becomes(place.space, Membership.LEFT, ANA)
    assert not place.plan().changes

"""Bans and departures: the space is the truth, its rooms follow, and what was set for one room alone stays there."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haven.changes import Ban, Change, Invite, Remove, Unban
from haven.errors import Guarded
from haven.founding import WishedGroup, with_added_group
from haven.guards import REMOVAL_LIMIT, Bounds, guard
from haven.ids import RoomVersion, UserId
from haven.model import Kind, Role
from haven.people import FOLLOWS
from haven.ports import StateEvent
from haven.reconcile import managed
from haven.snapshot import PRESENT, Expulsion, Membership
from haven.stateevents import GROUP
from tests.haven.drifts import drifted
from tests.haven.simulator import carried_out
from tests.haven.worlds import (
    ANA,
    BO,
    BOT,
    BRIDGE,
    CY,
    DORA,
    EVA,
    FIL,
    GUS,
    STRANGER,
    VERSIONS,
    Village,
    people,
    versions,
    village,
)

each_version = pytest.mark.parametrize("version", VERSIONS)
BANNED, JOINED, LEFT, REMOVED = Membership.BANNED, Membership.JOINED, Membership.LEFT, Membership.REMOVED


def _in_rooms(place: Village, user: UserId) -> set[Membership | None]:
    return {place.world[group.room].members.get(user) for group in place.community.groups}


def _guarded(place: Village, *changes: Change) -> None:
    plan = replace(place.plan(), changes=changes)
    guard(plan, managed(place.community, place.world, place.actors), place.world, place.actors, Bounds())


@each_version
@pytest.mark.parametrize("user", [EVA, CY, STRANGER])
def test_a_ban_in_the_space_holds_in_every_room_and_in_those_to_come(
    version: RoomVersion, user: UserId
) -> None:
    place = village(version=version)
    place.becomes(place.space, BANNED, user, by=BO)
    place.settle()
    assert _in_rooms(place, user) == {BANNED}
    assert place.room("Books").expulsions[user] == Expulsion(BOT, f"{FOLLOWS} by hand")
    place.settle(lambda c: with_added_group(c, "wish/later", WishedGroup("Later"), BO))
    assert _in_rooms(place, user) == {BANNED}
    assert place.community.role_of(user) is Role.MEMBER
    assert user not in place.hall.power.users


def test_a_ban_by_command_is_one_plan_that_begins_in_the_space() -> None:
    place = village()
    plan = place.plan(lambda c: c.with_ban(EVA, "spam"))
    assert plan.changes[0] == Ban(place.space, "Fathers", EVA, "spam")
    assert {change.room for change in plan.changes} == place.world.keys()
    assert all(isinstance(change, Ban) for change in plan.changes)
    place.carry_out(plan)
    assert place.community.banned == {EVA: "spam"}
    assert not place.plan().changes


@each_version
def test_lifting_the_ban_in_the_space_lifts_those_that_followed_it(version: RoomVersion) -> None:
    place = village(version=version)
    walks = place.room("Walks").id
    place.becomes(walks, BANNED, EVA, by=CY)
    place.settle(lambda c: c.with_ban(EVA, "spam"))
    plan = place.settle(lambda c: c.without_ban(EVA))
    assert isinstance(plan.changes[0], Unban)
    assert plan.changes[0].room == place.space
    held = {group.name: place.world[group.room].members[EVA] for group in place.community.groups}
    assert held.pop("Walks") is BANNED
    assert set(held.values()) == {REMOVED}
    place.becomes(place.space, JOINED, EVA)
    assert not place.plan().changes


def test_a_ban_lifted_by_hand_while_nobody_looked_is_lifted_everywhere() -> None:
    place = village()
    place.settle(lambda c: c.with_ban(EVA, ""))
    place.becomes(place.space, JOINED, EVA)
    place.settle()
    assert _in_rooms(place, EVA) == {REMOVED}


@pytest.mark.parametrize(("by", "reason"), [(CY, "spam"), (CY, f"{FOLLOWS} spam"), (BOT, "spam"), (BOT, "")])
def test_a_ban_set_for_one_room_stays_there(by: UserId, reason: str) -> None:
    place = village()
    content = {"membership": "ban", "reason": reason}
    place.says(by, place.room("Books").id, "m.room.member", content, EVA)
    assert not place.plan().changes


def test_a_ban_taken_back_in_one_room_alone_is_drift() -> None:
    place = village()
    place.settle(lambda c: c.with_ban(EVA, ""))
    books = place.room("Books").id
    place.becomes(books, REMOVED, EVA, by=CY)
    assert place.plan().changes == (Ban(books, "Books", EVA, FOLLOWS, decided=True),)


@each_version
@pytest.mark.parametrize("how", [LEFT, REMOVED])
def test_who_left_the_space_or_was_put_out_leaves_every_room(version: RoomVersion, how: Membership) -> None:
    place = village(version=version)
    place.becomes(place.room("Books").id, Membership.INVITED, EVA)
    place.becomes(place.space, how, EVA)
    removals = place.settle().changes
    assert all(isinstance(change, Remove) and change.decided for change in removals)
    assert len(removals) == len(place.community.groups) - 1
    assert not PRESENT & _in_rooms(place, EVA)


@pytest.mark.parametrize(("how", "role"), [(LEFT, Role.MODERATOR), (REMOVED, Role.MEMBER)])
def test_who_is_put_out_loses_their_role_and_who_leaves_may_come_back_to_it(
    how: Membership, role: Role
) -> None:
    place = village()
    place.becomes(place.space, how, CY)
    place.settle()
    assert _in_rooms(place, CY) == {REMOVED}
    place.becomes(place.space, JOINED, CY)
    place.settle()
    assert place.community.role_of(CY) is role


def test_an_exception_goes_with_who_is_put_out() -> None:
    place = village()
    books = place.community.group(place.room("Books").id)
    assert books is not None
    place.settle(lambda c: c.with_group(replace(books, exceptions={EVA: Role.GROUP_ADMIN})))
    place.becomes(place.space, REMOVED, EVA)
    place.settle()
    assert place.room("Books").content(GROUP)["exceptions"] == {}
    assert EVA not in place.room("Books").power.users


def test_putting_out_by_command_begins_in_the_space() -> None:
    place = village()
    plan = place.settle(lambda c: c.without_member(EVA, "enough"))
    assert plan.changes[0] == Remove(place.space, "Fathers", EVA, "enough")
    assert not PRESENT & _in_rooms(place, EVA)
    assert place.hall.expulsions[EVA] == Expulsion(BOT, "enough")


def test_guests_who_never_were_in_the_space_are_left_alone() -> None:
    place = village()
    ghost = UserId("@_haven_irc_abc:home.org")
    place.becomes(place.room("Books").id, JOINED, STRANGER, ghost)
    place.becomes(place.room("Walks").id, Membership.INVITED, STRANGER)
    assert not place.plan().changes


@each_version
def test_never_the_owner_nor_an_account_of_ours(version: RoomVersion) -> None:
    place = village(version=version)
    edited = place.plan(lambda c: c.with_ban(ANA).with_ban(BOT).with_ban(BRIDGE).without_member(BOT))
    assert not edited.changes
    place.becomes(place.space, LEFT, ANA, BRIDGE)
    assert not place.plan().removals
    place.becomes(place.space, BANNED, ANA, BRIDGE)
    plan = place.plan()
    assert set(plan.changes) == {
        Unban(place.space, "Fathers", ANA),
        Unban(place.space, "Fathers", BRIDGE),
        Invite(place.space, "Fathers", ANA),
    }


def test_a_creator_of_version_12_cannot_be_put_out_and_that_is_said() -> None:
    place = village()
    books = place.room("Books").id
    create = place.room("Books").state["m.room.create", ""]
    content = {**create.content, "additional_creators": [EVA]}
    place.world[books] = place.world[books].changed(replace(create, content=content))
    place.becomes(place.space, LEFT, EVA)
    plan = place.plan()
    assert books not in {change.room for change in plan.changes}
    assert [(each.room, each.type, each.need, each.have) for each in plan.obstacles] == [
        (books, "kick", 101, 100)
    ]


def test_the_largest_rooms_come_first_after_the_space() -> None:
    place = village()
    place.becomes(place.room("Walks").id, JOINED, *(UserId(f"@{number}:x") for number in range(5)))
    place.becomes(place.room("Books").id, JOINED, *(UserId(f"@{number}:x") for number in range(3)))
    order = [place.world[change.room].name for change in place.plan(lambda c: c.with_ban(EVA)).changes]
    assert order[:3] == ["Fathers", "Walks", "Books"]
    assert order[-1] == "Admins"


def test_what_people_decided_is_not_held_against_the_plan_and_what_an_edit_decides_is() -> None:
    crowd = [UserId(f"@{number}:x") for number in range(REMOVAL_LIMIT + 1)]
    place = village()
    place.join_all(*crowd)
    for how in (LEFT, REMOVED, BANNED):
        place.becomes(place.space, how, *crowd)
        _guarded(place, *place.plan().changes)
    place.becomes(place.space, JOINED, *crowd)

    def verdict(*gone: UserId) -> str:
        plan = place.plan(lambda c: replace(c, removed=dict.fromkeys(gone, "wave")))
        try:
            _guarded(place, *plan.changes)
        except Guarded as refusal:
            return refusal.key
        return ""

    assert verdict(*crowd[1:]) == ""
    assert verdict(*crowd) == "guard_removals"


@given(st.data(), versions, st.lists(people, max_size=3, unique=True), st.lists(people, max_size=3))
def test_whatever_was_there_who_is_outside_is_nowhere_and_the_others_stay(
    data: st.DataObject, version: RoomVersion, banned: list[UserId], put_out: list[UserId]
) -> None:
    place = data.draw(drifted(village(version=version)))
    before = {room.id: dict(room.members) for room in place.world.values()}
    gone = dict.fromkeys(put_out, "r")
    place.settle(lambda c: replace(c, banned=dict.fromkeys(banned, "b"), removed={**c.removed, **gone}))
    community = place.community
    assert set(community.banned) == set(banned) - {ANA}
    for group in community.groups:
        members = place.world[group.room].members
        assert all(members[user] is BANNED for user in community.banned)
        outside = community.removed.keys() | community.left
        assert not {user for user in outside if members.get(user) in PRESENT}
        if group.kind is not Kind.ADMINS:
            inside = members.keys() - outside - community.banned.keys()
            kept = {user for user in inside if before[group.room].get(user) in PRESENT}
            assert {user for user in kept if members[user] in PRESENT} == kept
    assert {user for user in (ANA, BOT) if user in community.banned or user in community.removed} == set()


@given(st.data(), versions)
def test_put_out_in_a_plan_cut_short_is_finished_by_the_next(
    data: st.DataObject, version: RoomVersion
) -> None:
    """From the first change on the space says what is meant: nobody needs to remember the wish."""
    place = village(version=version)
    plan = place.plan(lambda c: c.with_ban(EVA, "b").without_member(FIL, "r"))
    gone = [change for change in plan.changes if change.room == place.space]
    done = data.draw(st.integers(len(gone), len(plan.changes)))
    place.world = carried_out(replace(plan, changes=plan.changes[:done]), place.world, BOT)
    place.settle()
    assert _in_rooms(place, EVA) == {BANNED}
    assert not PRESENT & _in_rooms(place, FIL)
    assert {DORA, GUS} <= place.room("Books").with_membership(JOINED)


def test_a_member_event_is_read_with_who_sent_it_and_why() -> None:
    place = village()
    room = place.hall
    odd = StateEvent("m.room.member", EVA, BO, {"membership": "ban", "reason": 5})
    assert room.changed(odd).expulsions[EVA] == Expulsion(BO, "")
    back = StateEvent("m.room.member", EVA, EVA, {"membership": "join"})
    assert EVA not in room.changed(odd).changed(back).expulsions

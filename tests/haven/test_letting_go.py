"""Groups that are archived or leave the community, and communities that rest: nothing is lost that is to come back."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haven.changes import Remove, SetState
from haven.guards import Bounds, guard
from haven.ids import RoomId, RoomVersion, UserId
from haven.measures import Lockdown, Mute
from haven.model import Community, Group, Kind, Release, Role, Visibility
from haven.permissions import may_reactivate
from haven.plan import is_last
from haven.reach import POWER
from haven.reconcile import managed
from haven.snapshot import PRESENT, Membership, Room
from haven.stateevents import CHILD, COMMUNITY, GROUP, PARENT
from tests.haven.drifts import drifted
from tests.haven.simulator import carried_out
from tests.haven.worlds import (
    ANA,
    BO,
    BOT,
    CY,
    DORA,
    EVA,
    FIL,
    GUS,
    VERSIONS,
    Edit,
    Village,
    versions,
    village,
    visibilities,
)

each_version = pytest.mark.parametrize("version", VERSIONS)
JOINED = Membership.JOINED
RULES = "m.room.join_rules"
PRIVATE = {"join_rule": "invite"}


def _books(community: Community) -> Group:
    return next(group for group in community.groups if group.name == "Books")


def _set(**fields: object) -> Edit:
    return lambda c: c.with_group(replace(_books(c), **fields))  # type: ignore[arg-type]  # fields of a group


def _said(room: Room) -> dict[tuple[str, str], object]:
    return {place: event.content for place, event in room.state.items() if event.content}


def _all(place: Village) -> dict[RoomId, object]:
    return {room.id: _said(room) for room in place.world.values()}


@each_version
def test_an_archive_can_be_read_and_neither_found_nor_joined_nor_written_in(version: RoomVersion) -> None:
    place = village(version=version)
    place.settle(_set(archived=True))
    books = place.room("Books")
    assert _books(place.community).archived
    assert books.content(RULES) == PRIVATE
    assert "via" not in place.hall.content(CHILD, books.id)
    writing = books.power.for_message("m.room.message")
    assert [books.power_of(user) >= writing for user in (ANA, BO, CY, EVA)] == [True, True, False, False]
    assert books.power_of(EVA) < books.power.for_message("m.reaction")
    assert EVA in books.with_membership(JOINED)


@given(st.data(), versions, visibilities)
def test_an_archive_that_is_opened_is_what_it_was(
    data: st.DataObject, version: RoomVersion, visibility: Visibility
) -> None:
    place = data.draw(drifted(village(version=version)))
    place.settle(lambda c: c.with_group(replace(c.groups[2], visibility=visibility)))
    before, room = _all(place), place.community.groups[2].room
    for archived in (True, False):
        place.settle(lambda c: c.with_group(replace(_of(c, room), archived=archived)))  # noqa: B023 - called at once
    assert _all(place) == before


def _of(community: Community, room: RoomId) -> Group:
    found = community.group(room)
    assert found is not None
    return found


@given(st.data(), versions, st.lists(visibilities, min_size=1, max_size=4))
def test_a_group_is_switched_as_often_as_one_likes_and_nobody_is_put_out(
    data: st.DataObject, version: RoomVersion, switched: list[Visibility]
) -> None:
    place = data.draw(drifted(village(version=version)))
    place.settle()
    books = place.community.groups[2].room
    inside = place.world[books].with_membership(*PRESENT)
    for visibility in switched:
        place.settle(lambda c: c.with_group(replace(_of(c, books), visibility=visibility)))  # noqa: B023 - called at once
    assert place.world[books].with_membership(*PRESENT) == inside
    listed = bool(place.hall.content(CHILD, books).get("via"))
    assert listed is (switched[-1] is not Visibility.HIDDEN)
    rules = {Visibility.OPEN: "restricted", Visibility.REQUEST: "knock", Visibility.HIDDEN: "invite"}
    assert place.world[books].content(RULES)["join_rule"] == rules[switched[-1]]


@each_version
@pytest.mark.parametrize("visibility", list(Visibility))
def test_a_group_taken_out_lives_on_by_itself(version: RoomVersion, visibility: Visibility) -> None:
    place = village(version=version)
    place.settle(_set(visibility=visibility, exceptions={FIL: Role.GROUP_ADMIN}))
    books = place.room("Books")
    place.settle(lambda c: c.without_group(books.id).without_group(books.id))
    after = place.world[books.id]
    assert place.community.group(books.id) is None
    assert (after.content(GROUP), after.content(PARENT, place.space)) == ({}, {})
    assert place.hall.content(CHILD, books.id) == {}
    assert after.content(RULES)["join_rule"] == ("knock" if visibility is Visibility.REQUEST else "invite")
    assert after.members == books.members
    assert after.content(POWER) == books.content(POWER)
    assert not place.intent.notices
    place.becomes(place.space, Membership.BANNED, EVA)
    place.settle()
    assert after is place.world[books.id]


def test_what_was_closed_for_a_while_is_open_in_a_group_that_was_taken_out() -> None:
    place = village()
    before = place.room("Books").content(POWER)
    place.settle(_set(archived=True))
    place.settle(lambda c: replace(c.with_mute(EVA, Mute()), lockdown=Lockdown(BO, 1)))
    books = place.room("Books").id
    place.settle(lambda c: c.without_group(books))
    assert place.world[books].content(POWER) == before


def test_the_fixed_rooms_stay() -> None:
    place = village()
    for group in place.community.groups:
        if group.kind is not Kind.GROUP:
            assert place.community.without_group(group.room) == place.community
    assert place.community.without_group(RoomId("!nowhere")) == place.community


@given(st.data(), versions, st.sampled_from(list(Release)))
def test_taking_a_group_out_can_be_cut_short_anywhere(
    data: st.DataObject, version: RoomVersion, how: Release
) -> None:
    """The record of the group goes last: until then somebody knows what is to be done."""
    place = village(version=version)
    only_there = UserId("@only:away.net")
    books = place.room("Books").id
    for room in (place.space, place.room(Kind.GENERAL).id, books):
        place.becomes(room, JOINED, only_there)
    plan = place.plan(lambda c: c.without_group(books, how))
    assert [is_last(change) for change in plan.changes] == [False] * (len(plan.changes) - 1) + [True]
    records = [
        i
        for i, c in enumerate(plan.changes)
        if isinstance(c, SetState) and (c.room, c.type) == (books, GROUP)
    ]
    done = data.draw(st.integers(records[0] + 1, len(plan.changes)))
    place.world = carried_out(replace(plan, changes=plan.changes[:done]), place.world, BOT)
    place.settle()
    assert place.world[books].content(GROUP) == {}
    assert place.world[books].members[only_there] is JOINED
    stays = how is Release.KEEP
    assert (place.hall.members[only_there] is JOINED) is stays
    assert (place.room(Kind.GENERAL).members[only_there] is JOINED) is stays
    assert {ANA, BO, CY, DORA, EVA} <= place.hall.with_membership(JOINED)


def test_those_who_leave_with_a_group_count_as_put_out() -> None:
    place = village()
    books, walks = place.room("Books").id, place.room("Walks").id
    place.becomes(walks, Membership.LEFT, EVA, CY)
    plan = place.plan(lambda c: c.without_group(books, Release.REMOVE_MEMBERS))
    assert {c.user for c in plan.removals if isinstance(c, Remove) and not c.decided} == {EVA}
    guard(plan, managed(place.community, place.world, place.actors), place.world, place.actors, Bounds(1))


def _deactivated(community: Community) -> Community:
    return replace(community, deactivated=5_000)


def _active(community: Community) -> Community:
    return replace(community, deactivated=None)


@each_version
def test_in_a_deactivated_community_groups_are_rooms_of_their_own(version: RoomVersion) -> None:
    place = village(version=version)
    place.settle(lambda c: replace(c.with_mute(EVA, Mute()).with_ban(FIL), lockdown=Lockdown(BO, 1)))
    members = {room.id: room.members for room in place.world.values()}
    place.settle(_deactivated)
    assert place.community.deactivated == 5_000
    assert place.hall.content(RULES) == PRIVATE
    for group in place.community.groups:
        room = place.world[group.room]
        assert not place.hall.content(CHILD, group.room).get("via")
        assert room.content(PARENT, place.space) == {}
        assert room.content(RULES)["join_rule"] != "restricted"
        assert room.content(GROUP)["community"] == place.space
        assert room.power.users_default == 0
        assert room.power_of(EVA) == 0
    assert {room.id: room.members for room in place.world.values()} == members
    place.gives_level(BO, place.room("Books").id, GUS, 50)
    place.becomes(place.space, Membership.LEFT, GUS)
    assert not place.plan().changes


@given(st.data(), versions)
def test_a_community_that_is_taken_up_again_is_what_it_was(data: st.DataObject, version: RoomVersion) -> None:
    place = data.draw(drifted(village(version=version)))
    place.settle(lambda c: c.with_mute(EVA, Mute()).with_ban(GUS, "b"))
    before, people = _all(place), {room.id: room.members for room in place.world.values()}
    place.settle(_deactivated)
    place.settle(_active)
    assert _all(place) == before
    assert {room.id: room.members for room in place.world.values()} == people


def test_what_happened_while_it_rested_is_put_right_when_it_is_taken_up_again() -> None:
    place = village()
    place.settle(_deactivated)
    place.becomes(place.space, Membership.LEFT, GUS)
    place.gives_level(BO, place.room("Books").id, EVA, 90)
    assert not place.plan().changes
    place.settle(_active)
    assert place.room("Books").members[GUS] is Membership.REMOVED
    assert place.room("Books").power_of(EVA) == 0
    assert "deactivated" not in place.hall.content(COMMUNITY)


@pytest.mark.parametrize(("days", "may"), [(0, True), (29, True), (30, False), (400, False)])
def test_a_community_can_be_taken_up_again_for_thirty_days(days: int, may: bool) -> None:
    community = replace(village().community, deactivated=5_000)
    assert may_reactivate(community, 5_000 + days * 86_400_000) is may
    assert not may_reactivate(replace(community, deactivated=None), 5_000)

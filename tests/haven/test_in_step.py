"""The properties that hold for every community, every room version and every drift."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from haven.changes import CreateRoom, SetState
from haven.desired import Actors
from haven.founding import Founding, founded
from haven.ids import RoomId, RoomVersion, UserId
from haven.intent import read_intent
from haven.model import Role
from haven.permissions import level_of, role_in
from haven.plan import Plan, plan_for
from haven.ports import Content, StateEvent
from haven.power import PowerLevels, creators_are_infinite
from haven.reach import POWER
from haven.reconcile import managed
from haven.snapshot import Room
from haven.stateevents import COMMUNITY, GROUP, SLOT
from tests.haven.drifts import drifted
from tests.haven.simulator import carried_out
from tests.haven.worlds import (
    ANA,
    BOT,
    BRIDGE,
    STRANGER,
    Village,
    foundings,
    json_values,
    people,
    roles,
    stranger_room,
    versions,
    village,
    wish,
)


@given(foundings(), versions)
def test_what_was_founded_from_nothing_is_in_step(wished: Founding, version: RoomVersion) -> None:
    actors = Actors(BOT, version, BRIDGE)
    world = carried_out(plan_for(founded(wished), {}, actors), {}, BOT)
    assert len(world) == 4 + len(wished.groups)
    again = plan_for(founded(wished), world, actors)
    assert not again.changes
    assert not again.obstacles
    intent = read_intent(world, actors)
    assert not intent.notices
    (community,) = intent.communities.values()
    assert not plan_for(community, world, actors).changes
    assert (community.name, community.description) == (wished.name, wished.description)
    wanted = sorted(founded(wished).groups, key=lambda group: group.visibility == "hidden")
    assert [
        (g.kind, g.name, g.visibility, g.topic, g.suggested and g.visibility != "hidden")
        for g in community.groups
    ] == [(g.kind, g.name, g.visibility, g.topic, g.suggested and g.visibility != "hidden") for g in wanted]


@given(st.data(), foundings(), versions)
def test_a_founding_cut_short_anywhere_is_finished_once(
    data: st.DataObject, wished: Founding, version: RoomVersion
) -> None:
    actors, world = Actors(BOT, version, BRIDGE), dict[RoomId, Room]()
    for _ in range(data.draw(st.integers(0, 3))):
        plan = plan_for(founded(wished), world, actors)
        done = data.draw(st.integers(0, len(plan.changes)))
        world = carried_out(Plan(plan.space, plan.changes[:done]), world, BOT)
    world = carried_out(plan_for(founded(wished), world, actors), world, BOT)
    assert not plan_for(founded(wished), world, actors).changes
    assert len(world) == 4 + len(wished.groups) == len({room.slot for room in world.values()})


@given(st.data(), versions)
def test_after_any_drift_one_plan_is_enough(data: st.DataObject, version: RoomVersion) -> None:
    place = data.draw(drifted(village(version=version)))
    place.carry_out(place.plan())
    assert not place.plan().changes
    assert not place.plan().obstacles


@given(st.data(), versions, people, roles)
def test_a_role_is_in_step_everywhere_whatever_was_there(
    data: st.DataObject, version: RoomVersion, user: UserId, role: Role
) -> None:
    place = data.draw(drifted(village(version=version)))
    place.settle(lambda community: community.with_role(user, role))
    community = place.community
    outside = user in community.banned or user in community.removed
    expected = Role.OWNER if user == ANA else Role.MEMBER if outside else role
    assert community.role_of(user) is expected
    for group in community.groups:
        held = place.world[group.room].power_of(user)
        wanted = level_of(role_in(community, group, user), version)
        assert held == wanted or (wanted == 0 > held), group.name


@given(st.data(), versions)
def test_the_bot_and_the_creators_keep_their_entries(data: st.DataObject, version: RoomVersion) -> None:
    place = data.draw(drifted(village(version=version)))
    for room, levels in _planned_levels(place.plan()):
        before = place.world[room]
        for account in before.creators | {BOT}:
            assert levels.users.get(account) == before.power.users.get(account)
            assert levels.of(account, before.infinite) >= before.power_of(account)


@given(foundings(), versions)
def test_no_new_room_of_version_12_lists_its_creator(wished: Founding, version: RoomVersion) -> None:
    actors = Actors(BOT, version, BRIDGE)
    for change in plan_for(founded(wished), {}, actors).changes:
        if isinstance(change, CreateRoom):
            users = PowerLevels.parse(change.new.power).users
            assert users.get(BOT) == (None if creators_are_infinite(version) else 100)


records = st.fixed_dictionaries(
    {},
    optional={
        "version": st.sampled_from([1, 2, "1"]),
        "community": st.sampled_from(["!made1", "!made1:home.org", "!none"]),
        "kind": st.sampled_from(["announcements", "group", "general", "admins", "throne"]),
        "name": st.just("Fathers"),
        "owner": st.sampled_from([STRANGER, ANA, "nobody"]),
        "visibility": st.sampled_from(["open", "hidden"]) | json_values,
    },
)


@given(st.data(), versions, st.lists(st.tuples(st.sampled_from([COMMUNITY, GROUP]), records), max_size=4))
def test_rooms_that_are_none_of_ours_are_never_touched(
    data: st.DataObject, version: RoomVersion, forged: list[tuple[str, Content]]
) -> None:
    foreign = {
        room.id: room
        for number, (kind, content) in enumerate(forged)
        for room in [
            stranger_room(
                RoomId(f"!foreign{number}"), StateEvent(kind, "", STRANGER, content, at=5), _posing(data)
            )
        ]
    }
    place = data.draw(drifted(village(world=foreign, version=version)))
    before = place.world
    ours = managed(place.community, before, place.actors)
    assert not ours & foreign.keys()
    assert {change.room for change in place.plan().changes} <= ours
    place.settle()
    assert all(place.world[room] is before[room] for room in foreign)
    assert place.intent.communities.keys() == {place.space}


def _posing(data: st.DataObject) -> StateEvent:
    """A create event by which a stranger's room poses as one of ours: our bot as a creator, the slot of a room of ours."""
    slot = data.draw(st.sampled_from(["", "wish/space", "wish/general", "wish/0"]))
    content = {
        "room_version": "12",
        "additional_creators": [BOT],
        SLOT: slot,
        "type": data.draw(st.sampled_from(["", "m.space"])),
    }
    return StateEvent("m.room.create", "", STRANGER, content, at=data.draw(st.sampled_from([0, 5])))


@given(st.data(), versions)
def test_two_communities_do_not_meet(data: st.DataObject, version: RoomVersion) -> None:
    """Whatever happens in one community, no plan of the other speaks of it."""
    first = village(version=version)
    second = village(wish("Books", identity="other"), version=version, world=first.world)
    assert not Village(first.actors, first.space, second.world).plan()
    theirs = managed(second.community, second.world, second.actors)
    data.draw(drifted(second))
    bystander = Village(first.actors, first.space, second.world)
    assert not bystander.plan().changes
    assert {change.room for change in second.plan().changes} <= theirs


def _planned_levels(plan: Plan) -> Iterator[tuple[RoomId, PowerLevels]]:
    for change in plan.changes:
        if isinstance(change, SetState) and change.type == POWER:
            yield change.room, PowerLevels.parse(change.content)

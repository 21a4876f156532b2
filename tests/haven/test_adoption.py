"""A room that is taken in: what stays, what changes and is shown before, and what is refused."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haven.adoption import adoption, with_adopted
from haven.errors import Invalid
from haven.guards import Bounds, guard
from haven.ids import EventId, RoomId, RoomVersion, UserId
from haven.model import Group, History, Settings, Visibility
from haven.ports import Content, StateEvent
from haven.reach import POWER
from haven.reconcile import managed
from haven.snapshot import Membership, Room
from haven.stateevents import CHILD, GROUP, HISTORY
from tests.haven.drifts import drifted
from tests.haven.worlds import (
    ANA,
    BO,
    BOT,
    CY,
    EVA,
    FIL,
    GUS,
    STRANGER,
    VERSIONS,
    Village,
    versions,
    village,
)

each_version = pytest.mark.parametrize("version", VERSIONS)
OLD = RoomId("!old")
RULES = "m.room.join_rules"


def _old(version: str = "12", **state: Content) -> Room:
    """Fil made a room and gave the bot all power; Gus helps him, and a stranger is in it too."""
    levels = {
        "users": {BOT: 100, GUS: 50, EVA: 75, **({} if version == "12" else {FIL: 100})},
        "state_default": 50,
    }
    contents: dict[str, Content] = {
        "m.room.create": {"room_version": version},
        POWER: levels,
        "m.room.name": {"name": "Old times"},
        "m.room.topic": {"topic": "We were here before"},
        RULES: {"join_rule": "invite"},
        **{f"m.room.{name}": content for name, content in state.items()},
    }
    events = {
        (kind, ""): StateEvent(kind, "", FIL, content, EventId("$o"), 7) for kind, content in contents.items()
    }
    joined = dict.fromkeys((BOT, FIL, GUS, EVA, STRANGER), Membership.JOINED)
    return Room(OLD, events, joined)


def _with(room: Room, version: RoomVersion) -> Village:
    place = village(version=version)
    place.world[room.id] = room
    return place


def _taken_in(place: Village) -> Group:
    found = place.community.group(OLD)
    assert found is not None
    return found


@each_version
def test_a_room_taken_in_keeps_its_name_topic_people_and_history(version: RoomVersion) -> None:
    place = _with(_old(version), version)
    before = place.world[OLD]
    preview = adoption(before, place.community, place.world, place.actors)
    assert not preview.missing
    assert place.plan(lambda c: with_adopted(c, before, place.actors)).changes == preview.plan.changes
    place.settle(lambda c: with_adopted(c, before, place.actors))
    after, group = place.world[OLD], _taken_in(place)
    assert (after.name, after.topic, after.members) == (before.name, before.topic, before.members)
    assert group.history is History.SHARED
    assert (group.visibility, group.name) == (Visibility.HIDDEN, "Old times")
    assert {user: after.power_of(user) for user in (ANA, BO, CY, EVA, GUS)} == {
        ANA: 95,
        BO: 90,
        CY: 50,
        EVA: 60,
        GUS: 50,
    }
    assert after.power_of(FIL) >= 100
    assert after.power_of(BOT) == 100
    assert not place.intent.notices


@each_version
def test_the_owner_of_a_room_taken_in_can_be_changed(version: RoomVersion) -> None:
    place = _with(_old(version), version)
    place.settle(lambda c: with_adopted(c, _old(version), place.actors))
    place.settle(lambda c: c.with_owner(CY))
    assert not place.plan().obstacles
    assert [place.world[OLD].power_of(user) for user in (ANA, CY)] == [90, 95]


@pytest.mark.parametrize(
    ("rule", "visibility"),
    [
        ("public", "open"),
        ("restricted", "open"),
        ("knock", "request"),
        ("invite", "hidden"),
        ("odd", "hidden"),
    ],
)
def test_one_comes_in_as_openly_as_before_unless_it_is_said(rule: str, visibility: str) -> None:
    room = _old(join_rules={"join_rule": rule})
    place = _with(room, RoomVersion("12"))
    (group,) = with_adopted(place.community, room, place.actors).groups[-1:]
    assert group.visibility is Visibility(visibility)
    place.settle(lambda c: with_adopted(c, room, place.actors, Visibility.OPEN))
    assert _taken_in(place).visibility is Visibility.OPEN
    assert place.hall.content(CHILD, OLD)["via"]


@pytest.mark.parametrize(
    ("said", "kept"), [("joined", "joined"), ("shared", "shared"), ("invited", "invited")]
)
def test_history_stays_as_it_was(said: str, kept: str) -> None:
    room = _old(history_visibility={"history_visibility": said})
    place = _with(room, RoomVersion("12"))
    place.settle(lambda c: with_adopted(c, room, place.actors))
    assert place.world[OLD].content(HISTORY) == {"history_visibility": kept}


@pytest.mark.parametrize("level", [0, 50, 99])
def test_the_missing_power_is_named(level: int) -> None:
    room = _old(power_levels={"users": {BOT: level}})
    preview = adoption(room, village().community, village().world, village().actors)
    assert not preview.plan.changes
    assert [(o.room, o.name, o.type, o.need, o.have) for o in preview.missing] == [
        (OLD, "Old times", POWER, 100, level)
    ]


@pytest.mark.parametrize(
    ("key", "room"),
    [
        ("adopt_space", _old(create={"type": "m.space"})),
        ("adopt_replaced", _old(tombstone={"replacement_room": "!new"})),
        ("group_name_taken", _old(name={"name": "books"})),
        (
            "adopt_taken",
            replace(_old(), state={**_old().state, (GROUP, ""): StateEvent(GROUP, "", FIL, {"a": 1})}),
        ),
    ],
)
def test_what_cannot_be_taken_in(key: str, room: Room) -> None:
    place = _with(room, RoomVersion("12"))
    with pytest.raises(Invalid) as refusal:
        with_adopted(place.community, room, place.actors)
    assert refusal.value.key == key


def test_there_are_only_so_many_groups() -> None:
    community = replace(village().community, settings=Settings(group_limit=2))
    with pytest.raises(Invalid) as refusal:
        with_adopted(community, _old(), village().actors)
    assert refusal.value.key == "group_limit"


levels = st.dictionaries(
    st.sampled_from([ANA, BO, CY, EVA, GUS, STRANGER, UserId("@new:x")]), st.integers(-5, 100)
)


@given(st.data(), versions, levels)
def test_whatever_a_room_is_like_taking_it_in_is_done_and_harms_nothing(
    data: st.DataObject, version: RoomVersion, held: dict[UserId, int]
) -> None:
    room = _old(version, power_levels={"users": {**held, BOT: 100}})
    place = _with(room, version)
    data.draw(drifted(place))
    others = {room.id for room in place.world.values()} - managed(place.community, place.world, place.actors)
    assert others == {OLD}
    preview = adoption(room, place.community, place.world, place.actors)
    ours = managed(preview.community, place.world, place.actors)
    guard(preview.plan, ours, place.world, place.actors, Bounds(insisted=True))
    place.settle(lambda c: with_adopted(c, room, place.actors))
    after = place.world[OLD]
    assert (after.name, after.power_of(BOT)) == (room.name, 100)
    outside = place.community.banned.keys() | place.community.removed.keys() | place.community.left
    stayed = room.with_membership(Membership.JOINED) - outside
    assert stayed <= after.with_membership(Membership.JOINED)

"""What rooms mean is read without ever failing, and nobody can mean something on our behalf."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haven.ids import RoomId, RoomVersion
from haven.intent import Notice, read_intent
from haven.model import Kind, Role, Visibility
from haven.ports import Content, StateEvent
from haven.snapshot import Membership, Room, room_of
from haven.stateevents import BRIDGE, CHILD, COMMUNITY, GROUP, LINK, SLOT
from tests.haven.worlds import (
    ANA,
    BO,
    BOT,
    CY,
    DORA,
    EVA,
    STRANGER,
    VERSIONS,
    Village,
    json_values,
    stranger_room,
    village,
    wish,
)

types = st.sampled_from(
    ["m.room.create", "m.room.power_levels", "m.room.name", COMMUNITY, GROUP, LINK, BRIDGE, CHILD]
)
fields = st.sampled_from(
    [
        "version",
        "name",
        "owner",
        "community",
        "kind",
        "type",
        "users",
        SLOT,
        "settings",
        "exceptions",
        "order",
        "via",
        "network",
    ]
)
senders = st.sampled_from([BOT, ANA, STRANGER])
odd_values = json_values | st.sampled_from(["m.space", "group", "!1", "12", 1, {ANA: 90}, {"ana": "admin"}])
odd_events = st.builds(
    StateEvent,
    types,
    st.sampled_from(["", "!1", "!2"]),
    senders,
    st.dictionaries(fields, odd_values, max_size=6),
)
odd_rooms = st.lists(st.lists(odd_events, max_size=6), max_size=4)


@given(odd_rooms)
def test_any_world_can_be_read(states: list[list[StateEvent]]) -> None:
    rooms = [room_of(RoomId(f"!{number}"), state) for number, state in enumerate(states)]
    place = village()
    world = {**place.world, **{room.id: room for room in rooms}}
    intent = read_intent(world, place.actors)
    assert intent.communities[place.space] == place.community
    for space in intent.communities:
        alone = read_intent(world, place.actors, space)
        assert alone.communities == {space: intent.communities[space]}
        assert set(alone.notices) <= set(intent.notices)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_community_is_read_back(version: RoomVersion) -> None:
    place = village(version=version)
    community = place.community
    assert (community.name, community.owner) == ("Fathers", ANA)
    assert community.roles == {BO: Role.ADMIN, CY: Role.MODERATOR, DORA: Role.GREETER}
    assert [group.name for group in community.groups] == [
        "Announcements",
        "General",
        "Books",
        "Walks",
        "Admins",
    ]
    assert not place.intent.notices


def test_what_is_not_there_is_not_read() -> None:
    place = village()
    assert not read_intent(place.world, place.actors, RoomId("!nowhere")).communities
    assert not read_intent(place.world, place.actors, place.room("Books").id).communities
    assert not read_intent({}, place.actors).communities


def _notices(place: Village) -> set[Notice]:
    return set(place.intent.notices)


def test_a_strangers_room_is_not_believed() -> None:
    place = village()
    claim = StateEvent(GROUP, "", STRANGER, {"version": 1, "community": place.space, "kind": "general"})
    posing = StateEvent(
        "m.room.create", "", STRANGER, {"room_version": "12", "additional_creators": [BOT]}, at=-1
    )
    before = place.community
    place.world[RoomId("!x")] = stranger_room(RoomId("!x"), claim, posing)
    assert place.community == before
    assert _notices(place) == {Notice(RoomId("!x"), GROUP, "foreign")}


def test_a_room_of_another_community_cannot_move_in() -> None:
    """Eve has a community of her own, elder than ours; its bot is our bot, its rooms are hers to write in."""
    hers = village(wish("Trojan", identity="hers"))
    ours = village(wish("Books", identity="ours"), world=hers.world)
    trojan = Village(ours.actors, hers.space, ours.world).room("Trojan").id
    before = ours.community
    for kind in ("announcements", "group"):
        ours.says(STRANGER, trojan, GROUP, {"version": 1, "community": ours.space, "kind": kind})
        assert ours.community == before
        assert Notice(trojan, GROUP, "foreign") in _notices(ours)
        assert not ours.plan().changes


@pytest.mark.parametrize("version", VERSIONS)
def test_an_admin_cannot_write_themselves_owner(version: RoomVersion) -> None:
    place = village(version=version)
    place.says(BO, place.space, COMMUNITY, {**place.hall.content(COMMUNITY), "owner": BO})
    assert place.community.owner == ANA
    assert Notice(place.space, COMMUNITY, "foreign") in _notices(place)
    place.settle()
    assert place.hall.content(COMMUNITY)["owner"] == ANA
    assert not place.intent.notices


def test_the_owner_can_hand_over_by_hand() -> None:
    place = village()
    place.gives_level(ANA, place.space, BO, 100)
    place.says(ANA, place.space, COMMUNITY, {**place.hall.content(COMMUNITY), "owner": BO})
    assert place.community.owner == BO
    place.settle()
    assert place.community.role_of(ANA) is Role.ADMIN
    assert (place.hall.power.of(BO), place.hall.power.of(ANA)) == (100, 90)


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ({"version": 2}, "state_newer"),
        ({"version": "x"}, "state_damaged"),
        ({"version": 1, "community": "!gone", "kind": "group"}, "unknown_community"),
        ({"version": 1, "community": ["!x"], "kind": "group"}, "state_damaged"),
    ],
)
def test_a_record_that_cannot_be_used_is_reported(content: Content, key: str) -> None:
    place = village()
    room = place.room("Books").id
    place.says(BOT, room, GROUP, {"community": place.space, **content})
    assert _notices(place) == {Notice(room, GROUP, key)}
    assert "Books" not in [group.name for group in place.community.groups]


def test_a_community_that_cannot_be_read_is_told_of_once_and_not_for_each_room() -> None:
    place = village()
    place.says(ANA, place.space, COMMUNITY, {"version": 1, "name": ["?"]})
    assert not place.intent.communities
    assert place.intent.notices == (Notice(place.space, COMMUNITY, "state_damaged"),)


def test_a_second_general_room_is_left_alone_even_if_it_is_elder() -> None:
    place = village()
    general = place.room(Kind.GENERAL).id
    content = {"version": 1, "community": place.space, "kind": "general"}
    elder = Room(
        RoomId("!elder"),
        {
            ("m.room.create", ""): StateEvent("m.room.create", "", BOT, {"room_version": "12"}, at=-5),
            (GROUP, ""): StateEvent(GROUP, "", BOT, content),
        },
        {BOT: Membership.JOINED},
    )
    place.world[elder.id] = elder
    assert place.room(Kind.GENERAL).id == general
    assert _notices(place) == {Notice(elder.id, GROUP, "second_of_its_kind")}
    assert not place.plan().changes


def test_links_are_read_where_they_stand_right() -> None:
    place = village()
    link = {"version": 1, "network": "irc", "chat": "#c", "by": ANA}
    room = place.room("Books").id
    place.says(BO, room, LINK, link, "irc:#c")
    place.says(BO, room, LINK, link, "irc:#elsewhere")
    place.says(BO, room, LINK, {**link, "by": 5}, "irc:#d")
    group = next(group for group in place.community.groups if group.name == "Books")
    assert [link.key for link in group.links] == ["irc:#c"]
    assert group.bridged
    assert _notices(place) == {Notice(room, LINK, "state_damaged")}


def test_the_order_is_what_the_space_says() -> None:
    place = village()
    for place_name, order in (("Walks", "0"), ("Books", "ž"), ("Admins", 5)):
        child = place.hall.content(CHILD, place.room(place_name).id)
        place.says(BO, place.space, CHILD, {**child, "order": order}, place.room(place_name).id)
    assert [group.name for group in place.community.groups] == [
        "Walks",
        "Announcements",
        "General",
        "Books",
        "Admins",
    ]


def test_what_a_hand_wrote_in_a_room_the_space_knows_counts() -> None:
    place = village()
    room = place.room("Books")
    place.says(ANA, room.id, GROUP, {**room.content(GROUP), "visibility": "hidden"})
    place.settle()
    group = next(group for group in place.community.groups if group.name == "Books")
    assert group.visibility is Visibility.HIDDEN
    assert place.hall.content(CHILD, room.id) == {}


@given(st.permutations(sorted(village().world)))
def test_reading_does_not_depend_on_the_order_of_rooms(order: list[RoomId]) -> None:
    place = village()
    assert read_intent({room: place.world[room] for room in order}, place.actors) == place.intent


def test_nobody_without_a_role_is_read() -> None:
    place = village()
    place.gives_level(ANA, place.space, EVA, 10)
    assert EVA not in place.community.roles
    place.settle()
    assert EVA not in place.hall.power.users

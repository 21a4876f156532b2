"""A room is read from its state, whatever that says, and a world knows which rooms belong together."""

import math
from collections import UserDict
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from haven.ids import RoomId, UserId
from haven.intent import read_intent
from haven.plan import plan_for
from haven.ports import Content, StateEvent
from haven.reconcile import managed
from haven.snapshot import Census, Membership, Room, called, census, described, room_of
from haven.stateevents import GROUP, SLOT
from tests.haven.worlds import ANA, BO, BOT, CY, EVA, json_values, village, wish

CREATE = "m.room.create"


def _room(*events: tuple[str, str, Content], sender: UserId = BOT, at: int = 0, room: str = "!r") -> Room:
    return room_of(
        RoomId(room), (StateEvent(kind, key, sender, content, at=at) for kind, key, content in events)
    )


def _member(user: UserId, membership: object, sender: UserId) -> StateEvent:
    return StateEvent("m.room.member", user, sender, {"membership": membership})


types = st.sampled_from(
    [CREATE, "m.room.name", "m.room.topic", "m.room.power_levels", "m.room.member", GROUP, "x"]
)
fields = st.sampled_from(
    ["name", "topic", "type", "room_version", "additional_creators", "users", "membership", SLOT]
)
events = st.builds(
    StateEvent,
    types,
    st.sampled_from(["", ANA, BOT]),
    st.sampled_from([ANA, BOT]),
    st.dictionaries(fields, json_values),
)


@given(st.lists(events, max_size=8))
def test_any_state_can_be_looked_at(state: list[StateEvent]) -> None:
    room = room_of(RoomId("!r"), state)
    assert called(room)
    assert len(described(room)) <= 2_048
    assert isinstance(room.version, str)
    assert room.infinite <= room.creators
    assert room.power_of(ANA) >= -(2**53)
    assert isinstance(room.slot, str)
    assert isinstance(room.servers(), tuple)
    assert room_of(RoomId("!r"), room.state.values()).state == room.state


def test_leaving_is_told_apart_from_being_removed() -> None:
    room = room_of(
        RoomId("!r"),
        [
            _member(ANA, "leave", ANA),
            _member(BO, "leave", ANA),
            _member(CY, "ban", ANA),
            _member(EVA, 7, EVA),
        ],
    )
    assert room.members == {
        ANA: Membership.LEFT, BO: Membership.REMOVED, CY: Membership.BANNED, EVA: Membership.REMOVED,
    }  # fmt: skip


def test_creators_are_infinite_in_version_12_and_maker_is_who_sent() -> None:
    content = {"room_version": "12", "additional_creators": [ANA, 5]}
    room = _room((CREATE, "", content))
    assert room.creators == room.infinite == {BOT, ANA}
    assert room.maker == BOT
    assert room.power_of(ANA) == math.inf
    eleven = _room((CREATE, "", {**content, "room_version": "11"}))
    assert eleven.creators == {BOT}
    assert not eleven.infinite
    assert [eleven.power_of(BOT), eleven.power_of(ANA)] == [100, 0]
    assert (_room().maker, _room().creators, _room().version) == (None, frozenset(), "1")


def test_a_name_that_breaks_the_rules_gives_way() -> None:
    assert called(_room(("m.room.name", "", {"name": " Books "}))) == "Books"
    assert (
        called(
            _room(("m.room.name", "", {"name": "\x00"}), ("chat.haven.community", "", {"name": "Fathers"}))
        )
        == "Fathers"
    )
    assert called(_room(("m.room.name", "", {"name": ["list"]}))) == "!r"
    assert called(_room(room="!\x00")) == "?"


def test_a_topic_is_read_without_what_the_rules_forbid() -> None:
    assert described(_room(("m.room.topic", "", {"topic": " a\x00b\n👨‍👩‍👧 "}))) == "ab\n👨‍👩‍👧"


def test_servers_are_counted_by_who_is_joined() -> None:
    people = [UserId(f"@{name}:{server}") for name, server in ("ab", "bb", "cc", "da", "eb")]
    room = room_of(RoomId("!r"), [_member(user, "join", user) for user in people])
    assert room.servers() == ("b", "a", "c")
    assert room.servers(frozenset(people[2:4])) == ("a", "c")


def test_state_of_one_type_is_sorted_by_key() -> None:
    room = _room(("x", "b", {}), ("x", "a", {}), ("y", "c", {}))
    assert [event.key for event in room.keyed("x")] == ["a", "b"]


def test_a_census_finds_rooms_by_slot_and_claim_the_eldest_first() -> None:
    def made(name: str, at: int, slot: object, claim: object) -> Room:
        return _room((CREATE, "", {SLOT: slot}), (GROUP, "", {"community": claim}), at=at, room=name)

    rooms = [
        made("!b", 1, "s", "!c"),
        made("!a", 1, "s", "!c"),
        made("!z", 0, "s", 5),
        made("!n", 0, None, ""),
    ]
    world = {room.id: room for room in rooms}
    known = census(world)
    assert [room.id for room in known.by_slot["s"]] == ["!z", "!a", "!b"]
    assert [room.id for room in known.by_claim["!c"]] == ["!a", "!b"]
    assert known.by_slot.keys() == {"s"}
    assert dict(known) == world
    assert census(known) is known
    assert isinstance(known, Census)


class _Walked(UserDict[RoomId, Room]):
    """Counts how often somebody walks through all rooms."""

    walks = 0

    def __iter__(self) -> Iterator[RoomId]:
        self.walks += 1
        return super().__iter__()


def test_one_community_is_read_and_planned_without_a_walk_through_the_world() -> None:
    """A hundred communities are planned in the time of a hundred plans, not of ten thousand."""
    first = village()
    second = village(wish("Chess", identity="other"), world=first.world)
    walked = _Walked(second.world)
    known = census(walked)
    for place in (first, second):
        (community,) = read_intent(known, place.actors, place.space).communities.values()
        assert not plan_for(community, known, place.actors)
        assert managed(community, known, place.actors) == {
            place.space,
            *(group.room for group in community.groups),
        }
    assert walked.walks == 2, "one for each index"

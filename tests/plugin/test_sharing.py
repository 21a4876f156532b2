"""What rooms say alike is kept once, and nothing that they say is changed by it."""

import json

from haven.ids import EventId, RoomId, UserId
from haven.ports import StateEvent
from haven.snapshot import Membership, Room, room_of
from plugin.service.texts import Text
from plugin.sharing import Sharing

RULES, PARENT, NAME = "m.room.join_rules", "m.space.parent", "m.room.name"
SENDER = '"@haven:haven.test"'


def told(name: str) -> tuple[StateEvent, ...]:
    """The state of a room as it comes off the wire: no string of it is one that another room has."""
    events = [
        (RULES, "", {"join_rule": "restricted", "allow": [{"room_id": "!space"}]}),
        (PARENT, "!space", {"via": ["haven.test"]}),
        (NAME, "", {"name": name}),
        ("m.room.member", "@ana:haven.test", {"membership": "join"}),
    ]
    return tuple(_heard(name, json.dumps(event)) for event in events)


def _heard(room: str, wire: str) -> StateEvent:
    kind, key, content = json.loads(wire)
    return StateEvent(kind, key, UserId(json.loads(SENDER)), content, EventId(f"${room}{kind}"), 7)


def room(name: str) -> Room:
    return room_of(RoomId(f"!{name}"), told(name))


def test_the_room_says_the_same() -> None:
    sharing = Sharing()
    sharing.room(room("before"))
    assert sharing.room(room("Fathers")) == room("Fathers")


def test_what_two_rooms_say_alike_is_the_very_same() -> None:
    sharing = Sharing()
    one, other = sharing.room(room("Fathers")), sharing.room(room("Mothers"))
    for kind, key in ((RULES, ""), (PARENT, "!space")):
        assert one.content(kind, key) is other.content(kind, key)
        assert one.state[kind, key].sender is other.state[kind, key].sender
    assert [id(place) for place in one.state] == [id(place) for place in other.state]
    assert [id(user) for user in one.members] == [id(user) for user in other.members]


def test_what_differs_stays_different() -> None:
    sharing = Sharing()
    one, other = sharing.room(room("Fathers")), sharing.room(room("Mothers"))
    assert (one.name, other.name) == ("Fathers", "Mothers")
    assert one.state[RULES, ""].event != other.state[RULES, ""].event


def test_contents_that_differ_in_kind_only_are_not_taken_for_one_another() -> None:
    sharing = Sharing()
    number, truth = (
        sharing.event(StateEvent("m.test", "", UserId("@a:b"), {"value": value})).content["value"]
        for value in (1, True)
    )
    assert number is not truth


def test_a_written_event_is_that_of_the_other_rooms() -> None:
    sharing = Sharing()
    first, second = (sharing.event(event) for event in (told("Fathers")[0], told("Mothers")[0]))
    assert first.content is second.content


def test_people_are_who_they_were() -> None:
    assert Sharing().room(room("Fathers")).members == {"@ana:haven.test": Membership.JOINED}


def test_a_word_of_a_list_is_taken_for_its_text() -> None:
    event = Sharing().event(StateEvent(Text.RULES, "en", UserId("@ana:haven.test"), {}))
    assert type(event.type) is str
    assert event.type == Text.RULES

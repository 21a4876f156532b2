"""What is planned where something went wrong or comes and goes: the bridge, twins, half made rooms, and a bot without power."""

from dataclasses import replace

import pytest

from haven.changes import Abandon, Invite, Remove, SetState
from haven.founding import founded
from haven.ids import RoomId, RoomVersion, UserId
from haven.model import Kind
from haven.plan import Obstacle, plan_for
from haven.ports import Content, StateEvent
from haven.power import creators_are_infinite
from haven.reach import POWER
from haven.snapshot import Membership, Room, room_of
from haven.stateevents import BRIDGE, CHILD, GROUP, LINK
from tests.haven.simulator import carried_out
from tests.haven.worlds import (
    ANA,
    BO,
    BOT,
    CY,
    DORA,
    EVA,
    VERSIONS,
    just_founded,
    village,
    wish,
)
from tests.haven.worlds import (
    BRIDGE as BRIDGE_BOT,
)

each_version = pytest.mark.parametrize("version", VERSIONS)

LINKED: Content = {"version": 1, "network": "irc", "chat": "#c", "by": ANA}
STATUS: Content = {
    "protocol": {"id": "irc"},
    "channel": {"id": "#c"},
    "chat.haven.status": {"state": "linked", "since": 1},
}


def test_the_bridge_works_in_bridged_rooms_as_long_as_it_has_work() -> None:
    place = village()
    books = place.room("Books").id
    place.says(BO, books, LINK, LINKED, "irc:#c")
    place.settle()
    assert place.room("Books").power.of(BRIDGE_BOT) == 90
    assert place.room("Books").members[BRIDGE_BOT] is Membership.INVITED
    admins = place.room("Admins").id
    assert BRIDGE_BOT not in place.room("Admins").power.users
    assert {room.id for room in place.world.values() if BRIDGE_BOT in room.members} == {books, admins}
    for room in (books, admins):
        place.becomes(room, Membership.JOINED, BRIDGE_BOT)
    place.says(BRIDGE_BOT, books, BRIDGE, STATUS, "haven://irc/#c")
    place.says(BO, books, LINK, {}, "irc:#c")
    assert not place.plan().changes
    unlinked = {**STATUS, "chat.haven.status": {"state": "unlinked", "since": 2}}
    place.says(BRIDGE_BOT, books, BRIDGE, unlinked, "haven://irc/#c")
    place.settle()
    assert BRIDGE_BOT not in place.room("Books").power.users
    assert place.room("Admins").members[BRIDGE_BOT] is not Membership.JOINED


def test_the_bridge_is_asked_in_again_after_it_had_left() -> None:
    place = village()
    books = place.room("Books").id
    place.becomes(books, Membership.LEFT, BRIDGE_BOT)
    place.says(BO, books, LINK, LINKED, "irc:#c")
    assert Invite(books, "Books", BRIDGE_BOT) in place.plan().changes


@each_version
def test_a_twin_is_abandoned_and_the_elder_kept(version: RoomVersion) -> None:
    place = just_founded(wish("Books"), version)
    twins = {}
    for room in tuple(place.world.values()):
        young = _younger(room)
        place.world[young.id] = twins[young.id] = young
    plan = place.plan()
    assert place.intent.communities.keys() == {place.space}
    assert {change.room for change in plan.changes} == twins.keys()
    assert [change.room for change in plan.changes if isinstance(change, Abandon)] == list(twins)
    assert plan.removals == plan.changes
    place.settle()
    assert not twins.keys() & place.world.keys()


def test_a_twin_that_somebody_joined_is_left_alone() -> None:
    place = just_founded(wish("Books"))
    young = _younger(place.room("Books"))
    place.world[young.id] = replace(young, members={BOT: Membership.JOINED, EVA: Membership.JOINED})
    assert not place.plan().changes
    assert [notice.key for notice in place.intent.notices] == ["second_of_its_kind"]


def _younger(room: Room) -> Room:
    state: dict[tuple[str, str], StateEvent] = {
        at: replace(event, at=event.at + 100) for at, event in room.state.items()
    }
    return replace(room, id=RoomId(f"!twin{room.id[1:]}"), state=state)


@each_version
def test_a_room_left_half_made_is_finished(version: RoomVersion) -> None:
    """A homeserver that dies on the way has sent the create event and our own join alone."""
    place = just_founded(wish("Books"), version)
    whole = dict(place.world)
    for room in whole.values():
        stump = {("m.room.create", ""): room.state["m.room.create", ""]}
        place.world[room.id] = replace(room, state=stump, members={BOT: Membership.JOINED})
    plan = plan_for(founded(wish("Books")), place.world, place.actors)
    assert not plan.obstacles
    done = carried_out(plan, place.world, BOT)
    assert {room: _said(done[room]) for room in whole} == {room: _said(each) for room, each in whole.items()}
    assert all(done[room].power_of(BOT) >= 100 for room in whole)


def _said(room: Room) -> dict[tuple[str, str], Content]:
    said = {at: event.content for at, event in room.state.items()}
    return said | {("members", ""): {user: str(held) for user, held in room.members.items()}}


def test_a_bot_without_the_power_says_so_and_tries_nothing() -> None:
    place = village(version=VERSIONS[1])
    books = place.room("Books")
    place.gives_level(BOT, books.id, BOT, 50)
    place.says(CY, books.id, "m.room.join_rules", {"join_rule": "public"})
    plan = place.plan()
    assert plan.changes == ()
    assert plan.obstacles == (Obstacle(books.id, "Books", "m.room.join_rules", 90, 50),)
    place.gives_level(BO, books.id, EVA, 40)
    assert place.plan().obstacles[0] == Obstacle(books.id, "Books", POWER, 90, 50)


def test_somebody_as_powerful_as_the_bot_keeps_their_level_and_is_reported() -> None:
    place = village(version=VERSIONS[1])
    books = place.room("Books")
    place.gives_level(BOT, books.id, EVA, 100)
    place.gives_level(BO, books.id, DORA, 0)
    plan = place.plan()
    assert plan.obstacles == (Obstacle(books.id, "Books", POWER, 101, 100),)
    place.carry_out(plan)
    assert (place.room("Books").power.of(EVA), place.room("Books").power.of(DORA)) == (100, 40)


@each_version
def test_levels_for_two_thousand_people_stay_as_few_as_there_are_roles(version: RoomVersion) -> None:
    """An event has 65,536 bytes: a level for an ordinary member never (spec: size limits; Synapse 15384)."""
    place = village(version=version)
    crowd = {UserId(f"@{number:04}:{'long' * 5}.example"): 0 for number in range(1_800)}
    place.changes_levels(ANA, place.space, users={**place.hall.power.users, **crowd})
    place.join_all(*crowd)
    place.settle()
    assert all(len(room.power.users) <= 5 for room in place.world.values())


def test_every_change_says_what_it_is_in_one_line() -> None:
    place = just_founded(wish("Books"))
    changes = (
        *plan_for(founded(wish()), {}, place.actors).changes,
        Invite(place.space, "F", ANA),
        Remove(place.space, "F", ANA),
        Abandon(place.space, "F"),
        SetState(place.space, "F", "m.bridge", "", {}),
    )
    for change in changes:
        key, values = change.line()
        assert key.startswith("change.")
        assert values["room"]
    assert SetState(place.space, "F", GROUP, "", {}).line()[0] == "change.record"


def test_an_elder_room_whose_record_was_damaged_is_no_twin() -> None:
    """What cannot be read is left alone: people may have meant it."""
    place = just_founded(wish("Books"))
    elder = place.room("Books")
    young = _younger(elder)
    place.world[young.id] = young
    place.says(BOT, elder.id, GROUP, {"version": "?"})
    assert place.room("Books").id == young.id
    assert elder.id not in {change.room for change in place.plan().changes}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_room_that_somebody_else_made_lists_its_creator_no_more_than_before(version: RoomVersion) -> None:
    """A room that was taken in: Bo made it and asked the bot in, with 100; Bo is an admin, and creator for ever in version 12."""
    place = village(version=version)
    users = {BOT: 100} if creators_are_infinite(version) else {BOT: 100, BO: 100}
    record = {"version": 1, "community": place.space, "kind": "group"}
    adopted = room_of(
        RoomId("!taken"),
        [
            StateEvent("m.room.create", "", BO, {"room_version": version}),
            StateEvent(POWER, "", BO, {"users": users}),
            StateEvent("m.room.name", "", BO, {"name": "Old"}),
            StateEvent(GROUP, "", BOT, record),
            StateEvent("m.room.member", BOT, BO, {"membership": "join"}),
        ],
    )
    place.world[adopted.id] = adopted
    place.settle()
    assert place.world[adopted.id].power.users == {**users, ANA: 95, CY: 50, DORA: 40}
    assert not place.plan().obstacles
    assert place.hall.content(CHILD, adopted.id)["via"] == ["home.org"]


def test_the_entry_of_a_creator_is_left_as_it_is() -> None:
    place = village(version=VERSIONS[1])
    books = place.room("Books")
    made_by_eva = replace(books.state["m.room.create", ""], sender=EVA)
    place.world[books.id] = books.changed(made_by_eva)
    place.says(BOT, books.id, GROUP, books.content(GROUP))
    place.gives_level(EVA, books.id, EVA, 60)
    assert not place.plan().changes


def test_nobody_tries_to_remove_a_creator_of_version_12() -> None:
    place = village()
    admins = place.room(Kind.ADMINS)
    create = admins.state["m.room.create", ""]
    place.world[admins.id] = admins.changed(
        replace(create, content={**create.content, "additional_creators": [EVA]})
    )
    place.becomes(admins.id, Membership.JOINED, EVA)
    assert not place.plan().changes
    assert not place.plan().obstacles

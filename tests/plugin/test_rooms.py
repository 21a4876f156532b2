"""The eyes: what is read, when it is read again, and when not."""

import asyncio

import pytest

from haven.errors import RateLimited, Refused, Unreachable
from haven.ids import EventId, RoomId, RoomVersion, UserId
from haven.ports import NewRoom, StateEvent
from haven.snapshot import Membership
from plugin.rooms import LARGE, Rooms
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.homeserver_client import FakeClient
from tests.fakes.homeserver_faults import Request
from tests.fakes.homeserver_room import Event
from tests.plugin.life import FastClock

NAME = "m.room.name"
TOPIC = "m.room.topic"


class World:
    """A bot in a room, and what it sees."""

    def __init__(self) -> None:
        self.server = FakeHomeserver()
        self.bot: FakeClient = self.server.person("bot")
        self.rooms = Rooms(self.bot, FastClock())
        self.answers: list[bool] = []
        self.room = RoomId("")

    def wire(self, event: Event) -> None:
        if event.key is not None:
            self.answers.append(self.rooms.nudge(event.room, event.as_state()))

    async def open(self) -> None:
        self.room = await self.bot.create_room(NewRoom("Here", RoomVersion("12")))
        await self.rooms.look()
        await self.rooms.observe()
        self.server.on_event(self.wire, self.bot.user)
        self.server.faults.requests.clear()

    async def write_topic(self, topic: str) -> EventId:
        async with self.rooms.writing(self.room) as wrote:
            event = await self.bot.send_state(self.room, TOPIC, "", {"topic": topic})
            wrote(StateEvent(TOPIC, "", self.bot.user, {"topic": topic}, event))
        return event

    def reads(self) -> int:
        return self.server.faults.count("room_state")


@pytest.fixture
async def world() -> World:
    world = World()
    await world.open()
    return world


async def test_what_we_wrote_is_seen_and_its_echo_asks_nothing(world: World) -> None:
    await world.write_topic("ours")
    assert (await world.rooms.observe())[world.room].topic == "ours"
    assert world.reads() == 0


async def test_an_echo_after_the_answer_asks_nothing(world: World) -> None:
    world.server._listeners.clear()
    event = await world.write_topic("ours")
    late = StateEvent(TOPIC, "", world.bot.user, {"topic": "ours"}, event)
    assert not world.rooms.nudge(world.room, late)
    await world.rooms.observe()
    assert world.reads() == 0


async def test_what_another_wrote_is_read_once(world: World) -> None:
    other = world.server.client(world.bot.user)
    await other.send_state(world.room, TOPIC, "", {"topic": "theirs"})
    await other.send_state(world.room, "m.room.name", "", {"name": "There"})
    seen = (await world.rooms.observe())[world.room]
    assert (seen.topic, seen.name) == ("theirs", "There")
    assert world.reads() == 1
    await world.rooms.observe()
    assert world.reads() == 1


async def test_the_same_world_is_the_same_value(world: World) -> None:
    before = await world.rooms.observe()
    assert await world.rooms.observe() is before
    await world.write_topic("ours")
    assert await world.rooms.observe() is not before


async def test_a_write_that_failed_puts_the_room_in_doubt(world: World) -> None:
    world.server.faults.fail_next(1, Unreachable(), port="send_state", lose_answer=True)
    with pytest.raises(Unreachable):
        await world.write_topic("perhaps")
    assert (await world.rooms.observe())[world.room].topic == "perhaps"
    assert world.reads() == 1


async def test_a_limited_write_leaves_no_doubt(world: World) -> None:
    world.server.faults.fail_next(1, RateLimited(1), port="send_state")
    with pytest.raises(RateLimited):
        await world.write_topic("never")
    assert (await world.rooms.observe())[world.room].topic == ""
    assert world.reads() == 0


async def test_a_room_that_cannot_be_read_stays_in_doubt(world: World) -> None:
    world.rooms.doubt((world.room,))
    world.server.faults.fail_next(1, Unreachable(), port="room_state")
    with pytest.raises(Unreachable):
        await world.rooms.observe()
    await world.rooms.observe()
    assert world.reads() == 2


async def test_a_limit_on_reading_is_waited_out(world: World) -> None:
    world.rooms.doubt((world.room,))
    world.server.faults.fail_next(2, RateLimited(1), port="room_state")
    assert world.room in await world.rooms.observe()


async def test_a_room_we_may_not_read_or_have_left_is_dropped(world: World) -> None:
    world.rooms.doubt((world.room,))
    world.server.faults.fail_next(1, Refused("refused"), port="room_state")
    assert world.room not in await world.rooms.observe()
    second = await world.bot.create_room(NewRoom("Second", RoomVersion("12")))
    assert second in await world.rooms.observe()
    world.server._listeners.clear()
    await world.bot.leave(second)
    world.rooms.doubt((second,))
    assert second not in await world.rooms.observe()


async def test_looking_finds_new_rooms_and_drops_those_we_are_not_in(world: World) -> None:
    world.server._listeners.clear()
    second = await world.bot.create_room(NewRoom("Second", RoomVersion("12")))
    await world.bot.leave(world.room)
    await world.rooms.look()
    assert set(await world.rooms.observe()) == {second}


async def test_a_room_made_while_we_look_is_not_dropped(world: World) -> None:
    world.server._listeners.clear()
    made = RoomId("!made:haven.test")
    world.server.faults.after.append(lambda _: world.rooms.doubt((made,)))
    await world.rooms.look()
    assert made in world.rooms._cells


async def test_what_changes_while_a_room_is_read_for_the_first_time_is_read_again() -> None:
    world = World()
    room = await world.bot.create_room(NewRoom("Old", RoomVersion("12")))
    await world.rooms.look()

    async def rename(request: Request) -> None:
        if request.port == "room_state":
            world.server.faults.after.clear()
            event = await world.bot.send_state(room, NAME, "", {"name": "New"})
            world.rooms.nudge(room, StateEvent(NAME, "", world.bot.user, {"name": "New"}, event))

    world.server.faults.after.append(rename)
    assert (await world.rooms.observe())[room].name == "Old"
    assert (await world.rooms.observe())[room].name == "New"


async def test_somebody_coming_to_a_small_room_has_it_read_again(world: World) -> None:
    eva = world.server.person("eva")
    await world.bot.invite(world.room, eva.user)
    await eva.join(world.room)
    assert (await world.rooms.observe())[world.room].members[eva.user] is Membership.JOINED
    assert world.reads() == 1


async def test_in_a_large_room_the_comings_of_members_are_believed_and_those_of_admins_read(
    world: World,
) -> None:
    await world.bot.send_state(world.room, "m.room.join_rules", "", {"join_rule": "public"})
    for number in range(LARGE + 1):
        await world.server.person(f"p{number}").join(world.room)
    await world.rooms.observe()
    before = world.reads()
    eva = world.server.person("eva")
    await eva.join(world.room)
    assert (await world.rooms.observe())[world.room].members[eva.user] is Membership.JOINED
    await eva.leave(world.room)
    assert (await world.rooms.observe())[world.room].members[eva.user] is Membership.LEFT
    assert world.reads() == before
    levels = {**world.server.rooms[world.room].content("m.room.power_levels"), "users": {eva.user: 50}}
    await world.bot.send_state(world.room, "m.room.power_levels", "", levels)
    await world.rooms.observe()
    await eva.join(world.room)
    await world.rooms.observe()
    assert world.reads() == before + 2


async def test_a_change_of_name_of_a_member_changes_nothing(world: World) -> None:
    event = StateEvent(
        "m.room.member", world.bot.user, world.bot.user, {"membership": "join", "displayname": "Robot"}
    )
    assert not world.rooms.nudge(world.room, event)


async def test_reading_and_writing_one_room_never_cross(world: World) -> None:
    """An answer to a reading that was on its way when we wrote would hide what we wrote."""
    world.rooms.doubt((world.room,))
    await asyncio.gather(world.rooms.observe(), world.write_topic("ours"))
    assert (await world.rooms.observe())[world.room].topic == "ours"


async def test_the_echoes_remembered_are_bounded(world: World) -> None:
    cell = world.rooms._cells[world.room]
    for number in range(2_000):
        cell.remember(EventId(f"${number}"))
    assert len(cell.own) <= 500
    assert UserId("@x:y") not in world.rooms.world[world.room].members

"""Each room is made once: found again after a lost answer, waited for while half made, finished where the server died."""

from dataclasses import replace

import pytest

from haven.changes import CreateRoom
from haven.desired import Actors
from haven.errors import Invalid, RateLimited, Unreachable
from haven.founding import founded
from haven.ids import RoomId, UserId
from haven.plan import plan_for
from haven.ports import NewRoom
from plugin.creation import Begun, Creation
from plugin.rooms import Rooms
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.homeserver_client import FakeClient
from tests.plugin.life import FastClock, founding

ANA = UserId("@ana:haven.test")


def space_of(bot: FakeClient, server: FakeHomeserver) -> NewRoom:
    """The first room of a founding."""
    plan = plan_for(founded(founding(server)), {}, Actors(bot.user))
    first = plan.changes[0]
    assert isinstance(first, CreateRoom)
    return first.new


class Making:
    """A bot that makes the space of a founding, in as many lives as it takes."""

    def __init__(self, server: FakeHomeserver, store: Store) -> None:
        self.server = server
        self.store = store
        self.begin()
        self.new = space_of(self.bot, server)
        self.slot = "w1/space"

    def begin(self) -> None:
        """A new life."""
        self.bot = self.server.person("bot")
        self.rooms = Rooms(self.bot, FastClock())
        self.creation = Creation(self.bot, self.rooms, self.store, FastClock())

    async def again(self) -> RoomId:
        self.begin()
        return await self.creation.create_room(self.new)


@pytest.fixture
def making(server: FakeHomeserver, store: Store) -> Making:
    return Making(server, store)


async def test_a_room_is_made_and_seen(making: Making) -> None:
    room = await making.creation.create_room(making.new)
    assert (await making.rooms.observe())[room].slot == making.slot
    assert await making.store.begun_rooms() == ()


async def test_after_a_lost_answer_it_is_found_at_once(making: Making) -> None:
    making.server.faults.fail_next(1, Unreachable(), port="create_room", lose_answer=True)
    with pytest.raises(Unreachable):
        await making.creation.create_room(making.new)
    assert [begun.slot for begun in await making.store.begun_rooms()] == [making.slot]
    room = await making.again()
    assert list(making.server.rooms) == [room]
    assert making.server.faults.count("create_room") == 1
    assert await making.store.begun_rooms() == ()


@pytest.mark.parametrize("error", [RateLimited(1), Invalid("invalid")])
async def test_a_clear_no_leaves_nothing_in_doubt(making: Making, error: RateLimited | Invalid) -> None:
    making.server.faults.fail_next(1, error, port="create_room")
    with pytest.raises(type(error)):
        await making.creation.create_room(making.new)
    assert await making.store.begun_rooms() == ()


async def test_a_room_that_never_came_is_made_after_a_while(making: Making) -> None:
    await making.store.begin_room(Begun(making.slot, (ANA,)))
    room = await making.creation.create_room(making.new)
    assert list(making.server.rooms) == [room]
    assert making.server.faults.count("joined_rooms") > 1


async def test_a_room_that_comes_while_we_look_is_taken(making: Making) -> None:
    await making.store.begin_room(Begun(making.slot, (ANA,)))
    late = making.server.client(making.bot.user)
    looked = 0

    async def comes(request: object) -> None:
        nonlocal looked
        looked += getattr(request, "port", "") == "joined_rooms"
        if looked == 3:
            looked += 1
            await late.create_room(making.new)

    making.server.faults.before.append(comes)
    room = await making.creation.create_room(making.new)
    assert list(making.server.rooms) == [room]


async def test_people_whom_the_server_did_not_come_to_invite_are_invited(making: Making) -> None:
    await making.bot.create_room(replace(making.new, invite=()))
    await making.store.begin_room(Begun(making.slot, (ANA,)))
    making.begin()
    await making.creation.settle()
    (room,) = making.server.rooms.values()
    assert room.membership(ANA) == "invite"
    assert await making.store.begun_rooms() == ()


async def test_a_half_made_room_is_waited_for_and_then_taken_as_it_is(making: Making) -> None:
    bare = NewRoom("", making.new.version, creation=making.new.creation)
    await making.bot.create_room(bare)
    await making.store.begin_room(Begun(making.slot, (ANA,)))
    room = await making.again()
    assert list(making.server.rooms) == [room]
    assert making.server.faults.count("room_state") > 3


async def test_trouble_while_looking_keeps_the_question_open(making: Making) -> None:
    await making.store.begin_room(Begun(making.slot, (ANA,)))
    making.server.faults.fail_next(1, Unreachable(), port="joined_rooms")
    with pytest.raises(Unreachable):
        await making.creation.settle()
    assert [begun.slot for begun in await making.store.begun_rooms()] == [making.slot]

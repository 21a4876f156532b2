"""The admins' room of a linked room: found by what room state says, and by nothing that a stranger can say."""

import asyncio

import pytest

from bridge.admins import Admins
from bridge.rooms import Rooms
from haven.errors import Unreachable
from haven.ids import RoomId, RoomVersion, UserId
from haven.ports import Content, NewRoom
from tests.bridge.lives import BOT, FakeAppservice
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.homeserver_client import FakeClient
from tests.fakes.homeserver_media import FakeMedia

SPACE = RoomId("!space")


class House:
    """Rooms that say what they are, and a bridge that has read them."""

    def __init__(self) -> None:
        self.world = FakeHomeserver()
        self.plugin, self.mallory = self.world.person("haven"), self.world.person("mallory")
        self.bridge = FakeAppservice(self.world, BOT, set(), asyncio.Event(), FakeMedia())
        self.rooms = Rooms()
        self.admins = Admins(self.bridge, self.rooms)

    async def room(self, maker: FakeClient, kind: str, community: RoomId = SPACE, **power: Content) -> RoomId:
        """A room that ``maker`` says is of that kind; the bridge is in it."""
        room = await maker.create_room(NewRoom(kind, RoomVersion("12"), power=power))
        record = {"version": 1, "community": community, "kind": kind, "visibility": "open"}
        await maker.send_state(room, "chat.haven.group", "", record)
        await maker.invite(room, BOT)
        await self.bridge.join(room)
        await self.read(room)
        return room

    async def read(self, room: RoomId) -> None:
        self.rooms.read(room, await self.bridge.room_state(room))

    def told(self, room: RoomId) -> list[object]:
        timeline = self.world.rooms[room].timeline
        return [one.content["body"] for one in timeline if one.type == "m.room.message"]


@pytest.fixture
def house() -> House:
    return House()


async def test_the_admins_of_a_group_and_of_its_space_are_told_once(house: House) -> None:
    admins, group = await house.room(house.plugin, "admins"), await house.room(house.plugin, "group")
    await house.room(house.plugin, "admins", RoomId("!other"))
    assert house.admins.room_of(group) == admins
    for _ in range(2):
        where = await house.admins.tell(group, "Look here", "once")
        assert where is not None
        assert where[0] == admins
    assert house.told(admins) == ["Look here"]


async def test_a_space_that_is_linked_itself_has_the_admins_of_its_community(house: House) -> None:
    space = await house.plugin.create_room(NewRoom("Space", RoomVersion("12")))
    await house.plugin.send_state(space, "chat.haven.community", "", {"version": 1, "name": "X"})
    await house.plugin.invite(space, BOT)
    await house.bridge.join(space)
    await house.read(space)
    assert house.admins.room_of(space) is None
    admins = await house.room(house.plugin, "admins", space)
    assert house.admins.room_of(space) == admins


async def test_a_room_that_somebody_else_calls_the_admins_room_is_none(house: House) -> None:
    group = await house.room(house.plugin, "group")
    theirs = await house.room(house.mallory, "admins")
    assert house.admins.room_of(group) is None
    assert await house.admins.tell(group, "Secret", "once") is None
    assert house.told(theirs) == []


async def test_rooms_that_say_nothing_or_nonsense_have_no_admins(house: House) -> None:
    group = await house.room(house.plugin, "group")
    admins = await house.room(house.plugin, "admins")
    assert house.admins.is_admins_room(admins)
    await house.plugin.send_state(admins, "chat.haven.group", "", {"version": 1, "kind": 7})
    await house.plugin.send_state(
        group, "chat.haven.group", "", {"version": 1, "community": SPACE, "kind": "x"}
    )
    for room in (admins, group):
        await house.read(room)
    assert not house.admins.is_admins_room(admins)
    assert house.admins.room_of(group) is None
    assert house.admins.room_of(RoomId("!unknown")) is None


@pytest.mark.parametrize(("level", "decides"), [(100, True), (50, True), (40, False)])
async def test_who_is_a_moderator_in_the_admins_room_decides(house: House, level: int, decides: bool) -> None:
    ana = UserId("@ana:haven.test")
    admins = await house.room(house.plugin, "admins", users={ana: level})
    assert not house.admins.decides(admins, ana)
    await house.plugin.invite(admins, ana)
    await house.world.person("ana").join(admins)
    await house.read(admins)
    assert house.admins.decides(admins, ana) is decides


async def test_what_the_room_refuses_is_said_nowhere_and_trouble_is_trouble(house: House) -> None:
    group = await house.room(house.plugin, "group")
    admins = await house.room(house.plugin, "admins", events={"m.room.message": 100})
    assert await house.admins.tell(group, "Look here", "once") is None
    house.world.faults.fail_next(1, Unreachable(), port="send_message")
    with pytest.raises(Unreachable):
        await house.admins.tell(group, "Look here", "once")
    assert house.told(admins) == []

"""What only the fake homeserver can do: fail on demand, kill who asks, limit, tell of events, and hold several servers."""

import asyncio

import pytest

from haven.errors import Missing, RateLimited, Refused, Unreachable
from haven.ids import RoomId, RoomVersion, UserId
from haven.ports import Homeserver, NewRoom
from tests.contracts.homeserver_world import TEXT, joining, public, space
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.homeserver_faults import Killed, Request, survives
from tests.fakes.homeserver_room import Event

VERSION = RoomVersion("12")


async def _says(who: Homeserver, room: RoomId, *words: str) -> None:
    for one in words:
        await who.send_message(room, "m.room.message", {**TEXT, "body": one}, one)


def _said(world: FakeHomeserver, room: RoomId) -> list[object]:
    return [event.content["body"] for event in world.rooms[room].timeline if event.type == "m.room.message"]


async def test_requests_are_counted() -> None:
    world = FakeHomeserver()
    ana, ben = world.person("ana"), world.person("ben")
    room = await public(ana, VERSION, ben)
    await ben.room_state(room)
    assert world.faults.requests[:2] == [
        Request(ana.user, "create_room", about="A room"),
        Request(ben.user, "join", room),
    ]
    assert world.faults.count() == 3
    assert world.faults.count("join", "room_state") == 2
    assert world.faults.count(user=ana.user) == 1
    assert (world.faults.writes(), world.faults.writes(ben.user)) == (2, 1)


async def test_failing_before_and_after_the_effect() -> None:
    world = FakeHomeserver()
    ana = world.person("ana")
    room = await public(ana, VERSION)
    world.faults.fail_next(2, Unreachable(), port="send_message")
    await ana.room_state(room)
    for _ in range(2):
        with pytest.raises(Unreachable):
            await _says(ana, room, "lost")
    assert _said(world, room) == []
    world.faults.fail_next(1, Unreachable(), lose_answer=True)
    with pytest.raises(Unreachable):
        await _says(ana, room, "done")
    assert _said(world, room) == ["done"]
    await _says(ana, room, "done", "more")
    assert _said(world, room) == ["done", "more"]


@pytest.mark.parametrize("after_effect", [False, True])
async def test_the_dead_stay_dead_and_a_new_process_goes_on(after_effect: bool) -> None:
    world = FakeHomeserver()
    ana, ben = world.person("ana"), world.person("ben")
    room = await public(ana, VERSION, ben)
    world.faults.kill(2, user=ana.user, after_effect=after_effect)
    await ben.room_state(room)
    assert not await survives(_says(ana, room, "one", "two", "three"))
    assert _said(world, room) == (["one", "two"] if after_effect else ["one"])
    with pytest.raises(Killed):
        await ana.room_state(room)
    await _says(ben, room, "still here")
    assert await survives(_says(world.client(ana.user), room, "one", "two", "three"))
    assert len(_said(world, room)) == 4


async def test_death_reaches_every_task_of_the_process() -> None:
    world = FakeHomeserver()
    ana = world.person("ana")
    room = await public(ana, VERSION)
    world.faults.kill(5)

    async def many() -> None:
        async with asyncio.TaskGroup() as group:
            for task in range(4):
                group.create_task(_says(ana, room, *(f"{task}-{part}" for part in range(4))))

    assert not await survives(many())
    assert len(_said(world, room)) == 4


async def test_a_limit_tells_how_long_to_wait() -> None:
    world, now = FakeHomeserver(), 0.0
    ana, ben = world.person("ana"), world.person("ben")
    room = await public(ana, VERSION, ben)
    world.faults.limit(0.5, 2, lambda: now)
    await _says(ana, room, "one", "two")
    with pytest.raises(RateLimited) as told:
        await _says(ana, room, "three")
    assert told.value.after == 2
    await ana.room_state(room)
    await _says(ben, room, "not limited yet")
    now += 2
    await _says(ana, room, "three")
    world.faults.forgive()
    await _says(ana, room, "four", "five", "six")


async def test_hooks_may_wait() -> None:
    world, gate = FakeHomeserver(), asyncio.Event()
    ana = world.person("ana")
    room = await public(ana, VERSION)

    async def hold(_request: Request) -> None:
        await gate.wait()

    world.faults.before.append(hold)
    waiting = asyncio.create_task(_says(ana, room, "later"))
    for _ in range(10):
        await asyncio.sleep(0)
    assert _said(world, room) == []
    gate.set()
    await waiting
    assert _said(world, room) == ["later"]


async def test_listeners_hear_what_reaches_them() -> None:
    world = FakeHomeserver()
    ana, ben = world.person("ana"), world.person("ben")
    everything: list[Event] = []
    bens: list[Event] = []
    world.on_event(everything.append)
    world.on_event(bens.append, user=ben.user)
    room = await ana.create_room(NewRoom("Quiet", VERSION))
    await _says(ana, room, "alone")
    assert len(everything) == len(world.rooms[room].timeline)
    assert bens == []
    await ana.invite(room, ben.user)
    await ben.join(room)
    await _says(ana, room, "together")
    await ana.kick(room, ben.user)
    await _says(ana, room, "alone again")
    heard = [event.content.get("membership") or event.content.get("body") for event in bens]
    assert heard == ["invite", "join", "together", "leave"]


async def test_other_servers_find_a_room_through_those_that_are_in_it() -> None:
    world = FakeHomeserver()
    ana = world.person("ana")
    ben, cam = world.client(UserId("@ben:other.test")), world.client(UserId("@cam:other.test"))
    room = await public(ana, VERSION)
    for via in ((), ("nowhere.test",), ("other.test",)):
        with pytest.raises(Missing):
            await ben.join(room, via)
    await ben.join(room, ("nowhere.test", "haven.test"))
    await cam.join(room)
    closed = await ana.create_room(NewRoom("Closed", VERSION))
    with pytest.raises(Refused):
        await ben.join(closed, ("haven.test",))
    await ana.invite(closed, ben.user)
    await ben.join(closed)


async def test_a_restricted_join_is_authorised_by_the_joiners_server_where_it_can() -> None:
    world = FakeHomeserver()
    ana, ben, cam = world.person("ana"), world.client(UserId("@ben:other.test")), world.person("cam")
    home = await space(ana, VERSION, cam)
    await ben.join(home, ["haven.test"])
    room = await ana.create_room(NewRoom("Restricted", VERSION, state=[joining("restricted", home)]))
    await ben.join(room, ["haven.test"])
    await cam.join(room)
    for member in (ben, cam):
        by = world.rooms[room].content("m.room.member", member.user)["join_authorised_via_users_server"]
        assert by == ana.user


async def test_transactions_are_forgotten_when_it_restarts() -> None:
    world = FakeHomeserver()
    ana = world.person("ana")
    room = await public(ana, VERSION)
    await _says(ana, room, "once", "once")
    assert _said(world, room) == ["once"]
    world.forget_transactions()
    await _says(ana, room, "once")
    assert _said(world, room) == ["once", "once"]


async def test_what_is_read_is_the_readers_own() -> None:
    world = FakeHomeserver()
    ana = world.person("ana")
    room = await public(ana, VERSION)
    levels = await ana.state_content(room, "m.room.power_levels")
    users = levels["users"]
    assert isinstance(users, dict)
    users[ana.user] = 7
    assert await ana.state_content(room, "m.room.power_levels") != levels


async def test_each_run_is_the_same() -> None:
    rooms = []
    for _ in range(2):
        world = FakeHomeserver()
        room = await public(world.person("ana"), VERSION, world.person("ben"))
        rooms.append(world.rooms[room].timeline)
    assert rooms[0] == rooms[1]


async def test_time_is_the_worlds_own() -> None:
    now = 5_000
    world = FakeHomeserver(clock=lambda: now)
    ana = world.person("ana")
    room = await public(ana, VERSION)
    now = 6_000
    await ana.send_state(room, "m.room.topic", "", {"topic": "x"})
    at = {event.type: event.at for event in await ana.room_state(room)}
    assert (at["m.room.create"], at["m.room.topic"]) == (5_000, 6_000)

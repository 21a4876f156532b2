"""What reaches the engine from people: commands once each and in turn, invitations to direct chats, and nothing lost by dying."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from haven.errors import HavenError, Refused, Unreachable
from haven.ids import EventId, RoomId, RoomVersion, UserId
from haven.ports import NewRoom
from plugin.config import Settings
from plugin.events import Gap, Incoming, Invited, Left
from plugin.store import Store
from plugin.turns import WAITING, Turns
from tests.fakes.homeserver import FakeHomeserver
from tests.plugin.life import Life, living

HERE, THERE = RoomId("!here:haven.test"), RoomId("!there:haven.test")


def said(life: Life, body: str, event: str, room: RoomId = HERE) -> Incoming:
    return Incoming(room, EventId(event), life.server.person("ana").user, body)


async def test_a_command_delivered_twice_is_answered_once(server: FakeHomeserver, store: Store) -> None:
    answers: list[str] = []

    async def answer(message: Incoming) -> None:
        answers.append(message.body)

    for _ in range(2):
        async with living(server, store) as life:
            life.engine.answer = answer
            for _ in range(2):
                life.engine.hear(said(life, "!community list", "$list"))
            life.engine.hear(said(life, "!c show", "$show"))
            await life.settled(lambda: "!c show" in answers, "the last is answered")
    assert answers == ["!community list", "!c show"]
    assert await store.unanswered() == ()


async def test_people_of_other_networks_command_nothing(server: FakeHomeserver, store: Store) -> None:
    answers: list[str] = []

    async def answer(message: Incoming) -> None:
        answers.append(message.event)

    ghost = UserId(f"@_haven_irc_abcdef:{server.name}")
    async with living(server, store, answer=answer) as life:
        life.engine.hear(Incoming(HERE, EventId("$ghost"), ghost, "!c create Mine"))
        life.engine.hear(said(life, "!c list", "$person"))
        await life.settled(lambda: bool(answers), "the person is answered")
    assert answers == ["$person"]


async def test_a_command_that_was_being_answered_when_we_died_is_answered_by_the_next_life(
    server: FakeHomeserver, store: Store
) -> None:
    begun = asyncio.Event()

    async def never(message: Incoming) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with living(server, store) as life:
        life.engine.answer = never
        whole = Incoming(
            HERE, EventId("$x"), life.client.user, "!c list", "<b>!c</b>", (life.client.user,), at=7
        )
        life.engine.hear(whole)
        await begun.wait()
    answers: list[Incoming] = []

    async def answer(message: Incoming) -> None:
        answers.append(message)

    async with living(server, store, answer=answer) as life:
        await life.settled(lambda: bool(answers), "it is answered")
    assert answers == [replace(whole, again=True)]
    assert await store.unanswered() == ()


async def test_a_command_that_ends_every_life_is_let_go(store: Store) -> None:
    await store.hears(Incoming(HERE, EventId("$x"), FakeHomeserver().person("ana").user, "!c list"))
    assert [len(await store.unanswered()) for _ in range(4)] == [1, 1, 0, 0]


async def test_what_is_no_command_is_not_kept(server: FakeHomeserver, store: Store) -> None:
    answers: list[str] = []

    async def answer(message: Incoming) -> None:
        answers.append(message.body)

    async with living(server, store) as life:
        life.engine.answer = answer
        for event in ("$cat", "$cat", "$other"):
            life.engine.hear(said(life, "!cat", event))
        await life.settled(lambda: len(answers) == 2, "each is passed on once, though one was told twice")
    assert await store.unanswered() == ()


async def test_an_invitation_to_a_direct_chat_is_accepted_and_no_other(
    server: FakeHomeserver, store: Store
) -> None:
    ana = server.person("ana")
    async with living(server, store) as life:
        rooms = [
            await ana.create_room(NewRoom("Chat", RoomVersion("12"), invite=(life.client.user,)))
            for _ in range(2)
        ]
        life.engine.take(Invited(rooms[1], ana.user, direct=False))
        life.engine.take(Invited(rooms[0], ana.user, direct=True))
        await life.settled(lambda: server.is_joined(rooms[0], life.client.user), "we have joined")
        assert not server.is_joined(rooms[1], life.client.user)
        life.engine.take(Invited(RoomId("!gone:haven.test"), ana.user, direct=True))
    async with living(server, store, settings=Settings(accept_invites=False)) as life:
        life.engine.take(Invited(rooms[1], ana.user, direct=True))
        await asyncio.gather(*life.engine.turns._tasks)
        assert not server.is_joined(rooms[1], life.client.user)


@pytest.mark.parametrize("trouble", [Refused("homeserver_refused", code="M_FORBIDDEN"), Unreachable()])
async def test_an_invitation_is_accepted_though_the_homeserver_was_not_ready_for_it(
    server: FakeHomeserver, store: Store, trouble: HavenError
) -> None:
    ana = server.person("ana")
    async with living(server, store) as life:
        room = await ana.create_room(NewRoom("Chat", RoomVersion("12"), invite=(life.client.user,)))
        server.faults.fail_next(2, trouble, port="join")
        life.engine.take(Invited(room, ana.user, direct=True))
        await life.settled(lambda: server.is_joined(room, life.client.user), "we have joined")
        assert server.faults.count("join", user=life.client.user) == 3


async def test_rooms_come_and_go(server: FakeHomeserver, store: Store) -> None:
    ana = server.person("ana")
    async with living(server, store) as life:
        room = await ana.create_room(NewRoom("Chat", RoomVersion("12"), invite=(life.client.user,)))
        await life.client.join(room)
        await life.settled(lambda: room in life.engine.rooms.world, "we see it")
        life.deaf = True
        await ana.send_state(room, "m.room.topic", "", {"topic": "news"})
        life.engine.take(Gap(room))
        await life.settled(lambda: life.engine.rooms.world[room].topic == "news", "the gap is filled")
        life.engine.take(Left(room))
        assert room not in life.engine.rooms.world


async def test_a_room_takes_its_turns_in_order_and_survives_bugs(caplog: pytest.LogCaptureFixture) -> None:
    turns, done = Turns(), list[str]()
    gate, elsewhere, second = asyncio.Event(), asyncio.Event(), asyncio.Event()
    ends = {"elsewhere": elsewhere, "second": second}

    def work(name: str) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            if name == "slow":
                await gate.wait()
            if name == "bug":
                raise ZeroDivisionError
            done.append(name)
            if name in ends:
                ends[name].set()

        return run

    for name in ("slow", "bug", "second"):
        turns.take(HERE, work(name))
    turns.take(THERE, work("elsewhere"))
    await elsewhere.wait()
    assert done == ["elsewhere"]
    gate.set()
    await second.wait()
    assert done == ["elsewhere", "slow", "second"]
    assert "ZeroDivisionError" in caplog.text
    await turns.stop()


async def test_who_floods_a_room_is_not_kept_for_ever() -> None:
    turns, done = Turns(), list[int]()

    async def work() -> None:
        done.append(1)

    for _ in range(WAITING * 3):
        turns.take(HERE, work)
    await asyncio.gather(*turns._tasks)
    assert len(done) == WAITING

"""IRC when things go wrong, on real servers: crashes, silence, floods, bans, odd bytes; nothing doubled, nothing out of order."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.message import Message, plain, spans
from bridge.networks import irc_news
from bridge.networks.acts import Outgoing, Say
from bridge.networks.events import ChatGone, Connection, ConnectionState, Event, Joined, Left, Role, Said
from embedded.irc import IrcServer, Ngircd, PythonIrc, ngircd_program
from embedded.waiting import eventually
from haven.errors import Invalid, Refused, TryLater, Unreachable
from haven.ids import ChatId
from tests.contracts.network import Log, always, patiently, words
from tests.system.irc_world import IrcWorld, irc_world, network_on

pytestmark = pytest.mark.system


@pytest.fixture(params=["python", "ngircd"])
async def own_server(request: pytest.FixtureRequest, own_data: Path) -> AsyncIterator[IrcServer]:
    """A server of each kind that the test may kill."""
    if request.param == "ngircd" and ngircd_program() is None:
        pytest.skip("ngircd is not installed")
    async with PythonIrc(own_data) if request.param == "python" else Ngircd(own_data) as running:
        yield running


@pytest.fixture
async def world(ngircd: IrcServer) -> AsyncIterator[IrcWorld]:
    async with irc_world(ngircd) as world:
        yield world


def said_in(log: Log) -> list[str]:
    return [plain(event.message.text) for event in log.events if isinstance(event, Said)]


async def until_said(world: IrcWorld, text: str) -> Said:
    return await world.log.wait(Said, lambda event: plain(event.message.text) == text)


async def until_state(world: IrcWorld, state: ConnectionState, after: int = 0) -> None:
    await world.log.wait(Connection, lambda event: event.state is state, after=after)


async def reading_stopped(world: IrcWorld) -> bool:
    return world.connection._paused


async def test_comes_back_after_the_server_crashed(own_server: IrcServer) -> None:
    async with irc_world(own_server) as world:
        await world.join("bob")
        await world.log.wait(Joined, lambda event: event.person.name == "bob")
        await own_server.kill()
        await until_state(world, ConnectionState.LOST)
        claimed: list[int] = []

        async def claim(part: int) -> bool:
            claimed.append(part)
            return True

        with pytest.raises(TryLater):
            await world.network.send(words(world, "into the void"), claim)
        assert claimed == []
        mark = len(world.log.events)
        await own_server.start()
        await until_state(world, ConnectionState.CONNECTED, after=mark)
        await world.log.wait(Left, lambda event: event.person.name == "bob", after=mark)
        await world.founder.aclose()
        world.founder = await world.connect("founder")
        await world.founder.join(world.chat)
        await world.founder.say(world.chat, "we are back")
        await until_said(world, "we are back")
        await patiently(lambda: world.network.send(words(world, "so are we"), always))
        assert await world.heard(1) == ["so are we"]


async def test_notices_a_server_that_fell_silent(own_server: IrcServer) -> None:
    async with irc_world(own_server, alive=0.3) as world:
        own_server.process.signal(signal.SIGSTOP)
        await until_state(world, ConnectionState.LOST)
        mark = len(world.log.events)
        own_server.process.signal(signal.SIGCONT)
        await until_state(world, ConnectionState.CONNECTED, after=mark)
        await patiently(lambda: world.network.send(words(world, "still here"), always))
        assert await world.heard(1) == ["still here"]


async def test_a_flood_keeps_its_order(own_server: IrcServer) -> None:
    async with irc_world(own_server) as world:
        await world.join("bob")
        numbers = [f"line {number}" for number in range(200)]
        await world.people["bob"].send("\r\n".join(f"PRIVMSG {world.chat} :{text}" for text in numbers))
        await until_said(world, numbers[-1])
        assert said_in(world.log) == numbers


async def test_a_receiver_that_is_stuck_stops_the_reading_and_loses_nothing(
    python_irc: IrcServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(irc_news, "BACKLOG", 50)
    async with irc_world(python_irc) as world:
        await world.join("bob")
        free = asyncio.Event()
        tell = world.log.__class__.__call__
        failures = iter([True, True])

        async def stuck(log: Log, event: Event) -> None:
            await free.wait()
            if isinstance(event, Said) and next(failures, False):
                raise TryLater("unreachable", after=0.01)
            await tell(log, event)

        monkeypatch.setattr(Log, "__call__", stuck)
        numbers = [f"line {number}" for number in range(500)]
        for start in range(0, 500, 50):
            batch = "\r\n".join(f"PRIVMSG {world.chat} :{text}" for text in numbers[start : start + 50])
            await world.people["bob"].send(batch)
            mark = world.people["bob"].mark
            await world.people["bob"].send("PING here")
            await world.people["bob"].wait_for(lambda line: line.command == "PONG", after=mark)
        connection = world.connection
        await eventually(lambda: reading_stopped(world), "the bridge stops reading")
        free.set()
        await until_said(world, numbers[-1])
        assert said_in(world.log) == numbers
        assert not connection._paused


async def test_bytes_that_are_not_utf8_are_read_as_latin1(world: IrcWorld) -> None:
    world.founder._writer.write(f"PRIVMSG {world.chat} :".encode() + b"ol\xe9\r\n")
    said = await until_said(world, "olé")
    assert said.chat == world.chat


async def test_a_long_text_arrives_whole_in_lines_the_server_does_not_cut(world: IrcWorld) -> None:
    text = " ".join(f"señor{number}" for number in range(200))
    await patiently(lambda: world.network.send(words(world, text), always))
    lines = await world.heard(4)
    assert " ".join(lines) == text
    assert all(len(line.raw.encode()) <= 510 for line in world.from_us())


async def test_a_longest_line_of_a_person_arrives(world: IrcWorld) -> None:
    await world.founder.say(world.chat, "x" * 470)
    event = await world.log.wait(Said)
    assert plain(event.message.text).startswith("x" * 440)


async def test_nothing_injects_a_command(world: IrcWorld) -> None:
    await patiently(lambda: world.network.send(words(world, "one\r\nQUIT :x\rJOIN #y\0\x01two"), always))
    assert await world.heard(3) == ["one", "QUIT :x", "JOIN #ytwo"]
    await world.irc.set_topic(world.chat, "a\r\nQUIT :x\0")
    assert await world.topic("a QUIT :x") == "a QUIT :x"
    assert world.connection.connected


async def test_operators_are_known_through_changes(world: IrcWorld) -> None:
    await world.join("bob")
    await world.log.wait(Joined, lambda event: event.person.name == "bob")
    for change, role in (
        ("+o", Role.OPERATOR),
        ("-o", Role.MEMBER),
        ("+v", Role.VOICED),
        ("+o-v", Role.OPERATOR),
        ("-o", Role.MEMBER),
    ):
        mark = len(world.log.events)
        await world.founder.send(f"MODE {world.chat} {change} bob bob")
        changed = await world.log.wait(Joined, lambda event: event.person.name == "bob", after=mark)
        assert changed.person.role is role
    await world.speak("bob", "last")
    assert (await until_said(world, "last")).person.role is Role.MEMBER
    roles = {person.name: person.role for person in await world.irc.members(world.chat)}
    assert roles["bob"] is Role.MEMBER
    assert roles[world.founder.nick] is Role.OPERATOR


async def test_comes_back_after_a_kick(own_server: IrcServer) -> None:
    async with irc_world(own_server) as world:
        for _ in range(2):
            mark = world.founder.mark
            nick = world.connection.nick
            await world.founder.send(f"KICK {world.chat} {nick} :out")
            await world.founder.wait_for(
                lambda line: line.command == "JOIN" and line.nick.startswith("haven"), after=mark
            )
        await patiently(lambda: world.network.send(words(world, "again"), always))
        assert await world.heard(1) == ["again"]


async def test_a_ban_is_for_good_until_somebody_opens_again(world: IrcWorld) -> None:
    nick = world.connection.nick
    await world.founder.send(f"MODE {world.chat} +b {nick}!*@*")
    await world.founder.send(f"KICK {world.chat} {nick} :out")
    gone = await world.log.wait(ChatGone)
    assert (gone.chat, gone.reason) == (world.chat, "banned")
    with pytest.raises(Refused):
        await world.network.open(world.chat)
    await world.founder.send(f"MODE {world.chat} -b {nick}!*@*")
    mark = world.founder.mark
    await world.founder.send("PING here")
    await world.founder.wait_for(lambda line: line.command == "PONG", after=mark)
    await world.network.open(world.chat)
    await world.founder.say(world.chat, "welcome back")
    await until_said(world, "welcome back")


@pytest.mark.parametrize(
    ("mode", "reason"), [("+i", "invite_only"), ("+k secret", "needs_key"), ("+l 1", None)]
)
async def test_closed_doors_are_said(world: IrcWorld, mode: str, reason: str | None) -> None:
    door = ChatId(f"{world.chat}door")
    await world.founder.join(door)
    await world.founder.send(f"MODE {door} {mode}")
    await world.founder.wait_for(lambda line: line.command == "MODE" and line.target == door)
    with pytest.raises(Refused if reason else TryLater) as caught:
        await world.network.open(door)
    assert caught.value.values.get("reason") == reason


@pytest.mark.parametrize(
    "name", ["fathers", "#", "#two,#three", "#has blank", "#bell\x07", "#" + "x" * 300, ""]
)
async def test_what_can_be_no_channel_is_invalid(world: IrcWorld, name: str) -> None:
    with pytest.raises(Invalid):
        await world.network.open(ChatId(name))


async def test_a_message_that_is_not_let_through_is_refused(world: IrcWorld) -> None:
    await world.founder.send(f"MODE {world.chat} +m")
    await world.founder.wait_for(lambda line: line.command == "MODE")
    with pytest.raises(Refused):
        await world.network.send(words(world, "unheard"), always)
    await world.founder.send(f"MODE {world.chat} -m+t")
    await world.founder.wait_for(lambda line: line.command == "MODE" and "t" in line.params[1])
    await world.network.send(words(world, "heard"), always)
    assert await world.heard(1) == ["heard"]
    with pytest.raises(Refused):
        await world.irc.set_topic(world.chat, "not ours to set")


async def test_a_taken_nick_gets_a_tail(own_server: IrcServer) -> None:
    async with irc_world(own_server, nick="haven") as world:
        second = network_on(own_server, nick="haven")
        log = Log()
        running = asyncio.create_task(second.run(log))
        await log.wait(Connection, lambda event: event.state is ConnectionState.CONNECTED)
        await second.open(world.chat)
        await second.send(Outgoing("k", world.chat, None, Say(Message(spans("hello")))), always)
        heard = await until_said(world, "hello")
        assert heard.person.name == "haven_"
        running.cancel()
        await asyncio.wait([running])


async def test_check_says_what_stands_in_the_way(own_server: IrcServer) -> None:
    await network_on(own_server).check()
    await own_server.kill()
    with pytest.raises(Unreachable):
        await network_on(own_server).check()


async def test_opening_before_the_connection_is_remembered(own_server: IrcServer) -> None:
    network, chat, log = network_on(own_server), ChatId("#early"), Log()
    with pytest.raises(TryLater):
        await network.open(chat)
    running = asyncio.create_task(network.run(log))
    await patiently(lambda: network.members(chat))
    running.cancel()
    await asyncio.wait([running])


async def test_no_log_holds_what_is_said_or_who_says_it(
    python_irc: IrcServer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with irc_world(python_irc, password="canary-password") as world:
            await world.join("canarynick")
            await world.speak("canarynick", "canary text")
            await until_said(world, "canary text")
            await patiently(lambda: world.network.send(words(world, "canary answer"), always))
            await world.drop()
            await until_state(world, ConnectionState.LOST)
    assert "canary" not in caplog.text

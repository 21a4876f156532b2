"""The IRC network against servers that behave as no real one in our tests does: mute, babbling, strict, forgetful."""

import asyncio

import pytest

from bridge.message import plain
from bridge.networks import irc_connection, irc_wanted
from bridge.networks.events import Connection, ConnectionState, Event, Joined, Left, Said
from haven.errors import Refused, TryLater, Unreachable
from tests.bridge.irc_scripts import (
    CHAT,
    ENTERED,
    GREETING,
    Server,
    friendly,
    network_on,
    running,
    states,
    until,
)
from tests.contracts.network import Log, patiently


async def mute(server: Server) -> None:
    await server.expect("never")


async def test_a_mute_server_is_given_up_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(irc_connection, "CONNECT_TIMEOUT", 0.05)
    async with network_on(mute, friendly) as network, running(network) as log:
        await until(log, ConnectionState.LOST)
        assert ConnectionState.CONNECTED not in states(log)
        monkeypatch.setattr(irc_connection, "CONNECT_TIMEOUT", 20)
        await until(log, ConnectionState.CONNECTED)
        assert ConnectionState.LOGGED_OUT not in states(log)


@pytest.mark.parametrize(
    "noise",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        bytes(range(256)) * 300,
        b"\n" * 1000,
        b":\r\n@\r\n: :\r\n@a \r\n",
        b"x" * 70_000,
        b":s 005\r\n:s 433\r\nCAP\r\nPING\r\n",
    ],
    ids=["HTTP", "every byte", "empty lines", "no commands", "no end of line", "no parameters"],
)
async def test_noise_is_survived(noise: bytes) -> None:
    async def noisy(server: Server) -> None:
        await server.expect("USER")
        server.writer.write(noise)

    async with network_on(noisy, friendly) as network, running(network) as log:
        await until(log, ConnectionState.LOST)
        await until(log, ConnectionState.CONNECTED)
        assert states(log).index(ConnectionState.LOST) < states(log).index(ConnectionState.CONNECTED)


async def test_capabilities_are_asked_before_the_name_and_the_account_is_proven() -> None:
    got: list[str] = []

    async def strict(server: Server) -> None:
        await server.expect("USER")
        server.say(":s CAP * LS :sasl=PLAIN account-tag unknown")
        await server.expect("CAP REQ")
        server.say(":s CAP * ACK :account-tag sasl")
        await server.expect("AUTHENTICATE PLAIN")
        server.say("AUTHENTICATE +")
        await server.expect("AUTHENTICATE ")
        server.say(":s 903 haven :ok")
        await server.expect("CAP END")
        server.say(*GREETING)
        got.extend(server.got)
        await server.pongs()

    async with network_on(strict, account="haven", password="secret") as network, running(network) as log:
        await until(log, ConnectionState.CONNECTED)
    assert got[:3] == ["CAP LS 302", "NICK haven", "USER haven 0 * :Haven"]
    assert got[3:5] == ["CAP REQ :account-tag sasl", "AUTHENTICATE PLAIN"]
    assert not [line for line in got if line.startswith("PASS")]


async def test_the_password_of_a_server_may_hold_blanks() -> None:
    got: list[str] = []

    async def guarded(server: Server) -> None:
        got.append(await server.expect("PASS"))
        server.say(*GREETING)
        await server.pongs()

    async with network_on(guarded, password="open sesame") as network:
        await network.check()
    assert got == ["PASS :open sesame"]


async def refusing(server: Server) -> None:
    await server.expect("USER")
    server.say(":s 464 haven :Password incorrect", "ERROR :Closing link")


async def test_a_refused_login_needs_a_person() -> None:
    async with network_on(refusing) as network:
        log = Log()
        await network.run(log)
        assert log.events[-1] == Connection(ConnectionState.LOGGED_OUT, "login_refused")
        with pytest.raises(Refused):
            await network.check()


async def test_who_was_let_in_before_is_tried_again() -> None:
    async def short(server: Server) -> None:
        await server.expect("USER")
        server.say(*GREETING)

    async with network_on(short, refusing, friendly) as network, running(network) as log:
        await log.wait(
            Connection, lambda event: event.reason == "login_refused" and event.state is ConnectionState.LOST
        )
        await until(log, ConnectionState.CONNECTED, after=len(log.events))
        assert ConnectionState.LOGGED_OUT not in states(log)


async def test_who_left_while_we_were_away_has_left() -> None:
    async def meanwhile(server: Server) -> None:
        await server.expect("USER")
        server.say(*GREETING)
        await server.expect("JOIN")
        server.say(ENTERED[0], ":s 353 haven = #fathers :haven @ada", ENTERED[2])
        await server.pongs()

    async def broken(server: Server) -> None:
        await server.expect("USER")
        server.say(*GREETING)
        await server.expect("JOIN")
        server.say(*ENTERED)
        await server.expect("PING")

    async with network_on(broken, meanwhile, alive=0.2) as network, running(network) as log:
        await patiently(lambda: network.open(CHAT))
        left = await log.wait(Left)
        assert left.person.name == "ben"
        again = [event.person.name for event in log.events if isinstance(event, Joined)]
        assert sorted(again) == ["ada", "ada", "ben"]


async def test_a_server_that_forgets_to_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(irc_wanted, "PATIENCE", 0.05)

    async def forgetful(server: Server) -> None:
        await server.expect("USER")
        server.say(*GREETING)
        await server.expect("JOIN")
        await server.expect("JOIN")
        server.say(*ENTERED, ":ada!a@h PRIVMSG #fathers :hello")
        await server.pongs()

    async with network_on(forgetful) as network, running(network) as log:
        await until(log, ConnectionState.CONNECTED)
        with pytest.raises(TryLater):
            await network.open(CHAT)
        await patiently(lambda: network.open(CHAT))
        assert plain((await log.wait(Said)).message.text) == "hello"


async def test_what_was_heard_before_the_end_is_still_handed_over() -> None:
    async def talkative(server: Server) -> None:
        await server.expect("USER")
        server.say(*GREETING)
        await server.expect("JOIN")
        server.say(*ENTERED, *(f":ada!a@h PRIVMSG #fathers :{number}" for number in range(50)), ":s PONG s")
        await server.pongs()

    async with network_on(talkative) as network:
        log, busy, free = Log(), asyncio.Event(), asyncio.Event()

        async def receive(event: Event) -> None:
            if isinstance(event, Said):
                busy.set()
                await free.wait()
            await log(event)

        task = asyncio.create_task(network.run(receive))
        await patiently(lambda: network.open(CHAT))
        await busy.wait()
        task.cancel()
        asyncio.get_running_loop().call_soon(free.set)
        await asyncio.wait([task])
        said = [plain(event.message.text) for event in log.events if isinstance(event, Said)]
        assert said == [str(number) for number in range(50)]


async def test_tls_wants_a_server_that_speaks_it() -> None:
    async def plainly(server: Server) -> None:
        server.say(":s NOTICE * :Looking up your hostname")
        await server.expect("never")

    async with network_on(plainly, tls=True) as network:
        with pytest.raises(Unreachable) as caught:
            await network.check()
        assert caught.value.key == "network_tls"

"""Both IRC servers do what the bridge relies on, and people on them see it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from embedded.chatter import Chatter, IrcRefused, Line
from embedded.irc import IrcServer, Ngircd, PythonIrc, ngircd_program

pytestmark = pytest.mark.system


@pytest.fixture(params=["python", "ngircd"])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[IrcServer]:
    if request.param == "ngircd" and ngircd_program() is None:
        pytest.skip("ngircd is not installed")
    async with PythonIrc(tmp_path) if request.param == "python" else Ngircd(tmp_path) as running:
        yield running


@pytest.fixture
async def ana(server: IrcServer) -> AsyncIterator[Chatter]:
    async with await Chatter.connect(server.host, server.port, "ana") as chatter:
        await chatter.join("#padres")
        yield chatter


@pytest.fixture
async def luis(server: IrcServer, ana: Chatter) -> AsyncIterator[Chatter]:
    async with await Chatter.connect(server.host, server.port, "luis") as chatter:
        await chatter.join("#padres")
        yield chatter


async def test_what_is_said_is_heard_by_the_others_only(ana: Chatter, luis: Chatter) -> None:
    await ana.say("#padres", "¿Qué tal?")
    line = await luis.heard("¿Qué tal?")
    assert (line.nick, line.command, line.target) == ("ana", "PRIVMSG", "#padres")
    await luis.notice("#Padres", "bien")
    assert (await ana.heard("bien")).command == "NOTICE"
    assert not [each for each in ana.received if each.command == "PRIVMSG"]


async def test_an_action_arrives_as_one(ana: Chatter, luis: Chatter) -> None:
    await ana.act("#padres", "saluda")
    assert (await luis.heard("saluda")).text == "\x01ACTION saluda\x01"


async def test_a_founder_operates_the_channel(ana: Chatter, luis: Chatter) -> None:
    assert await luis.names("#padres") == {"ana": "@", "luis": ""}
    await luis.send("MODE #padres +o luis")
    await luis.wait_for(lambda line: line.command == "482")
    await ana.send("MODE #padres +o luis")
    changed = await luis.wait_for(lambda line: line.command == "MODE" and line.target == "#padres")
    assert changed.params[1:] == ("+o", "luis")
    assert (await ana.names("#padres"))["luis"] == "@"


async def test_the_modes_of_a_channel_can_be_asked(ana: Chatter) -> None:
    await ana.send("MODE #padres +t")
    await ana.wait_for(lambda line: line.command == "MODE" and "+t" in line.params)
    await ana.send("MODE #padres")
    answer = await ana.wait_for(lambda line: line.command == "324")
    assert answer.params[:2] == ("ana", "#padres")
    assert "t" in answer.params[2]


async def test_a_locked_topic_is_for_operators(ana: Chatter, luis: Chatter) -> None:
    await luis.topic("#padres", "all may")
    assert (await ana.wait_for(lambda line: line.command == "TOPIC")).text == "all may"
    await ana.send("MODE #padres +t")
    await luis.wait_for(lambda line: line.command == "MODE" and "+t" in line.params)
    await luis.topic("#padres", "not me")
    await luis.wait_for(lambda line: line.command == "482")


async def test_who_comes_later_is_told_the_topic(server: IrcServer, ana: Chatter) -> None:
    await ana.topic("#padres", "Hoy: fútbol")
    await ana.wait_for(lambda line: line.command == "TOPIC")
    async with await Chatter.connect(server.host, server.port, "eva") as eva:
        await eva.join("#padres")
        assert (await eva.wait_for(lambda line: line.command == "332")).text == "Hoy: fútbol"


async def test_comings_and_goings_are_seen(server: IrcServer, ana: Chatter, luis: Chatter) -> None:
    await ana.wait_for(lambda line: line.command == "JOIN" and line.nick == "luis")
    await luis.rename("Luis2")
    await ana.wait_for(lambda line: line.command == "NICK" and line.text == "Luis2")
    await luis.part("#padres", "later")
    parted = await ana.wait_for(lambda line: line.command == "PART")
    assert (parted.nick, parted.target) == ("Luis2", "#padres")
    await luis.join("#padres")
    await luis.drop()
    await ana.wait_for(lambda line: line.command == "QUIT" and line.nick == "Luis2")


async def test_somebody_can_be_put_out(ana: Chatter, luis: Chatter) -> None:
    await ana.send("KICK #padres luis :enough")
    line = await luis.wait_for(lambda line: line.command == "KICK")
    assert line.params == ("#padres", "luis", "enough")
    assert await ana.names("#padres") == {"ana": "@"}


async def test_a_nick_in_use_is_refused_whatever_its_case(server: IrcServer, ana: Chatter) -> None:
    with pytest.raises(IrcRefused, match="433"):
        await Chatter.connect(server.host, server.port, "ANA")


async def test_who_is_outside_cannot_send_but_can_look(server: IrcServer, ana: Chatter) -> None:
    await ana.send("MODE #padres +n")
    async with await Chatter.connect(server.host, server.port, "stranger") as stranger:
        await stranger.say("#padres", "hello?")
        await stranger.wait_for(lambda line: line.command == "404")
        await stranger.send("LIST")
        listed = await stranger.wait_for(lambda line: line.command == "322")
        assert listed.params[1:3] == ("#padres", "1")


async def test_isupport_and_ping_answer_as_servers_do(ana: Chatter) -> None:
    await ana.wait_for(
        lambda line: line.command == "005" and any(word.startswith("CHANTYPES=") for word in line.params)
    )
    await ana.send("PING :token-7")
    assert (await ana.wait_for(lambda line: line.command == "PONG")).text == "token-7"


async def test_a_line_is_cut_where_servers_cut(ana: Chatter, luis: Chatter) -> None:
    await ana.say("#padres", "x" * 490)
    heard = await luis.heard("xxx")
    assert len(heard.raw) == 510
    await ana.say("#padres", "still there")
    await luis.heard("still there")


async def test_a_crash_ends_connections_and_the_port_serves_again(server: IrcServer, ana: Chatter) -> None:
    await server.kill()
    await ana.wait_for_end()
    await server.start()
    async with await Chatter.connect(server.host, server.port, "ana") as again:
        await again.join("#padres")
        assert await again.names("#padres") == {"ana": "@"}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (":ana!a@b PRIVMSG #x :a b :c", ("ana", "PRIVMSG", ("#x", "a b :c"))),
        ("@time=1;msgid=2 :s 353 me = #x :@a b", ("s", "353", ("me", "=", "#x", "@a b"))),
        ("PING :t", ("", "PING", ("t",))),
        (":s 324 me #x +nt", ("s", "324", ("me", "#x", "+nt"))),
    ],
)
def test_lines_are_read_as_the_protocol_says(raw: str, expected: tuple[str, str, tuple[str, ...]]) -> None:
    line = Line.of(raw)
    assert (line.nick, line.command, line.params) == expected

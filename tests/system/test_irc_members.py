"""A connection for each member who speaks, on InspIRCd: their nicks, their limits, their ends; and what the channel's operators do to us."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.message import Kind, Message, plain, spans
from bridge.networks import irc_members
from bridge.networks.acts import Outgoing, Say, Sender
from bridge.networks.events import ChatGone, Joined, Left, Said
from embedded.chatter import Line
from embedded.inspircd import Inspircd, inspircd_program
from embedded.irc import IrcServer
from haven.errors import Refused
from haven.ids import UserId
from tests.contracts.network import ALICE, always, patiently
from tests.system.irc_world import IrcWorld, irc_world

pytestmark = pytest.mark.system

BEN = Sender(UserId("@ben:example.org"), "Bén Ω")
NOBODY = Sender(UserId("@юля:example.org"), "Юля")


@pytest.fixture
async def world(inspircd: IrcServer) -> AsyncIterator[IrcWorld]:
    async with irc_world(inspircd, members="own") as world:
        yield world


async def say(
    world: IrcWorld, text: str, sender: Sender = ALICE, key: str = "k", kind: Kind = Kind.TEXT
) -> None:
    await world.network.send(Outgoing(key, world.chat, sender, Say(Message(spans(text), kind))), always)


async def seen(world: IrcWorld, text: str) -> Line:
    """What the founder sees, once it is there."""
    return await world.founder.wait_for(lambda line: line.command == "PRIVMSG" and line.text == text)


async def gone(world: IrcWorld, nick: str, after: int = 0) -> None:
    await world.founder.wait_for(lambda line: line.command == "QUIT" and line.nick == nick, after=after)


async def test_everybody_speaks_under_a_nick_of_their_own_and_is_not_heard_as_somebody_else(
    world: IrcWorld,
) -> None:
    await world.join("bob")
    await say(world, "I am Alice")
    await say(world, "and I am Ben", BEN)
    await say(world, "waves", kind=Kind.ACTION)
    await say(world, "no letter fits", NOBODY)
    assert (await seen(world, "I am Alice")).nick == "Alice[m]"
    assert (await seen(world, "and I am Ben")).nick == "Ben[m]"
    assert (await seen(world, "\x01ACTION waves\x01")).nick == "Alice[m]"
    assert (await seen(world, "no letter fits")).nick == "member[m]"
    await world.speak("bob", "hello all")
    await world.log.wait(Said)
    assert [plain(event.message.text) for event in world.log.events if isinstance(event, Said)] == [
        "hello all"
    ]
    names = {event.person.name for event in world.log.events if isinstance(event, Joined)}
    assert names == {world.founder.nick, "bob"}
    assert {person.name for person in await world.irc.members(world.chat)} == {world.founder.nick, "bob"}


async def test_a_nick_follows_the_name(world: IrcWorld) -> None:
    await say(world, "first")
    await say(world, "second", Sender(ALICE.user, "Alice in Chains"))
    assert (await seen(world, "second")).nick == "Alice_in_Chains[m]"
    assert [line for line in world.founder.received if line.command == "QUIT" and "[m]" in line.nick] == []


async def test_a_taken_nick_gets_a_tail(world: IrcWorld) -> None:
    await world.join("Alice[m]")
    await say(world, "not that Alice")
    assert (await seen(world, "not that Alice")).nick == "Alice[m]_"
    await world.speak("Alice[m]", "the other one")
    assert (await world.log.wait(Said)).person.name == "Alice[m]"


async def test_who_finds_no_connection_free_speaks_through_the_bridge(inspircd: IrcServer) -> None:
    async with irc_world(inspircd, members="own", member_limit=1) as world:
        await say(world, "my own")
        await say(world, "one\ntwo", BEN)
        await say(world, "waves", BEN, kind=Kind.ACTION)
        assert (await seen(world, "my own")).nick == "Alice[m]"
        for text in ("<Bén Ω> one", "two", "* Bén Ω waves"):
            assert (await seen(world, text)).nick.startswith("haven")


async def test_a_long_silent_connection_makes_room(
    inspircd: IrcServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(irc_members, "REST", 0.0)
    async with irc_world(inspircd, members="own", member_limit=1) as world:
        await say(world, "my own")
        await say(world, "and mine", BEN)
        assert (await seen(world, "and mine")).nick == "Ben[m]"
        await gone(world, "Alice[m]")


async def test_silent_connections_are_closed_and_opened_again(inspircd: IrcServer) -> None:
    async with irc_world(inspircd, members="own", member_idle=0.2) as world:
        await say(world, "my own")
        await gone(world, "Alice[m]")
        await say(world, "again", key="k2")
        assert (await seen(world, "again")).nick == "Alice[m]"
        assert not [event for event in world.log.events if isinstance(event, Left)]


async def test_a_server_that_takes_no_more_connections_is_no_hindrance(tmp_path: Path) -> None:
    if inspircd_program() is None:
        pytest.skip("inspircd is not installed")
    async with Inspircd(tmp_path, clones=3) as server, irc_world(server, members="own") as world:
        await say(world, "my own")
        await say(world, "refused", BEN)
        assert (await seen(world, "my own")).nick == "Alice[m]"
        assert (await seen(world, "<Bén Ω> refused")).nick.startswith("haven")


async def test_a_lost_connection_is_opened_anew(world: IrcWorld) -> None:
    await say(world, "first")
    mark = world.founder.mark
    await world.founder.send("OPER warden warden")
    await world.founder.send("KILL Alice[m] :out")
    await gone(world, "Alice[m]", after=mark)
    await patiently(lambda: say(world, "second", key="k2"))
    assert (await seen(world, "second")).nick == "Alice[m]"
    assert not [event for event in world.log.events if isinstance(event, Left | Said)]


async def test_the_bridge_is_no_way_around_a_ban(world: IrcWorld) -> None:
    await say(world, "first")
    await world.founder.send(f"KICK {world.chat} Alice[m] :enough")
    await world.founder.wait_for(lambda line: line.command == "KICK")
    await patiently(lambda: say(world, "sorry", key="k2"))
    assert (await seen(world, "sorry")).nick == "Alice[m]"
    await world.founder.send(f"MODE {world.chat} +b Alice[m]!*@*")
    await world.founder.send(f"KICK {world.chat} Alice[m] :for good")
    await world.founder.wait_for(lambda line: line.command == "KICK" and line.text == "for good")
    with pytest.raises(Refused) as refused:
        await patiently(lambda: say(world, "let me in", key="k3"))
    assert refused.value.values["reason"] == "banned"
    await say(world, "not me", BEN, key="k4")
    assert (await seen(world, "not me")).nick == "Ben[m]"


async def test_a_closed_channel_lets_strangers_speak_through_the_bridge_alone(world: IrcWorld) -> None:
    await world.founder.send(f"MODE {world.chat} +i")
    await world.founder.wait_for(lambda line: line.command == "MODE" and "+i" in line.params)
    await say(world, "may I?")
    assert (await seen(world, "<Alice> may I?")).nick.startswith("haven")


@pytest.mark.parametrize("members", ["shared", "own"])
async def test_a_kicked_bridge_comes_back_and_a_banned_one_says_so(inspircd: IrcServer, members: str) -> None:
    async with irc_world(inspircd, members=members) as world:
        ours = world.connection.nick
        await world.founder.send(f"KICK {world.chat} {ours} :shoo")
        await world.founder.wait_for(
            lambda line: line.command == "JOIN" and line.nick == ours, after=world.founder.mark
        )
        await patiently(lambda: world.network.open(world.chat))
        await world.founder.send(f"MODE {world.chat} +b {ours}!*@*")
        await world.founder.send(f"KICK {world.chat} {ours} :shoo")
        assert (await world.log.wait(ChatGone)).reason == "banned"


async def test_characters_are_never_cut_and_all_arrive(world: IrcWorld) -> None:
    text = "👩‍👩‍👧‍👦🇨🇿é" * 120
    await say(world, text)
    heard = ""
    mark = 0
    while len(heard) < len(text):
        line = await world.founder.wait_for(lambda line: line.command == "PRIVMSG", after=mark)
        mark = world.founder.received.index(line) + 1
        heard += line.text
    assert heard == text


async def test_the_flood_limits_of_a_strict_server_are_kept(tmp_path: Path) -> None:
    if inspircd_program() is None:
        pytest.skip("inspircd is not installed")
    async with Inspircd(tmp_path, strict=True) as server, irc_world(server, rate=2.5, burst=2) as world:
        await say(world, "\n".join(f"line {number}" for number in range(20)))
        await seen(world, "line 19")
        assert len(world.from_us()) == 20

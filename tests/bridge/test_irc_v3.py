"""IRCv3 against a server that does as it is told: capabilities that change, messages in doubt, servers that lose each other."""

import asyncio
from collections.abc import Callable

import pytest

from bridge.message import Message, plain, spans
from bridge.networks import irc
from bridge.networks.acts import Delete, Outgoing, Receipt, Say
from bridge.networks.base import Place
from bridge.networks.events import ConnectionState, Joined, Left, Said
from bridge.networks.irc import IrcNetwork
from bridge.networks.irc_capabilities import Negotiation
from bridge.networks.irc_connection import IrcConnection
from bridge.networks.irc_tags import part_mark
from embedded.waiting import eventually
from haven.errors import Invalid, TryLater
from haven.ids import RemoteMessageId
from tests.bridge.irc_scripts import CHAT, ENTERED, GREETING, Script, Server, network_on, running, until
from tests.contracts.network import ALICE, always, patiently

OFFER = "message-tags server-time echo-message batch draft/chathistory draft/message-redaction"
US = ":haven!~haven@h"


async def greet(server: Server, offer: str = OFFER) -> None:
    """Let the bridge in, with these capabilities, into the channel."""
    await server.expect("USER")
    server.say(f":s CAP * LS :{offer}")
    server.say(f":s CAP * ACK :{(await server.expect('CAP REQ :')).partition(':')[2]}")
    await server.expect("CAP END")
    server.say(*GREETING)
    await server.expect("JOIN")
    server.say(*ENTERED)


def outgoing(text: str = "hello") -> Outgoing:
    return Outgoing("$event", CHAT, ALICE, Say(Message(spans(text))))


def test_what_a_server_takes_back_and_offers_anew_is_followed() -> None:
    talk = Negotiation()
    talk.listed("echo-message sasl=PLAIN")
    assert talk.wish() == "echo-message"
    talk.granted("echo-message")
    assert list(talk.changed("NEW", "message-tags=x unknown")) == ["CAP REQ :message-tags"]
    assert list(talk.changed("ACK", "message-tags")) == []
    assert talk.held == {"echo-message", "message-tags"}
    assert list(talk.changed("NEW", "message-tags")) == []
    assert list(talk.changed("DEL", "echo-message")) == []
    talk.granted("-message-tags")
    assert talk.held == set()


async def test_capabilities_change_with_the_connection() -> None:
    told = asyncio.Event()

    async def fickle(server: Server) -> None:
        await greet(server)
        server.say("@msgid=m1 :ada!a@h PRIVMSG #fathers :hello")
        await told.wait()
        server.say(":s CAP haven DEL :draft/message-redaction echo-message")
        await server.pongs()

    async with network_on(fickle) as network, running(network) as log:
        await patiently(lambda: network.open(CHAT))
        await log.wait(Said)
        can = network.capabilities
        assert (can.replies, can.reactions, can.deletions, can.history) == (True, True, True, True)
        told.set()

        async def changed() -> bool:
            return not network.capabilities.deletions

        await eventually(changed, "the capability is gone")
        assert not network.capabilities.replies
        with pytest.raises(Invalid):
            await network.send(Outgoing("$event", CHAT, ALICE, Delete(RemoteMessageId("m1"))), always)


async def test_a_server_that_denies_tags_is_not_asked_to_hand_them_on() -> None:
    lines: list[str] = []

    async def stern(server: Server) -> None:
        await server.expect("USER")
        server.say(":s CAP * LS :message-tags echo-message")
        await server.expect("CAP REQ :")
        server.say(":s CAP * ACK :message-tags echo-message")
        await server.expect("CAP END")
        server.say(GREETING[0], ":s 005 haven CLIENTTAGDENY=*,-draft/reply :are supported", GREETING[1])
        await server.expect("JOIN")
        server.say(*ENTERED, "@msgid=m1 :ada!a@h PRIVMSG #fathers :hello")
        lines.append(await server.expect("PRIVMSG"))
        await server.pongs()

    async with network_on(stern) as network, running(network) as log:
        await patiently(lambda: network.open(CHAT))
        await log.wait(Said)
        assert (network.capabilities.replies, network.capabilities.reactions) == (True, False)
        async with asyncio.timeout(30):
            await network.send(outgoing(), always)
        assert lines == ["PRIVMSG #fathers :hello"]


def losing(history: Callable[[str], list[str]]) -> tuple[Script, Script]:
    """Two scripts: one that breaks when a message has come, and one that remembers ``history``, given the mark of the message."""

    async def breaks(server: Server) -> None:
        await greet(server)
        await server.expect("@")

    async def remembers(server: Server) -> None:
        await greet(server)
        await server.expect("CHATHISTORY AFTER")
        server.say(":s PONG s")
        await server.expect("CHATHISTORY LATEST")
        server.say(":s BATCH +1 chathistory #fathers", *history(part_mark("$event", 0)), ":s BATCH -1")
        await server.pongs()

    return breaks, remembers


async def sent(network: IrcNetwork) -> Receipt:
    await patiently(lambda: network.open(CHAT))
    async with asyncio.timeout(30):
        return await network.send(outgoing(), always)


async def test_a_message_in_doubt_that_arrived_is_known_by_its_id() -> None:
    def history(mark: str) -> list[str]:
        return [f"@batch=1;msgid=m7;+haven.chat/part={mark} {US} PRIVMSG #fathers :hello"]

    async with network_on(*losing(history)) as network, running(network):
        assert await sent(network) == Receipt(((0, RemoteMessageId("m7")),))


async def test_a_message_in_doubt_that_did_not_arrive_is_sent_again() -> None:
    def history(_mark: str) -> list[str]:
        return ["@batch=1;msgid=m6;time=2020-01-01T00:00:00.000Z :ada!a@h PRIVMSG #fathers :earlier"]

    async with network_on(*losing(history)) as network, running(network):
        with pytest.raises(TryLater):
            await sent(network)


async def test_what_the_server_does_not_tell_stays_in_doubt() -> None:
    def history(_mark: str) -> list[str]:
        return [":s FAIL CHATHISTORY MESSAGE_ERROR LATEST #fathers :not now"]

    async with network_on(*losing(history)) as network, running(network):
        assert await sent(network) == Receipt()


async def test_what_happens_while_the_past_is_told_comes_after_it() -> None:
    async def slow(server: Server) -> None:
        await greet(server)
        assert await server.expect("CHATHISTORY AFTER #fathers msgid=m1 ")
        server.say(
            "@msgid=m4 :ada!a@h PRIVMSG #fathers :live",
            ":s BATCH +1 chathistory #fathers",
            "@batch=1;msgid=m2 :ada!a@h PRIVMSG #fathers :missed",
            f"@batch=1;msgid=m3;+haven.chat/part=x {US} PRIVMSG #fathers :ours",
            "@batch=1 :ada!a@h JOIN #fathers",
            ":s BATCH -1",
            ":s PONG s",
        )
        assert await server.expect("CHATHISTORY AFTER #fathers ")
        server.say(":s PONG s")
        await server.pongs()

    async with network_on(slow) as network, running(network) as log:
        await patiently(lambda: network.open(CHAT, Place(RemoteMessageId("m1"), 0)))
        await log.wait(Said, lambda event: event.id == "m4")
        said = [plain(event.message.text) for event in log.events if isinstance(event, Said)]
        assert said == ["missed", "live"]


async def test_a_server_that_forgot_the_message_is_asked_by_time() -> None:
    asked: list[str] = []

    async def forgetful(server: Server) -> None:
        await greet(server)
        asked.append(await server.expect("CHATHISTORY"))
        server.say(":s FAIL CHATHISTORY INVALID_PARAMS AFTER #fathers :no such message", ":s PONG s")
        asked.append(await server.expect("CHATHISTORY"))
        await server.pongs()

    async with network_on(forgetful) as network, running(network):
        await patiently(lambda: network.open(CHAT, Place(RemoteMessageId("m1"), 86_400_000)))

        async def twice() -> bool:
            return len(asked) == 2

        await eventually(twice, "the server is asked again")
    assert asked[1] == "CHATHISTORY AFTER #fathers timestamp=1970-01-02T00:00:00.000Z 100"


async def test_who_is_cut_off_by_a_split_of_servers_has_not_left_unless_they_stay_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(irc, "SPLIT_PATIENCE", 0.2)

    async def splitting(server: Server) -> None:
        await greet(server)
        server.say(
            ":ada!a@h QUIT :hub.example.org leaf.example.org",
            ":ben!b@h QUIT :hub.example.org leaf.example.org",
            ":ada!a@h JOIN #fathers",
        )
        await server.pongs()

    async with network_on(splitting) as network, running(network) as log:
        await patiently(lambda: network.open(CHAT))
        await until(log, ConnectionState.CONNECTED)
        assert (await log.wait(Left)).person.name == "ben"
        assert {event.person.id for event in log.events if isinstance(event, Joined)} == {
            "nick:ada",
            "nick:ben",
        }
        assert [event.person.name for event in log.events if isinstance(event, Left)] == ["ben"]


FIRST = f"@batch=1;msgid=m1;+haven.chat/part={part_mark('$event', 0)} {US} PRIVMSG #fathers :one"


async def breaks_at_the_second(server: Server) -> None:
    await greet(server)
    await server.expect("@")
    server.say(f"@msgid=m1 {US} PRIVMSG #fathers :one")
    await server.expect("@")


async def test_what_broke_in_the_middle_goes_on_where_nothing_is_said_twice() -> None:
    """The first line arrived, the second did not, the third was not written: the second is written, the third comes with the next try."""
    got: list[str] = []

    async def remembers(server: Server) -> None:
        await greet(server)
        await server.expect("CHATHISTORY AFTER")
        server.say(":s PONG s")
        await server.expect("CHATHISTORY LATEST")
        server.say(":s BATCH +1 chathistory #fathers", FIRST, ":s BATCH -1", ":s PONG s")
        got.append((await server.expect("@")).partition(" ")[2])
        await server.pongs()

    claimed: list[int] = []

    async with network_on(breaks_at_the_second, remembers) as network, running(network):
        await patiently(lambda: network.open(CHAT))
        assert network._now is not None
        connection = network._now.connection

        async def claim(part: int) -> bool:
            if part == 2:  # by now the connection is gone
                await until_lost(connection)
            claimed.append(part)
            return True

        with pytest.raises(TryLater):
            await network.send(outgoing("one\ntwo\nthree"), claim)
    assert claimed == [0, 1, 2]
    assert got == ["PRIVMSG #fathers :two"]


async def until_lost(connection: IrcConnection) -> None:
    async def lost() -> bool:
        return not connection.connected

    await eventually(lost, "the connection is lost")

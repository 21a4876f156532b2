"""What IRCv3 adds, on servers that have it: InspIRCd, and the Python server for what InspIRCd lacks."""

from collections.abc import AsyncIterator

import pytest

from bridge.message import Message, Reply, plain, spans
from bridge.networks.acts import Act, Delete, Outgoing, React, Receipt, Say
from bridge.networks.base import LooksUp, Place
from bridge.networks.events import Deleted, Reacted, Said
from embedded.chatter import Chatter, Line
from embedded.irc import IrcServer
from haven.errors import Invalid, Missing, Refused, TryLater
from haven.ids import RemoteMessageId
from tests.contracts.network import ALICE, always
from tests.system.irc_world import IrcWorld, irc_world

pytestmark = pytest.mark.system


@pytest.fixture(params=["InspIRCd", "the Python server"])
async def world(
    request: pytest.FixtureRequest, inspircd: IrcServer, irc_with_history: IrcServer
) -> AsyncIterator[IrcWorld]:
    server = inspircd if request.param == "InspIRCd" else irc_with_history
    async with irc_world(server) as world:
        await tagged(world.founder)
        yield world


@pytest.fixture
async def past(irc_with_history: IrcServer) -> AsyncIterator[IrcWorld]:
    """On the server that keeps history and lets messages be taken back."""
    async with irc_world(irc_with_history) as world:
        await tagged(world.founder)
        await world.founder.ask_for("draft/message-redaction")
        yield world


async def tagged(chatter: Chatter) -> None:
    await chatter.ask_for("message-tags server-time")


async def do(world: IrcWorld, act: Act, key: str = "k") -> Receipt:
    return await world.network.send(Outgoing(key, world.chat, ALICE, act), always)


async def say(world: IrcWorld, text: str, key: str = "k", reply: RemoteMessageId | None = None) -> Receipt:
    parent = Reply(reply, "bob", "what bob said") if reply else None
    return await do(world, Say(Message(spans(text), reply=parent)), key)


async def seen(world: IrcWorld, command: str, text: str = "") -> Line:
    """What the founder sees of the bridge."""
    return await world.founder.wait_for(
        lambda line: line.nick.startswith("haven") and line.command == command and text in line.text
    )


async def test_what_we_say_has_the_ids_that_others_see(world: IrcWorld) -> None:
    receipt = await say(world, "one\ntwo")
    ids = [(await seen(world, "PRIVMSG", text)).tags["msgid"] for text in ("one", "two")]
    assert receipt.messages == ((0, ids[0]), (1, ids[1]))


async def test_the_capabilities_are_those_of_the_server(world: IrcWorld, past: IrcWorld) -> None:
    await say(world, "the first id")
    await say(past, "the first id")
    can = world.network.capabilities
    assert (can.replies, can.reactions, can.edits, can.sends_as_person) == (True, True, False, False)
    assert (past.network.capabilities.deletions, past.network.capabilities.history) == (True, True)


async def test_servers_without_ircv3_are_only_told(ngircd: IrcServer) -> None:
    async with irc_world(ngircd) as world:
        assert (await say(world, "hello")).messages == ()
        can = world.network.capabilities
        assert (can.replies, can.reactions, can.deletions, can.history) == (False, False, False, False)
        with pytest.raises(Invalid):
            await do(world, React(RemoteMessageId("x"), "👍"))


async def test_replies_go_both_ways(world: IrcWorld) -> None:
    receipt = await say(world, "a question")
    ours = receipt.messages[0][1]
    await world.founder.send(f"@+draft/reply={ours} PRIVMSG {world.chat} :an answer")
    answer = await world.log.wait(Said)
    assert answer.message.reply == Reply(ours)
    assert answer.at is not None
    await say(world, "thanks", "k2", answer.id)
    thanks = await seen(world, "PRIVMSG", "thanks")
    quote = await seen(world, "PRIVMSG", "what bob said")
    assert quote.tags["+draft/reply"] == answer.id
    assert "+draft/reply" not in thanks.tags


async def test_reactions_go_both_ways_and_are_taken_back(world: IrcWorld) -> None:
    receipt = await say(world, "a nice day")
    ours = receipt.messages[0][1]
    await world.founder.send(f"@+draft/reply={ours};+draft/react=👍 TAGMSG {world.chat}")
    put = await world.log.wait(Reacted)
    assert (put.target, put.key, put.removed) == (ours, "👍", False)
    await world.founder.send(f"@+draft/reply={ours};+draft/unreact=👍 TAGMSG {world.chat}")
    assert (await world.log.wait(Reacted, lambda event: event.removed)).key == "👍"
    await do(world, React(ours, "🌧️"), "k2")
    line = await seen(world, "TAGMSG")
    assert (line.tags["+draft/react"], line.tags["+draft/reply"]) == ("🌧️", ours)
    mark = world.founder.mark
    await do(world, React(ours, "🌧️", removed=True), "k3")
    line = await world.founder.wait_for(lambda line: line.command == "TAGMSG", after=mark)
    assert line.tags["+draft/unreact"] == "🌧️"


async def test_what_is_taken_back_is_taken_back_on_both_sides(past: IrcWorld) -> None:
    ours = (await say(past, "one\ntwo")).messages
    await do(past, Delete(ours[0][1], (ours[1][1],)), "k2")
    await past.founder.wait_for(lambda line: line.command == "REDACT" and line.params[1] == ours[1][1])
    gone = [line.params[1] for line in past.founder.received if line.command == "REDACT"]
    assert gone == [message for _, message in ours]
    await past.founder.say(past.chat, "theirs")
    theirs = await past.log.wait(Said)
    await past.founder.send(f"REDACT {past.chat} {theirs.id} :a typing error")
    assert (await past.log.wait(Deleted)).target == theirs.id


async def test_what_cannot_be_taken_back_is_said_so(past: IrcWorld) -> None:
    await say(past, "the first id")
    with pytest.raises(Missing):
        await do(past, Delete(RemoteMessageId("never-was")))
    with pytest.raises(Missing):
        await do(past, Delete(RemoteMessageId("~made-by-us")))
    await past.join("bob")
    await past.founder.send(f"MODE {past.chat} -o {past.founder.nick}")
    await past.speak("bob", "mine alone")
    theirs = await past.log.wait(Said)
    with pytest.raises(Refused):
        await do(past, Delete(theirs.id))


async def test_what_is_said_around_a_broken_connection_is_said_once_and_in_order(past: IrcWorld) -> None:
    await past.join("bob")
    for number in range(12):
        if number == 4:
            await past.drop()
        await past.speak("bob", f"line {number}")
    await past.log.wait(Said, lambda event: plain(event.message.text) == "line 11")
    said = [event for event in past.log.events if isinstance(event, Said)]
    ids = list(dict.fromkeys(event.id for event in said))
    words = {event.id: plain(event.message.text) for event in said}
    assert [words[message] for message in ids] == [f"line {number}" for number in range(12)]


async def test_more_than_a_page_of_history_is_read_to_its_end(past: IrcWorld) -> None:
    await past.join("bob")
    await past.speak("bob", "known")
    await past.log.wait(Said)
    await past.network.close(past.chat)
    for number in range(120):
        await past.people["bob"].say(past.chat, f"line {number}")
    await past.speak("bob", "the last")
    before = len(past.log.events)
    known = next(event for event in past.log.events if isinstance(event, Said))
    await past.irc.open(past.chat, Place(known.id, known.at or 0))
    await past.log.wait(Said, lambda event: plain(event.message.text) == "the last", after=before)
    said = [plain(event.message.text) for event in past.log.events[before:] if isinstance(event, Said)]
    assert said == [*(f"line {number}" for number in range(120)), "the last"]


async def test_what_was_sent_in_an_earlier_life_is_found_again_also_far_back(past: IrcWorld) -> None:
    assert isinstance(past.network, LooksUp)
    outgoing = Outgoing("$event", past.chat, ALICE, Say(Message(spans("one\ntwo"))))

    async def first_only(part: int) -> bool:
        if part:
            raise TryLater("unreachable")
        return True

    with pytest.raises(TryLater):
        await past.network.send(outgoing, first_only)
    line = await seen(past, "PRIVMSG", "one")
    for number in range(110):
        await past.founder.say(past.chat, f"line {number}")
    await past.log.wait(Said, lambda event: plain(event.message.text) == "line 109")
    assert await past.network.sent(outgoing, 0) == line.tags["msgid"]
    assert await past.network.sent(outgoing, 1) is None

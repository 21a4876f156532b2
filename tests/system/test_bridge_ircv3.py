"""The bridge with IRC servers that speak IRCv3: InspIRCd, where members have connections of their own, and one with a history."""

from collections.abc import AsyncIterator
from functools import partial

import pytest

from embedded.chatter import Chatter
from embedded.inspircd import Inspircd, inspircd_program
from embedded.irc import PythonIrc
from tests.system.bridge_world import CHANNEL, World, world

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
async def own() -> AsyncIterator[World]:
    """On InspIRCd, each member with a connection."""
    if inspircd_program() is None:
        pytest.skip("inspircd is not installed")
    async with world(Inspircd, irc_settings={"members": "own"}) as everything:
        await everything.oscar.ask_for("message-tags")
        await everything.link()
        yield everything


@pytest.fixture(scope="module")
async def past() -> AsyncIterator[World]:
    """On the server that keeps history and lets messages be taken back."""
    async with world(partial(PythonIrc, version3=True)) as everything:
        await everything.oscar.ask_for("message-tags draft/message-redaction")
        await everything.link()
        yield everything


async def test_members_speak_as_themselves_and_reactions_and_replies_find_their_messages(own: World) -> None:
    said = await own.alice.say(own.room, "what a day")
    line = await own.oscar.heard("what a day")
    assert (line.nick, line.text) == ("Alice[m]", "what a day")
    message = line.tags["msgid"]
    await own.oscar.send(f"@+draft/reply={message};+draft/react=🌞 TAGMSG {CHANNEL}")
    reaction = await own.alice.wait_for(own.room, lambda event: event.type == "m.reaction")
    assert reaction.content["m.relates_to"] == {"rel_type": "m.annotation", "event_id": said, "key": "🌞"}
    await own.oscar.send(f"@+draft/reply={message} PRIVMSG {CHANNEL} :indeed")
    (answer,) = await own.texts(1, lambda event: "indeed" in event.body)
    assert answer.content["m.relates_to"]["m.in_reply_to"]["event_id"] == said
    await own.alice.react(own.room, answer.id, "🌧️")
    tag = await own.oscar.wait_for(lambda line: line.command == "TAGMSG")
    assert (tag.nick, tag.tags["+draft/react"]) == ("Alice[m]", "🌧️")
    await own.alice.reply(own.room, answer.id, "not here")
    quote = await own.oscar.heard("> oscar: indeed")
    assert quote.tags["+draft/reply"] == tag.tags["+draft/reply"]
    assert (await own.oscar.heard("not here")).nick == "Alice[m]"
    assert not [
        event
        for event in await own.history()
        if event.sender.startswith("@_haven") and event.body == "not here"
    ]


async def test_who_is_banned_on_matrix_is_banned_on_irc_where_the_bridge_is_an_operator(own: World) -> None:
    ours = next(nick for nick in await own.oscar.names(CHANNEL) if nick.startswith("haven"))
    await own.oscar.send(f"MODE {CHANNEL} +o {ours}")
    async with await Chatter.connect(own.irc.host, own.irc.port, "mallory") as mallory:
        await mallory.join(CHANNEL)
        await mallory.say(CHANNEL, "buy my things")
        (spam,) = await own.texts(1, lambda event: event.body == "buy my things")
        await own.alice.ban(own.room, spam.sender)
        kick = await own.oscar.wait_for(lambda line: line.command == "KICK" and line.params[1] == "mallory")
        assert kick.nick == ours
        await mallory.send(f"JOIN {CHANNEL}")
        await mallory.wait_for(lambda line: line.command == "474")


async def test_what_is_taken_back_is_taken_back_on_the_other_side(past: World) -> None:
    event = await past.alice.say(past.room, "a mistake\nof two lines")
    lines = [await past.oscar.heard(text) for text in ("a mistake", "of two lines")]
    await past.alice.redact(past.room, event)
    await past.oscar.wait_for(
        lambda line: line.command == "REDACT" and line.params[1] == lines[1].tags["msgid"]
    )
    async with await Chatter.connect(past.irc.host, past.irc.port, "rita") as rita:
        await rita.join(CHANNEL)
        await rita.ask_for("message-tags echo-message")
        await rita.say(CHANNEL, "my mistake")
        (mistake,) = await past.texts(1, lambda event: event.body == "my mistake")
        await rita.send(f"REDACT {CHANNEL} {(await rita.heard('my mistake')).tags['msgid']}")
        gone = await past.alice.wait_for(
            past.room, lambda event: event.type == "m.room.redaction", after=mistake.id
        )
        assert gone.sender == mistake.sender


async def test_what_was_said_while_the_bridge_was_away_is_said_when_it_is_back(past: World) -> None:
    await past.oscar.say(CHANNEL, "before")
    await past.texts(1, lambda event: event.body == "before")
    await past.alice.say(past.room, "mine")
    await past.oscar.heard("<Alice> mine")
    await past.bridge.kill()
    for number in range(5):
        await past.oscar.say(CHANNEL, f"meanwhile {number}")
    await past.oscar.names(CHANNEL)
    await past.bridge.start()
    await past.status("linked")
    await past.oscar.say(CHANNEL, "and after")
    await past.texts(1, lambda event: event.body == "and after")
    said = [event.body for event in await past.history() if event.sender.startswith("@_haven_irc_")]
    assert said[said.index("before") :] == [
        "before",
        *(f"meanwhile {number}" for number in range(5)),
        "and after",
    ]

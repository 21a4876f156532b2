"""One of each kind of thing that people send, both ways, between a real Synapse and the network in memory."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bridge.message import (
    Attachment,
    Contact,
    Gathering,
    Location,
    MediaKind,
    Mention,
    Message,
    Poll,
    Reply,
    Span,
    Style,
    spans,
)
from bridge.networks.acts import Act, ClosePoll, Delete, Edit, React, Say, Vote
from haven.ids import RemoteMessageId
from tests.system.memory_world import CHAT, World, world

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]
POLL = "org.matrix.msc3381.poll"
LUNCH = Poll("Lunch?", ("Soup", "Fish"))
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x07\0\0\0\x09" + bytes(20)


@pytest.fixture(scope="module")
async def here() -> AsyncIterator[World]:
    async with world() as everything:
        await everything.link()
        yield everything


def said(act: Act) -> Message | None:
    """What is said by an act; ``None`` for all other acts."""
    return act.message if isinstance(act, Say) else None


def words(act: Act) -> str:
    """The last words that an act says."""
    message = said(act)
    return message.text[-1].text if message and message.text else ""


async def say(here: World, message: Message | str) -> RemoteMessageId:
    """Oscar says something."""
    return await here.town.speak(CHAT, here.oscar, message)


async def ours(here: World) -> RemoteMessageId:
    """Alice says something; what the network calls it."""
    await here.alice.say(here.room, "mine")
    await here.done(lambda act: words(act) == "mine")
    return next(part.id for part in here.town.chat(CHAT).heard if words(part.outgoing.act) == "mine")


async def test_words_and_what_happens_to_them(here: World) -> None:
    mine = await ours(here)
    bold = Message((Span("very", frozenset({Style.BOLD})), Span(" good")), reply=Reply(mine))
    target = await say(here, bold)
    shown = await here.shown("m.room.message", lambda event: event.body == "very good")
    assert shown.content["formatted_body"] == "<strong>very</strong> good"
    assert shown.content["m.mentions"] == {"user_ids": [here.alice.user_id]}
    await say(here, Message(spans("below"), thread=target))
    below = await here.shown("m.room.message", lambda event: event.body == "below")
    assert below.content["m.relates_to"]["rel_type"] == "m.thread"
    await here.town.edit(CHAT, here.oscar, target, "very good!")
    await here.shown("m.room.message", lambda event: event.content["body"] == "* very good!")
    await here.town.react(CHAT, here.oscar, target, "👍")
    await here.shown("m.reaction")
    await here.town.react(CHAT, here.oscar, target, "👍", removed=True)
    await here.shown("m.room.redaction")
    thread = {"rel_type": "m.thread", "event_id": shown.id, "is_falling_back": True}
    content = {"msgtype": "m.text", "body": "in thread", "m.relates_to": thread}
    answer = await here.alice.send(here.room, content)
    in_thread = said(await here.done(lambda act: words(act) == "in thread"))
    assert in_thread is not None
    assert in_thread.thread == target
    await here.alice.edit(here.room, answer, "in the thread")
    assert isinstance(await here.done(lambda act: isinstance(act, Edit)), Edit)
    mark = await here.alice.react(here.room, shown.id, "☕")
    await here.done(lambda act: act == React(target, "☕"))
    await here.alice.redact(here.room, mark)
    await here.done(lambda act: act == React(target, "☕", removed=True))
    await here.alice.redact(here.room, answer)
    await here.done(lambda act: isinstance(act, Delete))


async def test_polls_with_votes_and_gatherings(here: World) -> None:
    theirs = await say(here, Message((), poll=LUNCH))
    asked = await here.shown(f"{POLL}.start")
    await here.town.vote(CHAT, here.oscar, theirs, 1)
    vote = await here.shown(f"{POLL}.response")
    answers = asked.content[f"{POLL}.start"]["answers"]
    assert vote.content[f"{POLL}.response"]["answers"] == [answers[1]["id"]]
    reference: dict[str, Any] = {"m.relates_to": {"rel_type": "m.reference", "event_id": asked.id}}
    choice = {**reference, f"{POLL}.response": {"answers": [answers[0]["id"]]}}
    await here.alice.send(here.room, choice, f"{POLL}.response")
    await here.done(lambda act: act == Vote(theirs, (0,)))
    await here.town.close_poll(CHAT, here.oscar, theirs)
    await here.shown(f"{POLL}.end")
    stable = {
        "question": {"m.text": [{"body": "Tea?"}]},
        "answers": [{"m.id": "y", "m.text": [{"body": "yes"}]}, {"m.id": "n", "m.text": [{"body": "no"}]}],
    }
    mine = await here.alice.send(here.room, {"m.poll": stable}, "m.poll.start")
    poll = said(await here.done(lambda act: bool((message := said(act)) and message.poll)))
    assert poll is not None
    target = here.town.chat(CHAT).heard[-1].id
    await here.town.vote(CHAT, here.oscar, target, 0)
    assert (await here.shown("m.poll.response")).content["m.selections"] == ["y"]
    end = {"m.relates_to": {"rel_type": "m.reference", "event_id": mine}, "m.text": [{"body": "over"}]}
    await here.alice.send(here.room, end, "m.poll.end")
    await here.done(lambda act: act == ClosePoll(target))
    await say(here, Message((), gathering=Gathering("Feast", 1_700_000_000_000)))
    await here.shown(f"{POLL}.start", lambda event: "Feast" in str(event.content))


async def test_files_places_and_contacts(here: World) -> None:
    url = here.town.files.put(PNG)
    photo = Attachment("photo.png", url, "image/png", len(PNG), MediaKind.IMAGE)
    sticker = Attachment("hug", url, "image/png", len(PNG), MediaKind.STICKER)
    place, card = Location(41.5, -2.25, "The mill"), Contact("Ada", "TEL:+34612345678")
    everything = Message(spans("look"), attachments=(photo, sticker), location=place, contacts=(card,))
    await say(here, everything)
    shown = await here.shown("m.room.message", lambda event: event.content["msgtype"] == "m.location")
    assert shown.content["geo_uri"] == "geo:41.5,-2.25"
    await here.shown("m.room.message", lambda event: event.body == "look\n👤 Contact: Ada")
    picture = await here.shown("m.room.message", lambda event: event.content["msgtype"] == "m.image")
    hug = await here.shown("m.sticker")
    for kind, content in (
        ("m.sticker", hug.content),
        ("m.room.message", {**picture.content, "msgtype": "m.video", "body": "film.mp4"}),
        ("m.room.message", {**picture.content, "msgtype": "m.audio", "org.matrix.msc3245.voice": {}}),
        ("m.room.message", {**picture.content, "msgtype": "m.file"}),
        ("m.room.message", picture.content),
        ("m.room.message", shown.content),
    ):
        await here.alice.send(here.room, {**content, "m.mentions": {}}, kind)
    back = said(await here.done(lambda act: bool((message := said(act)) and message.location)))
    assert back is not None
    assert back.location == place
    kinds = {
        file.kind
        for part in here.town.chat(CHAT).heard
        if (message := said(part.outgoing.act))
        for file in message.attachments
    }
    assert kinds == set(MediaKind) - {MediaKind.AUDIO}


async def test_calls_and_timers(here: World) -> None:
    await say(here, Message((Span("@room", mention=Mention()), Span(" and Alice"))))
    await say(here, "Alice: come")
    called = await here.shown("m.room.message", lambda event: event.body == "Alice: come")
    assert called.content["m.mentions"] == {"user_ids": [here.alice.user_id]}
    quiet = await here.shown("m.room.message", lambda event: event.body == "@room and Alice")
    assert quiet.content["m.mentions"] == {}
    up = {"msgtype": "m.text", "body": "@room up", "m.mentions": {"room": True}}
    await here.alice.send(here.room, up)
    await here.done(
        lambda act: bool((message := said(act)) and Span("@room", mention=Mention()) in message.text)
    )
    await here.town.set_timer(CHAT, here.oscar, 7 * 24 * 3600)
    await here.alice.wait_for(
        here.room,
        lambda event: event.type == "m.room.retention" and event.content["max_lifetime"] == 604_800_000,
    )

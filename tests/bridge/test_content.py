"""Everything people send, through the whole bridge: from the memory network into the room, and from the room into the network."""

import re
from typing import Any

from bridge.message import (
    Answer,
    Attachment,
    Contact,
    Gathering,
    Location,
    MediaKind,
    Message,
    Poll,
    Reply,
    Span,
    spans,
)
from bridge.networks.acts import ClosePoll, Delete, Edit, React, Say, Vote
from haven.ids import RemoteMessageId
from tests.bridge.lives import CHAT, Lives
from tests.bridge.talk import acts, heard, messages, nth, send
from tests.fakes.homeserver_room import Event

POLL = "org.matrix.msc3381.poll"
DAY = 24 * 3600
LUNCH = Poll("Lunch?", ("Soup", "Fish", "Nothing"), most=2)


def poll_content(lives: Lives, *, stable: bool = False, secret: bool = False) -> dict[str, object]:
    """Lunch?, as clients ask it."""
    if stable:
        answers = [
            {"m.id": f"s{place}", "m.text": [{"body": one}]} for place, one in enumerate(LUNCH.options)
        ]
        poll: dict[str, object] = {"question": {"m.text": [{"body": "Lunch?"}]}, "answers": answers}
        return {
            "m.poll": {**poll, "kind": "m.disclosed", "max_selections": 2},
            "m.text": [{"body": "Lunch?"}],
        }
    named = [{"id": f"u{place}", "org.matrix.msc1767.text": one} for place, one in enumerate(LUNCH.options)]
    kind = f"{POLL}.{'un' if secret else ''}disclosed"
    poll = {"question": {"org.matrix.msc1767.text": "Lunch?"}, "answers": named}
    return {f"{POLL}.start": {**poll, "kind": kind, "max_selections": 2}}


# --- from the network ---------------------------------------------------------------------------------------


async def test_a_poll_of_the_network_is_voted_on_and_ended_from_both_sides(lives: Lives) -> None:
    await lives.link()
    poll = await lives.town.speak(CHAT, lives.oscar, Message((), poll=LUNCH))
    asked = await nth(lives, f"{POLL}.start")
    said: Any = asked.content[f"{POLL}.start"]
    assert said["question"]["org.matrix.msc1767.text"] == "Lunch?"
    assert [answer["org.matrix.msc1767.text"] for answer in said["answers"]] == list(LUNCH.options)
    assert asked.content["org.matrix.msc1767.text"] == "Poll: Lunch?\n1. Soup\n2. Fish\n3. Nothing"
    await lives.town.vote(CHAT, lives.oscar, poll, 1, 2)
    vote = await nth(lives, f"{POLL}.response")
    assert vote.content["m.relates_to"] == {"rel_type": "m.reference", "event_id": asked.id}
    chosen: Any = vote.content[f"{POLL}.response"]
    assert chosen["answers"] == [said["answers"][1]["id"], said["answers"][2]["id"]]
    ours = {
        "m.relates_to": {"rel_type": "m.reference", "event_id": asked.id},
        f"{POLL}.response": {"answers": ["0"]},
    }
    voted = await send(lives, f"{POLL}.response", ours)
    assert await heard(lives, 1) == Vote(poll, (0,))
    await lives.alice.redact(lives.room, voted, "", "not so")
    assert await heard(lives, 2) == Vote(poll, ())
    await lives.town.close_poll(CHAT, lives.oscar, poll)
    ended = await nth(lives, f"{POLL}.end")
    assert (ended.sender, ended.content["org.matrix.msc1767.text"]) == (
        asked.sender,
        "The poll is over: “Lunch?”",
    )


async def test_polls_of_the_room_are_voted_on_in_either_spelling_and_ended(lives: Lives) -> None:
    await lives.link()
    for number, stable in enumerate((True, False)):
        kinds = "m.poll" if stable else POLL
        asked = await send(lives, f"{kinds}.start", poll_content(lives, stable=stable))
        say = await heard(lives, 2 * number + 1)
        assert say == Say(Message((Span("<Alice> "),), poll=LUNCH))
        poll = lives.town.chat(CHAT).heard[-1].id
        await lives.town.vote(CHAT, lives.oscar, poll, 2)
        vote = await nth(lives, f"{kinds}.response")
        chosen: Any = vote.content["m.selections"] if stable else vote.content[f"{POLL}.response"]
        assert chosen == (["s2"] if stable else {"answers": ["u2"]})
        relation = {"rel_type": "m.reference", "event_id": asked}
        await send(lives, f"{kinds}.end", {"m.relates_to": relation, f"{kinds}.end": {}})
        assert await heard(lives, 2 * number + 2) == ClosePoll(poll)


async def test_nobody_ends_the_poll_of_somebody_else(lives: Lives) -> None:
    await lives.link()
    poll = await lives.town.speak(CHAT, lives.oscar, Message((), poll=LUNCH))
    asked = await nth(lives, f"{POLL}.start")
    mallory = lives.homeserver.person("mallory")
    await lives.alice.invite(lives.room, mallory.user)
    await mallory.join(lives.room)
    relation = {"rel_type": "m.reference", "event_id": asked.id}
    end = {"m.relates_to": relation, f"{POLL}.end": {}}
    await mallory.send_message(lives.room, f"{POLL}.end", end, "1")
    await send(lives, f"{POLL}.end", end)
    assert await heard(lives, 1) == ClosePoll(poll)
    await lives.say("after")
    await lives.until(lambda: "<Alice> after" in lives.heard())
    assert len(acts(lives)) == 2, "Alice made the room, Mallory did not"


async def test_a_gathering_is_a_poll_whose_votes_are_answers(lives: Lives) -> None:
    await lives.link()
    feast = Gathering("Feast", 1_700_000_000_000, "The mill", "Bring cake")
    target = await lives.town.speak(CHAT, lives.oscar, Message((), gathering=feast))
    asked = await nth(lives, f"{POLL}.start")
    said: Any = asked.content[f"{POLL}.start"]
    assert asked.content["body"] == "📅 Feast, 2023-11-14 22:13 UTC\nThe mill\nBring cake"
    assert [answer["body"] for answer in said["answers"]] == ["I am coming", "Perhaps", "I cannot come"]
    ours = {
        "m.relates_to": {"rel_type": "m.reference", "event_id": asked.id},
        f"{POLL}.response": {"answers": [said["answers"][Answer.PERHAPS]["id"]]},
    }
    await send(lives, f"{POLL}.response", ours)
    assert await heard(lives, 1) == Vote(target, (Answer.PERHAPS,))


async def test_files_stickers_and_voice_are_what_they_are(lives: Lives) -> None:
    await lives.link()
    png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x07\0\0\0\x09" + bytes(20)
    url = lives.town.files.put(png)
    photo = Attachment("photo.png", url, "image/png", len(png), MediaKind.IMAGE)
    sticker = Attachment("hug", url, "image/png", len(png), MediaKind.STICKER)
    await lives.town.speak(CHAT, lives.oscar, Message(spans("look!"), attachments=(photo,)))
    await lives.town.speak(CHAT, lives.oscar, Message((), attachments=(sticker,)))
    shown, hug = await nth(lives, "m.room.message"), await nth(lives, "m.sticker")
    assert (shown.content["msgtype"], shown.content["body"], shown.content["filename"]) == (
        "m.image",
        "look!",
        "photo.png",
    )
    assert re.match("mxc://", str(shown.content["url"]))
    assert shown.content["info"] == {"mimetype": "image/png", "size": len(png), "w": 7, "h": 9}
    assert "msgtype" not in hug.content
    voice = {"msgtype": "m.audio", "body": "v.ogg", "url": shown.content["url"], "info": {"size": len(png)}}
    await send(lives, "m.room.message", {**voice, "org.matrix.msc3245.voice": {}})
    await send(lives, "m.sticker", {"body": "hug", "url": shown.content["url"], "info": {}})
    await heard(lives, 2)
    kinds = [message.attachments[0].kind for message in messages(lives)]
    assert kinds == [MediaKind.VOICE, MediaKind.STICKER]


async def test_places_go_both_ways(lives: Lives) -> None:
    await lives.link()
    mill = Location(41.5, -2.25, "The mill")
    await lives.town.speak(CHAT, lives.oscar, Message((), location=mill))
    shown = await nth(lives, "m.room.message")
    assert (shown.content["msgtype"], shown.content["geo_uri"]) == ("m.location", "geo:41.5,-2.25")
    await send(lives, "m.room.message", {key: shown.content[key] for key in shown.content})
    await heard(lives, 1)
    assert messages(lives)[0].location == mill


async def test_a_contact_shows_its_name_and_never_its_number(lives: Lives) -> None:
    await lives.link()
    card = "BEGIN:VCARD\nTEL:+34612345678\nEND:VCARD"
    both = (Contact("Ada", card), Contact("+34 612 345 678", card))
    await lives.town.speak(CHAT, lives.oscar, Message((), contacts=both))
    assert (await nth(lives, "m.room.message")).content["body"] == "👤 Contact: Ada\n👤 Contact: someone"
    assert "612" not in str(lives.homeserver.rooms[lives.room].timeline)


async def test_threads_go_both_ways(lives: Lives) -> None:
    await lives.link()
    root = await lives.town.speak(CHAT, lives.oscar, "root")
    started = await nth(lives, "m.room.message")
    await lives.town.speak(CHAT, lives.oscar, Message(spans("comment"), thread=root))
    comment = await nth(lives, "m.room.message", 2)
    assert comment.content["m.relates_to"] == {
        "rel_type": "m.thread",
        "event_id": started.id,
        "is_falling_back": True,
        "m.in_reply_to": {"event_id": started.id},
    }
    relation = {"rel_type": "m.thread", "event_id": started.id, "is_falling_back": True}
    content = {"msgtype": "m.text", "body": "mine", "m.relates_to": relation}
    await send(lives, "m.room.message", content)
    await heard(lives, 1)
    assert (messages(lives)[0].thread, messages(lives)[0].reply) == (root, None)


async def test_what_answers_something_unknown_quotes_it(lives: Lives) -> None:
    await lives.link()
    reply = Reply(RemoteMessageId("long ago"), "+34612345678", "coffee?")
    await lives.town.speak(CHAT, lives.oscar, Message(spans("yes"), reply=reply))
    said = await nth(lives, "m.room.message")
    assert said.content["body"] == "> coffee?\nyes"
    lives.town.chat(CHAT).heard.clear()
    lost = await lives.alice.send_message(
        lives.room, "m.room.message", {"msgtype": "m.notice", "body": "!c x"}, "l"
    )
    relation = {"m.in_reply_to": {"event_id": lost}}
    await send(lives, "m.room.message", {"msgtype": "m.text", "body": "no", "m.relates_to": relation})
    await lives.until(lambda: bool(lives.heard()))
    assert lives.heard() == ["Alice: !c x\n<Alice> no"]


# --- what is changed and taken back -------------------------------------------------------------------------


async def test_reactions_are_taken_back_and_put_there_again(lives: Lives) -> None:
    await lives.link()
    asked = await lives.town.speak(CHAT, lives.oscar, "coffee?")
    said = await nth(lives, "m.room.message")
    for _ in range(2):
        await lives.town.react(CHAT, lives.oscar, asked, "☕")
        await lives.town.react(CHAT, lives.oscar, asked, "☕", removed=True)
    await nth(lives, "m.room.redaction", 2)
    put = [event.id for event in lives.by_ghosts("m.reaction")]
    assert [event.redacts for event in lives.by_ghosts("m.room.redaction")] == put
    relation = {"rel_type": "m.annotation", "event_id": said.id, "key": "👍"}
    for number in range(2):
        mine = await send(lives, "m.reaction", {"m.relates_to": relation})
        await heard(lives, 2 * number + 1)
        await lives.alice.redact(lives.room, mine, "", f"undo {number}")
        await heard(lives, 2 * number + 2)
    assert acts(lives) == [React(asked, "👍"), React(asked, "👍", removed=True)] * 2


async def test_an_edit_of_something_unknown_says_so_and_one_of_a_caption_changes_words_only(
    lives: Lives,
) -> None:
    await lives.link()
    await lives.town.edit(CHAT, lives.oscar, RemoteMessageId("long ago"), "better")
    assert (await nth(lives, "m.room.message")).content["body"] == "(edited) better"
    url = lives.town.files.put(b"data")
    file = Attachment("a.txt", url, "text/plain", 4)
    said = await lives.town.speak(CHAT, lives.oscar, Message((), attachments=(file,)))
    mxc = (await nth(lives, "m.room.message", 2)).content["url"]
    await lives.town.edit(CHAT, lives.oscar, said, "the plan")
    new: Any = (await nth(lives, "m.room.message", 3)).content["m.new_content"]
    assert (new["body"], new["filename"], new["url"]) == ("the plan", "a.txt", mxc)
    picture = {"msgtype": "m.file", "body": "see", "filename": "a.txt", "url": mxc, "info": {"size": 4}}
    shown = await send(lives, "m.room.message", picture)
    relation = {"rel_type": "m.replace", "event_id": shown}
    await heard(lives, 1)
    edit = {**picture, "m.new_content": {**picture, "body": "look"}, "m.relates_to": relation}
    await send(lives, "m.room.message", edit)
    first, second = await heard(lives, 1), await heard(lives, 2)
    assert isinstance(first, Say)
    assert first.message.attachments
    ours = lives.town.chat(CHAT).heard[1].id
    assert second == Edit(ours, Message((Span("<Alice> "), Span("look"))))


async def test_a_message_of_several_events_is_deleted_whole(lives: Lives) -> None:
    await lives.link()
    message = Message(spans("vote!"), poll=LUNCH, location=Location(1, 2))
    said = await lives.town.speak(CHAT, lives.oscar, message)
    await nth(lives, f"{POLL}.start")
    await lives.town.delete(CHAT, lives.oscar, said)
    await nth(lives, "m.room.redaction", 3)
    redacted = {event.redacts for event in lives.by_ghosts("m.room.redaction")}
    sent = [*lives.by_ghosts("m.room.message"), *lives.by_ghosts(f"{POLL}.start")]
    assert redacted == {event.id for event in sent}
    mine = await lives.say("mine")
    await heard(lives, 1)
    await lives.alice.redact(lives.room, mine, "", "gone")
    assert await heard(lives, 2) == Delete(lives.town.chat(CHAT).heard[1].id)


async def test_what_the_communitys_bot_sweeps_away_is_not_talked_about(poor: Lives) -> None:
    bot = poor.homeserver.person("haven")
    levels = poor.homeserver.rooms[poor.room].content("m.room.power_levels")
    users = {**levels["users"], bot.user: 90}  # type: ignore[dict-item]  # a mapping, as the server made it
    await poor.alice.send_state(poor.room, "m.room.power_levels", "", {**levels, "users": users})
    await poor.alice.invite(poor.room, bot.user)
    await bot.join(poor.room)
    await bot.send_state(poor.room, "chat.haven.group", "", {"version": 1, "kind": "group"})
    said = await poor.say("old")
    await poor.until(lambda: "<Alice> old" in poor.heard())
    await bot.redact(poor.room, said, "", "time")
    await poor.say("new")
    await poor.until(lambda: "<Alice> new" in poor.heard())
    assert not [text for text in poor.heard() if "took back" in text]


# --- how long it stays --------------------------------------------------------------------------------------


async def test_the_timer_is_followed_from_either_side_and_linking_makes_nothing_disappear(
    lives: Lives,
) -> None:
    lives.town.chat(CHAT).timer = DAY
    await lives.link()
    await lives.town.speak(CHAT, lives.oscar, "linked")
    room = lives.homeserver.rooms[lives.room]
    await nth(lives, "m.room.message")
    assert room.find("m.room.retention") is None
    await lives.town.set_timer(CHAT, lives.oscar, 7 * DAY)
    await lives.until(lambda: room.find("m.room.retention") is not None)
    assert room.content("m.room.retention") == {"max_lifetime": 7 * DAY * 1000}
    await lives.alice.send_state(lives.room, "m.room.retention", "", {"max_lifetime": DAY * 1000})
    await lives.until(lambda: lives.town.chat(CHAT).timer == DAY)
    await lives.say("short")
    await lives.until(lambda: "<Alice> short" in lives.heard())
    assert messages(lives)[-1].expires == DAY


async def test_what_disappears_on_the_network_disappears_in_the_room_with_its_edits(lives: Lives) -> None:
    await lives.link()
    fleeting = Message(spans("soon gone"), poll=LUNCH, expires=2)
    said = await lives.town.speak(CHAT, lives.oscar, fleeting)
    await lives.town.edit(CHAT, lives.oscar, said, "soon really gone")
    await lives.town.speak(CHAT, lives.oscar, "this stays")
    sent = [*(await _both(lives)), await nth(lives, f"{POLL}.start")]
    assert lives.store is not None
    await lives.store._database.execute("UPDATE expiring SET sender = '' WHERE event = $1", sent[0].id)
    await lives.die()
    await lives.live()
    await lives.until(lambda: len(_taken_back(lives)) == 3)
    assert _taken_back(lives) == {event.id for event in sent}


def _taken_back(lives: Lives) -> set[str]:
    timeline = lives.homeserver.rooms[lives.room].timeline
    return {str(event.redacts) for event in timeline if event.redacts}


async def _both(lives: Lives) -> list[Event]:
    """A message and its edit, once what was said after them is there."""
    await nth(lives, "m.room.message", 3)
    return lives.by_ghosts("m.room.message")[:2]


async def test_a_time_beyond_all_bounds_stops_nothing(lives: Lives) -> None:
    await lives.link()
    await lives.town.speak(CHAT, lives.oscar, Message(spans("for ever"), expires=10**30))
    await lives.town.speak(CHAT, lives.oscar, "after")
    await lives.until(lambda: lives.said() == ["for ever", "after"])
    assert lives.status()["state"] == "linked"


async def test_who_takes_a_message_back_takes_its_edits_back(lives: Lives) -> None:
    await lives.link()
    said = await lives.town.speak(CHAT, lives.oscar, "helo")
    await lives.town.edit(CHAT, lives.oscar, said, "hello")
    await lives.town.delete(CHAT, lives.oscar, said)
    await nth(lives, "m.room.redaction", 2)
    sent = {event.id for event in lives.by_ghosts("m.room.message")}
    assert {event.redacts for event in lives.by_ghosts("m.room.redaction")} == sent


# --- where the network is poor ------------------------------------------------------------------------------


async def test_all_of_it_is_said_in_words_where_the_network_is_poor(poor: Lives) -> None:
    before = len(poor.heard())
    poll = await send(poor, f"{POLL}.start", poll_content(poor))
    relation = {"rel_type": "m.reference", "event_id": poll}
    vote = await send(
        poor, f"{POLL}.response", {"m.relates_to": relation, f"{POLL}.response": {"answers": ["u1", "u2"]}}
    )
    await poor.alice.redact(poor.room, vote, "", "no")
    secret = await send(poor, f"{POLL}.start", poll_content(poor, secret=True))
    hidden = {"rel_type": "m.reference", "event_id": secret}
    await send(poor, f"{POLL}.response", {"m.relates_to": hidden, f"{POLL}.response": {"answers": ["u1"]}})
    await send(poor, f"{POLL}.end", {"m.relates_to": relation, f"{POLL}.end": {}})
    place = {"msgtype": "m.location", "body": "The mill", "geo_uri": "geo:41.5,-2.25"}
    await send(poor, "m.room.message", place)
    thread = {"rel_type": "m.thread", "event_id": poll, "is_falling_back": True}
    await send(poor, "m.room.message", {"msgtype": "m.text", "body": "hm", "m.relates_to": thread})
    asked = ["<Alice> Poll: Lunch?", "1. Soup", "2. Fish", "3. Nothing"]
    expected = [
        *(*asked, "Alice voted in “Lunch?”: Fish, Nothing", *asked),
        "The poll is over: “Lunch?”",
        "<Alice> 📍 The mill: https://www.openstreetmap.org/?mlat=41.5&mlon=-2.25#map=16/41.5/-2.25",
        *("Alice: 📊 Lunch?", "<Alice> hm"),
    ]
    await poor.until(lambda: len(poor.heard()) >= before + len(expected))
    assert poor.heard()[before:] == expected

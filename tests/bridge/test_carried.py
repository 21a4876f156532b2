"""What is carried between a room and a chat, in which form, and what is not."""

import json

from bridge.message import Kind, Message, Reply, Span, Style, spans
from bridge.networks.acts import Delete, Edit, React, Say
from embedded.waiting import eventually
from haven.errors import Unreachable
from haven.ids import RemoteUserId
from tests.bridge.lives import CHAT, Lives
from tests.fakes.homeserver_faults import Request


async def test_a_remote_edit_reply_reaction_and_deletion_are_the_real_thing(lives: Lives) -> None:
    await lives.link()
    first = await lives.town.speak(CHAT, lives.oscar, "helo")
    await lives.town.edit(CHAT, lives.oscar, first, "hello")
    answer = Message(spans("yes?"), reply=Reply(first))
    await lives.town.speak(CHAT, lives.oscar, answer)
    await lives.town.react(CHAT, lives.oscar, first, "👍")
    await lives.until(lambda: bool(lives.by_ghosts("m.reaction")))
    said, edit, reply = lives.by_ghosts("m.room.message")
    relation = edit.content["m.relates_to"]
    await lives.town.delete(CHAT, lives.oscar, first)
    await lives.until(lambda: len(lives.by_ghosts("m.room.redaction")) == 2)
    assert relation == {"rel_type": "m.replace", "event_id": said.id}
    assert reply.content["m.relates_to"] == {"m.in_reply_to": {"event_id": said.id}}
    (reaction,) = lives.by_ghosts("m.reaction")
    assert reaction.content["m.relates_to"] == {"rel_type": "m.annotation", "event_id": said.id, "key": "👍"}
    assert {each.redacts for each in lives.by_ghosts("m.room.redaction")} == {said.id, edit.id}


async def test_a_matrix_edit_reply_reaction_and_deletion_are_the_real_thing(lives: Lives) -> None:
    await lives.link()
    asked = await lives.town.speak(CHAT, lives.oscar, "coffee?")
    await lives.until(lambda: lives.said() == ["coffee?"])
    (question,) = lives.by_ghosts("m.room.message")
    send = lives.alice.send_message
    relation = {"m.in_reply_to": {"event_id": question.id}}
    content = {"msgtype": "m.text", "body": "yess", "m.relates_to": relation}
    answer = await send(lives.room, "m.room.message", content, "1")
    replaced = {"rel_type": "m.replace", "event_id": answer}
    new = {"msgtype": "m.text", "body": "yes"}
    await send(lives.room, "m.room.message", {**new, "m.new_content": new, "m.relates_to": replaced}, "2")
    annotation = {"rel_type": "m.annotation", "event_id": question.id, "key": "☕"}
    await send(lives.room, "m.reaction", {"m.relates_to": annotation}, "3")
    await lives.alice.redact(lives.room, answer, "", "4")
    await lives.until(lambda: len(lives.heard()) == 5)
    said, edited, reacted, deleted = [part.outgoing.act for part in lives.town.chat(CHAT).heard[1:]]
    ours = lives.town.chat(CHAT).heard[1].id
    assert getattr(said, "message").reply == Reply(asked, "oscar", "coffee?")  # noqa: B009  # any kind of act
    assert isinstance(edited, Edit)
    assert edited.target == ours
    assert reacted == React(asked, "☕")
    assert deleted == Delete(ours)


async def test_where_the_network_is_poor_words_stand_for_it(poor: Lives) -> None:
    await poor.town.speak(CHAT, poor.oscar, "coffee?")
    await poor.until(lambda: poor.said() == ["coffee?"])
    (question,) = poor.by_ghosts("m.room.message")
    relation = {"m.in_reply_to": {"event_id": question.id}}
    content = {"msgtype": "m.text", "body": "yes\nplease", "m.relates_to": relation}
    answer = await poor.alice.send_message(poor.room, "m.room.message", content, "1")
    annotation = {"rel_type": "m.annotation", "event_id": question.id, "key": "☕"}
    await poor.alice.send_message(poor.room, "m.reaction", {"m.relates_to": annotation}, "3")
    await poor.alice.redact(poor.room, answer, "", "4")
    await poor.until(lambda: len(poor.heard()) == 6)
    assert poor.heard()[1:] == [
        "oscar: coffee?",
        "<Alice> yes",
        "please",
        "Alice reacted with ☕ to: “coffee?”",
        "Alice took back a message.",
    ]


async def test_the_affairs_of_the_house_are_not_carried(lives: Lives) -> None:
    await lives.link()
    bot = lives.homeserver.person("haven")
    levels = lives.homeserver.rooms[lives.room].content("m.room.power_levels")
    users = {**levels["users"], bot.user: 90}  # type: ignore[dict-item]  # a mapping, as the server made it
    await lives.alice.send_state(lives.room, "m.room.power_levels", "", {**levels, "users": users})
    await lives.alice.invite(lives.room, bot.user)
    await bot.join(lives.room)
    await bot.send_state(lives.room, "chat.haven.group", "", {"version": 1, "kind": "group"})
    await lives.until(
        lambda: (
            ("chat.haven.group", "")
            in (lives.bridge._keeper._rooms.view(lives.room).state if lives.bridge else {})
        )
    )
    await lives.say("!c show")
    await lives.say("!community ban @mallory:haven.test")
    answer = {"msgtype": "m.notice", "body": "These are the secrets of the house."}
    await bot.send_message(lives.room, "m.room.message", answer, "answer")
    announcement = {"msgtype": "m.text", "body": "Meeting at eight"}
    await bot.send_message(lives.room, "m.room.message", announcement, "announcement")
    await lives.say("!cats are fine")
    await lives.until(lambda: any("cats" in each for each in lives.heard()))
    assert [each for each in lives.heard() if "haven" in each or "Alice" in each][-2:] == [
        "<haven> Meeting at eight",
        "<Alice> !cats are fine",
    ]
    assert not any("secrets" in each or "show" in each or "mallory" in each for each in lives.heard())


async def test_formatting_actions_and_notices_arrive(lives: Lives) -> None:
    await lives.link()
    bold = (Span("very ", frozenset({Style.BOLD})), Span("good"))
    await lives.town.speak(CHAT, lives.oscar, Message(bold))
    await lives.town.speak(CHAT, lives.oscar, Message(spans("waves"), Kind.ACTION))
    await lives.town.speak(CHAT, lives.oscar, Message(spans("beep"), Kind.NOTICE))
    await lives.until(lambda: len(lives.said()) == 3)
    first, second, third = [event.content for event in lives.by_ghosts("m.room.message")]
    assert first["formatted_body"] == "<strong>very </strong>good"
    assert (second["msgtype"], third["msgtype"]) == ("m.emote", "m.notice")
    content = {"msgtype": "m.emote", "body": "nods"}
    await lives.alice.send_message(lives.room, "m.room.message", content, "1")
    await lives.until(lambda: "* Alice nods" in lives.heard())


async def _agreed(lives: Lives, topic: str) -> bool:
    assert lives.bridge is not None
    assert lives.store is not None
    (link,) = lives.bridge._keeper._links.of_room(lives.room)
    agreed: list[str] = json.loads(await lives.store.recall(f"topic seen {link.to_matrix}") or "[]")
    return agreed == [topic, topic]


async def test_topics_follow_whoever_changed_theirs(lives: Lives) -> None:
    await lives.link()
    room = lives.homeserver.rooms[lives.room]
    await lives.town.set_topic(CHAT, lives.oscar, "At eight")
    await lives.until(lambda: room.content("m.room.topic").get("topic") == "At eight")
    await lives.alice.send_state(lives.room, "m.room.topic", "", {"topic": "At nine"})
    await lives.until(lambda: lives.town.chat(CHAT).topic == "At nine")
    await eventually(lambda: _agreed(lives, "At nine"), "both sides being known to agree")
    await lives.die()
    lives.town.chat(CHAT).topic = "At ten"
    await lives.live()
    await lives.until(lambda: room.content("m.room.topic").get("topic") == "At ten")
    topics = [event.content["topic"] for event in room.timeline if event.type == "m.room.topic"]
    assert topics == ["At eight", "At nine", "At ten"]


async def test_a_reaction_that_stands_there_already_is_no_failure(lives: Lives) -> None:
    await lives.link()
    target = await lives.town.speak(CHAT, lives.oscar, "hello")
    for _ in range(2):
        await lives.town.react(CHAT, lives.oscar, target, "👍")
    await lives.town.speak(CHAT, lives.oscar, "bye")
    await lives.until(lambda: "bye" in lives.said())
    assert len(lives.by_ghosts("m.reaction")) == 1
    assert lives.store is not None
    assert (await lives.store.counts())[1] == 0


async def test_nobody_edits_in_the_chat_what_another_member_said(lives: Lives) -> None:
    await lives.link()
    said = await lives.say("the truth")
    mallory = lives.homeserver.person("mallory")
    await lives.alice.invite(lives.room, mallory.user)
    await mallory.join(lives.room)
    new = {"msgtype": "m.text", "body": "a lie"}
    relation = {"m.new_content": new, "m.relates_to": {"rel_type": "m.replace", "event_id": said}}
    await mallory.send_message(lives.room, "m.room.message", {**new, **relation}, "1")
    await lives.until(lambda: len(lives.heard()) == 3)
    assert lives.heard()[1:] == ["<Alice> the truth", "<mallory> (edited) a lie"]
    content = {"msgtype": "m.text", "body": "so?", "m.relates_to": {"m.in_reply_to": {"event_id": said}}}
    await lives.alice.send_message(lives.room, "m.room.message", content, "2")
    await lives.until(lambda: len(lives.heard()) == 4)
    answer = lives.town.chat(CHAT).heard[3].outgoing.act
    assert isinstance(answer, Say)
    assert answer.message.reply == Reply(lives.town.chat(CHAT).heard[1].id, "Alice", "the truth")


async def test_nobody_edits_in_the_room_what_another_person_said(lives: Lives) -> None:
    await lives.link()
    said = await lives.town.speak(CHAT, lives.oscar, "the truth")
    await lives.until(lambda: lives.said() == ["the truth"])
    await lives.town.join(CHAT, "mallory")
    await lives.town.edit(CHAT, RemoteUserId("mallory"), said, "a lie")
    await lives.until(lambda: len(lives.said()) == 2)
    event = lives.by_ghosts("m.room.message")[1]
    assert event.content["body"] == "(edited) a lie"
    assert "m.relates_to" not in event.content
    await lives.town.delete(CHAT, lives.oscar, said)
    await lives.until(lambda: bool(lives.by_ghosts("m.room.redaction")))
    assert [each.redacts for each in lives.by_ghosts("m.room.redaction")] == [
        lives.by_ghosts("m.room.message")[0].id
    ]


async def test_a_redaction_that_names_two_events_takes_nothing_back_in_the_chat(lives: Lives) -> None:
    await lives.link()
    said, other = await lives.say("the truth"), await lives.say("something else")
    await lives.until(lambda: len(lives.heard()) == 3)
    forged = {"type": "m.room.redaction", "event_id": "$forged", "room_id": lives.room, "redacts": other}
    lives._queue.append({**forged, "sender": "@mallory:haven.test", "content": {"redacts": said}})
    await lives.say("after it")
    await lives.until(lambda: "<Alice> after it" in lives.heard())
    assert not any(isinstance(part.outgoing.act, Delete) for part in lives.town.chat(CHAT).heard)


async def test_what_cannot_disappear_yet_keeps_nothing_else(lives: Lives) -> None:
    await lives.link()
    stuck: list[object] = []

    def hold(request: Request) -> None:
        if request.port == "redact":
            stuck[:] = stuck or [request.about]
            if request.about == stuck[0]:
                raise Unreachable

    lives.homeserver.faults.before.append(hold)
    for words in ("one", "two"):
        await lives.town.speak(CHAT, lives.oscar, Message(spans(words), expires=1))
    await lives.until(lambda: len(lives.by_ghosts("m.room.redaction")) == 1)
    lives.homeserver.faults.before.remove(hold)
    await lives.until(lambda: len(lives.by_ghosts("m.room.redaction")) == 2)
    assert len(stuck) == 1

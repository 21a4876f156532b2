"""Who is meant: mentions through the whole bridge, both ways."""

from typing import Any

from bridge.message import Mention, Message, Reply, Span, spans
from haven.ids import RemoteUserId, UserId
from tests.bridge.lives import BOT, CHAT, Lives
from tests.bridge.talk import heard, messages, nth, send


async def test_mentions_mean_people_and_never_the_account_that_speaks_for_all(lives: Lives) -> None:
    await lives.link()
    await lives.town.speak(CHAT, lives.oscar, "hello")
    first = await nth(lives, "m.room.message")
    texts = (
        (Span("Alice: look"),),
        (Span("you "), Span("@bot", mention=Mention(user=BOT)), Span(" and @Alice, come")),
        (Span("@34612345678", mention=Mention(RemoteUserId("nobody"))), Span(" left")),
        (Span("hey "), Span("@oscar", mention=Mention(lives.oscar))),
    )
    for text in texts:
        await lives.town.speak(CHAT, lives.oscar, Message(text))
    await nth(lives, "m.room.message", 5)
    found = [event.content for event in lives.by_ghosts("m.room.message")[1:]]
    meant: list[Any] = [content["m.mentions"] for content in found]
    alice, ghost = {"user_ids": [lives.alice.user]}, {"user_ids": [first.sender]}
    assert meant == [alice, alice, {}, ghost]
    assert found[2]["body"] == "@someone left"
    pill = f'<a href="https://matrix.to/#/{first.sender}">oscar (memory)</a>'
    content = {
        "msgtype": "m.text",
        "body": "oscar (memory): hi",
        "format": "org.matrix.custom.html",
        "formatted_body": f"{pill}: hi",
        "m.mentions": {"user_ids": [first.sender]},
    }
    await send(lives, "m.room.message", content)
    plain = {"msgtype": "m.text", "body": "so, oscar (memory), hi", "m.mentions": content["m.mentions"]}
    await send(lives, "m.room.message", plain)
    await heard(lives, 2)
    oscar = Mention(lives.oscar, first.sender)
    assert [message.text[1:] for message in messages(lives)] == [
        (Span("oscar", mention=oscar), Span(": hi")),
        (Span("so, "), Span("oscar", mention=oscar), Span(", hi")),
    ]


async def test_an_answer_calls_whom_it_answers(lives: Lives) -> None:
    await lives.link()
    await lives.say("coffee?")
    await lives.until(lambda: "<Alice> coffee?" in lives.heard())
    asked = lives.town.chat(CHAT).heard[-1].id
    await lives.town.speak(CHAT, lives.oscar, Message(spans("yes"), reply=Reply(asked)))
    answer = await nth(lives, "m.room.message")
    assert answer.content["m.mentions"] == {"user_ids": [lives.alice.user]}


async def test_the_whole_room_is_called_only_by_who_may(lives: Lives) -> None:
    await lives.link()
    everybody = Message((Span("@all", mention=Mention()), Span(" up!")))
    await lives.town.speak(CHAT, lives.oscar, everybody)
    quiet = await nth(lives, "m.room.message")
    assert quiet.content["m.mentions"] == {}
    levels = await lives.alice.state_content(lives.room, "m.room.power_levels")
    users = {**levels["users"], quiet.sender: 50}  # type: ignore[dict-item]  # a mapping, as the server made it
    await lives.alice.send_state(lives.room, "m.room.power_levels", "", {**levels, "users": users})

    def has_power() -> bool:
        assert lives.bridge is not None
        return lives.bridge._rooms.view(lives.room).power_of(UserId(quiet.sender)) == 50

    await lives.until(has_power)
    await lives.town.speak(CHAT, lives.oscar, everybody)
    assert (await nth(lives, "m.room.message", 2)).content["m.mentions"] == {"room": True}
    mallory = lives.homeserver.person("mallory")
    await lives.alice.invite(lives.room, mallory.user)
    await mallory.join(lives.room)
    call = {"msgtype": "m.text", "body": "@room up!", "m.mentions": {"room": True}}
    await mallory.send_message(lives.room, "m.room.message", call, "1")
    await send(lives, "m.room.message", call)
    await heard(lives, 2)
    assert [Span("@room", mention=Mention()) in message.text for message in messages(lives)] == [False, True]

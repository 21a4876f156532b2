"""What arrives from the homeserver, read into values; what is damaged falls through."""

from typing import Any

import pytest

from haven.ids import EventId, RoomId, UserId
from haven.ports import StateEvent
from plugin.events import (
    FLAG,
    Gap,
    Incoming,
    Invited,
    Left,
    Nudge,
    Posted,
    Reaction,
    is_flag,
    message,
    news,
    posted,
)

BOT, ANA = UserId("@bot:x"), UserId("@ana:x")
ROOM = RoomId("!room")


def raw(content: object, **more: object) -> dict[str, Any]:
    return {"event_id": "$e", "sender": ANA, "origin_server_ts": 5, "content": content, **more}


def text(body: str, **more: object) -> dict[str, object]:
    return {"msgtype": "m.text", "body": body, **more}


def test_a_text_is_a_message() -> None:
    content = text(
        "hi",
        format="org.matrix.custom.html",
        formatted_body="<b>hi</b>",
        **{"m.mentions": {"user_ids": [BOT, 7]}},
    )
    assert message(raw(content), ROOM, BOT) == Incoming(
        ROOM, EventId("$e"), ANA, "hi", "<b>hi</b>", (BOT,), at=5
    )


@pytest.mark.parametrize(
    ("relation", "reply_to", "thread"),
    [
        ({"m.in_reply_to": {"event_id": "$a"}}, "$a", ""),
        ({"rel_type": "m.thread", "event_id": "$t", "is_falling_back": True, "m.in_reply_to": {"event_id": "$a"}}, "", "$t"),
        ({"rel_type": "m.thread", "event_id": "$t", "m.in_reply_to": {"event_id": "$a"}}, "$a", "$t"),
        ({"rel_type": 7, "m.in_reply_to": "x"}, "", ""),
        ("damaged", "", ""),
    ],
)  # fmt: skip
def test_what_a_message_answers(relation: object, reply_to: str, thread: str) -> None:
    said = message(raw(text("hi", **{"m.relates_to": relation})), ROOM, BOT)
    assert said is not None
    assert (said.reply_to, said.thread) == (reply_to, thread)


@pytest.mark.parametrize(
    "event",
    [
        raw(text("hi"), sender=BOT),
        raw({"msgtype": "m.notice", "body": "hi"}),
        raw(text("* hi", **{"m.relates_to": {"rel_type": "m.replace", "event_id": "$a"}})),
        raw(text("")),
        raw({"msgtype": "m.text", "body": 7}),
        raw("damaged"),
        {},
    ],
)
def test_what_is_nobodys_text_to_us_is_none(event: dict[str, Any]) -> None:
    assert message(event, ROOM, BOT) is None


def test_the_news_of_a_sync() -> None:
    topic = {**raw({"topic": "t"}), "type": "m.room.topic", "state_key": ""}
    member = {
        "type": "m.room.member",
        "state_key": BOT,
        "sender": ANA,
        "content": {"membership": "invite", "is_direct": True},
    }
    sync = {
        "rooms": {
            "join": {ROOM: {"state": {"events": [topic]}, "timeline": {"limited": True, "events": [raw(text("hi")), 7]}}},
            "leave": {"!gone": {}},
            "invite": {"!new": {"invite_state": {"events": [topic, member]}}, "!odd": {}},
        }
    }  # fmt: skip
    assert list(news(sync, BOT)) == [
        Gap(ROOM),
        Nudge(ROOM, StateEvent("m.room.topic", "", ANA, {"topic": "t"}, EventId("$e"), 5)),
        Left(RoomId("!gone")),
        Invited(RoomId("!new"), ANA, direct=True),
    ]


@pytest.mark.parametrize(
    "sync", [{}, {"rooms": 7}, {"rooms": {"join": {"!r": 7}, "leave": [], "invite": {"!r": 7}}}]
)
def test_a_damaged_sync_is_no_news(sync: dict[str, Any]) -> None:
    assert list(news(sync, BOT)) == []


def timeline(*events: dict[str, Any]) -> dict[str, Any]:
    """A sync that tells these of a room."""
    return {"rooms": {"join": {ROOM: {"timeline": {"events": list(events)}}}}}


def test_what_others_say_is_news_without_its_text() -> None:
    relation = {"rel_type": "m.thread", "event_id": "$t", "m.in_reply_to": {"event_id": "$a"}}
    said = raw(text("a secret", **{"m.relates_to": relation}), type="m.room.message")
    edit = raw(
        text("x", **{"m.relates_to": {"rel_type": "m.replace", "event_id": "$o"}}), type="m.room.message"
    )
    image = raw({"msgtype": "m.image"}, type="m.room.message")
    ours = raw(text("x"), type="m.room.message", sender=BOT)
    gone = raw({}, type="m.room.message")
    heard = news(timeline(said, edit, image, ours, gone), BOT)
    found = [each for each in heard if isinstance(each, Posted)]
    event = EventId("$e")
    assert found == [
        Posted(ROOM, event, ANA, 5, thread=EventId("$t"), reply_to=EventId("$a")),
        Posted(ROOM, event, ANA, 5, edits=EventId("$o")),
        Posted(ROOM, event, ANA, 5),
    ]
    assert "secret" not in str(found)


def test_what_is_said_to_us_is_known() -> None:
    for body, command in (("!c show", True), ("!community", True), ("!cat", False), ("hi !c", False)):
        said = posted(raw(text(body)), ROOM)
        assert said is not None
        assert said.command is command


@pytest.mark.parametrize(
    ("emoji", "flag"), [(FLAG, True), (f"{FLAG}\ufe0f", True), ("\N{THUMBS UP SIGN}", False), ("", False)]
)
def test_a_flag_is_told_from_other_reactions(emoji: str, flag: bool) -> None:
    assert is_flag(Reaction(ROOM, EventId("$e"), ANA, EventId("$m"), emoji)) is flag

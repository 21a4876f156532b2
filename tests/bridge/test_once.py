"""The same thing told again is done once: events, transactions, messages, also after a restart; and our own
words never come back.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.message import Message, spans
from bridge.networks.events import Said
from bridge.networks.memory import LINES
from haven.errors import TryLater
from haven.ids import RemoteMessageId
from tests.bridge.lives import BOT, CHAT, Lives


@pytest.fixture
async def lives(tmp_path: Path) -> AsyncIterator[Lives]:
    lives = Lives(tmp_path, LINES)
    await lives.begin()
    await lives.live()
    await lives.link()
    yield lives
    await lives.end()


async def accept(lives: Lives, **event: object) -> None:
    """Push one message event, as the homeserver does."""
    assert lives.bridge is not None
    whole = {
        "room_id": lives.room,
        "type": "m.room.message",
        "sender": lives.alice.user,
        "content": {"msgtype": "m.text", "body": "hello"},
    }
    async with asyncio.timeout(20):
        while True:
            try:
                await lives.bridge.accept([{**whole, **event}])
            except TryLater:
                await asyncio.sleep(0.01)
            else:
                return


async def test_an_event_of_the_homeserver(lives: Lives) -> None:
    for _ in range(2):
        await accept(lives, event_id="$a")
        await accept(lives, event_id="$b", content={"msgtype": "m.text", "body": "bye"})
        await lives.until(lambda: "<Alice> bye" in lives.heard())
        await lives.live()
    await accept(lives, event_id="$c", content={"msgtype": "m.text", "body": "end"})
    await lives.until(lambda: "<Alice> end" in lives.heard())
    assert lives.heard()[1:] == ["<Alice> hello", "<Alice> bye", "<Alice> end"]


async def test_a_message_of_the_network(lives: Lives) -> None:
    person = lives.town.chat(CHAT).people[lives.oscar]
    once = Said(RemoteMessageId("again"), CHAT, person, Message(spans("hello")))
    await lives.town.repeat(once)
    await lives.town.repeat(once)
    await lives.until(lambda: lives.said() == ["hello"])
    await lives.live()
    await lives.until(lambda: bool(lives.town.accounts) and lives.status()["state"] == "linked")
    await lives.town.speak(CHAT, lives.oscar, "bye")
    await lives.town.repeat(once)
    await lives.town.speak(CHAT, lives.oscar, "end")
    await lives.until(lambda: "end" in lives.said())
    assert [text for text in lives.said() if text == "hello"] == ["hello"]


@pytest.mark.parametrize("sender", [BOT, "@_haven_memory_abc:haven.test"])
async def test_our_own_words_do_not_come_back(lives: Lives, sender: str) -> None:
    await accept(lives, event_id="$own", sender=sender)
    await accept(lives, event_id="$end", content={"msgtype": "m.text", "body": "end"})
    await lives.until(lambda: "<Alice> end" in lives.heard())
    assert not [text for text in lives.heard() if "hello" in text]


@pytest.mark.parametrize(
    "event",
    [
        {"type": 7},
        {"content": None},
        {"content": {"msgtype": 7, "body": []}},
        {"content": {"msgtype": "m.text", "body": "x", "m.relates_to": 5}},
        {"type": "m.reaction", "content": {"m.relates_to": {"key": 1}}},
        {"type": "m.room.redaction", "redacts": 9},
        {"type": "m.room.redaction", "redacts": "$nobody-knows"},
        {"type": "m.room.member", "state_key": 3},
        {"type": "m.room.member", "state_key": BOT, "content": "x"},
        {"room_id": None},
        {"sender": None},
    ],
)
async def test_damaged_events_are_survived(lives: Lives, event: dict[str, object]) -> None:
    await accept(lives, event_id="$damaged", **event)
    await accept(lives, event_id="$end", content={"msgtype": "m.text", "body": "end"})
    await lives.until(lambda: "<Alice> end" in lives.heard())
    assert lives.heard()[-1] == "<Alice> end"
    assert lives.status()["state"] == "linked"

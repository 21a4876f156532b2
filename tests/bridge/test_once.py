"""The same thing told again is done once: events, transactions, messages, also after a restart; and our own
words never come back.
"""

import asyncio

import pytest

from bridge.message import Message, spans
from bridge.networks.events import Said
from haven.errors import TryLater
from haven.ids import RemoteMessageId
from tests.bridge.lives import BOT, CHAT, Lives


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


async def test_an_event_of_the_homeserver(poor: Lives) -> None:
    for _ in range(2):
        await accept(poor, event_id="$a")
        await accept(poor, event_id="$b", content={"msgtype": "m.text", "body": "bye"})
        await poor.until(lambda: "<Alice> bye" in poor.heard())
        await poor.live()
    await accept(poor, event_id="$c", content={"msgtype": "m.text", "body": "end"})
    await poor.until(lambda: "<Alice> end" in poor.heard())
    assert poor.heard()[1:] == ["<Alice> hello", "<Alice> bye", "<Alice> end"]


async def test_a_message_of_the_network(poor: Lives) -> None:
    person = poor.town.chat(CHAT).people[poor.oscar]
    once = Said(RemoteMessageId("again"), CHAT, person, Message(spans("hello")))
    await poor.town.repeat(once)
    await poor.town.repeat(once)
    await poor.until(lambda: poor.said() == ["hello"])
    await poor.live()
    await poor.until(lambda: any(account.hears(CHAT) for account in poor.town.accounts))
    await poor.town.speak(CHAT, poor.oscar, "bye")
    await poor.town.repeat(once)
    await poor.town.speak(CHAT, poor.oscar, "end")
    await poor.until(lambda: "end" in poor.said())
    assert [text for text in poor.said() if text == "hello"] == ["hello"]


@pytest.mark.parametrize("sender", [BOT, "@_haven_memory_abc:haven.test"])
async def test_our_own_words_do_not_come_back(poor: Lives, sender: str) -> None:
    await accept(poor, event_id="$own", sender=sender)
    await accept(poor, event_id="$end", content={"msgtype": "m.text", "body": "end"})
    await poor.until(lambda: "<Alice> end" in poor.heard())
    assert not [text for text in poor.heard() if "hello" in text]


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
async def test_damaged_events_are_survived(poor: Lives, event: dict[str, object]) -> None:
    await accept(poor, event_id="$damaged", **event)
    await accept(poor, event_id="$end", content={"msgtype": "m.text", "body": "end"})
    await poor.until(lambda: "<Alice> end" in poor.heard())
    assert poor.heard()[-1] == "<Alice> end"
    assert poor.status()["state"] == "linked"

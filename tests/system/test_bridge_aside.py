"""On a real homeserver: what it does not take is told where it was said, shown to the admins, and tried again when one of them asks."""

from collections.abc import AsyncIterator, Callable

import pytest

from embedded.matrix import Event
from embedded.proxy import Answered, Asked
from tests.system.bridge_world import BOT, CHANNEL, World, world

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

AGAIN = "🔁"
SPACE = "!a-space"


@pytest.fixture(scope="module")
async def linked() -> AsyncIterator[World]:
    async with world() as everything:
        await everything.link()
        yield everything


@pytest.fixture(scope="module")
async def admins(linked: World) -> str:
    """The admins' room, as the plugin makes it; Alice is the plugin's bot and an admin at once."""
    room = await linked.alice.create_room(name="Admins")
    for where, kind in ((linked.room, "group"), (room, "admins")):
        record = {"version": 1, "community": SPACE, "kind": kind, "visibility": "open"}
        await linked.alice.send_state(where, "chat.haven.group", record)
    await linked.alice.invite(room, BOT)
    await linked.alice.wait_for(
        room, lambda event: event.sender == BOT and event.content.get("membership") == "join"
    )
    return room


def card(words: str) -> Callable[[Event], bool]:
    """Whether an event is a card, or a change of one, with these words."""
    return lambda event: event.sender == BOT and words in str(event.content.get("body", ""))


async def test_what_the_homeserver_does_not_take(linked: World, admins: str) -> None:
    refused: list[str] = []

    async def refuse(asked: Asked) -> Answered | None:
        if asked.method == "PUT" and "/send/m.room.message/" in asked.path and "_haven_irc" in asked.path:
            refused.append(asked.path)
            return Answered(413, b'{"errcode": "M_TOO_LARGE", "error": "too large"}')
        return None

    linked.proxy.before = refuse
    await linked.oscar.say(CHANNEL, "too much at first")
    shown = await linked.alice.wait_for(admins, card("could not be carried over"))
    await linked.oscar.wait_for(lambda line: "could not be carried to Matrix" in line.text)
    linked.proxy.before = None
    await linked.alice.react(admins, shown.id, AGAIN)
    (arrived,) = await linked.texts(1, lambda event: event.body == "too much at first")
    assert arrived.sender.startswith("@_haven_irc_")
    await linked.alice.wait_for(admins, card("carried over after all"))
    assert len(refused) == 1
    offers = [event for event in await linked.alice.messages(admins) if event.type == "m.reaction"]
    assert sorted(event.sender for event in offers) == sorted((BOT, linked.alice.user_id))

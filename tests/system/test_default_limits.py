"""A homeserver that allows what Synapse allows by default: twenty groups are made and one promotion is brought to all, and people see how far it is.

Rooms may be made 0.016 times a second after the first ten, and everything else 0.2 times (synapse/config/ratelimiting.py): the twenty groups take a
quarter of an hour, in which both wait; so this begins first, while other tests have the machine (`tests/conftest.py`).
How near we come to what the limits allow is for `benchmarks/limits.py` to say.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from embedded.matrix import Event
from embedded.maubot import Maubot
from embedded.person import Person
from embedded.synapse import Synapse
from embedded.waiting import eventually
from haven.model import Community, Kind
from tests.system.plugin_world import Bot, group, plugin_in

pytestmark = [pytest.mark.system, pytest.mark.slow, pytest.mark.timeout(1800)]

AT_ONCE, ALL = 10, 20
NAME = "Crowded"
PATIENCE = 1200.0
"""Seconds for what the limits draw out."""


@dataclass(frozen=True, slots=True)
class Slow:
    """What runs: the owner ana and the bot in their ``chat``."""

    homeserver: Synapse
    bot: Bot
    ana: Person
    chat: str

    async def told(self, command: str) -> str:
        """What the bot says in reply to a command for as long as it does: the id of that one message."""
        asked = await self.ana.say(self.chat, command)

        def replies(event: Event) -> bool:
            return bool(event.relates_to.get("m.in_reply_to", {}).get("event_id") == asked)

        return (await self.ana.wait_for(self.chat, replies, timeout=PATIENCE)).id

    async def becomes(self, message: str, words: str) -> None:
        """Waits until a message says something, first or by an edit."""

        def says(event: Event) -> bool:
            return words in event.body and message in (event.id, event.relates_to.get("event_id"))

        await self.ana.wait_for(self.chat, says, timeout=PATIENCE)

    async def wordings(self, message: str) -> list[str]:
        """All that a message has said."""
        said = await self.ana.messages(self.chat, limit=500)
        return [event.body for event in said if message in (event.id, event.relates_to.get("event_id"))]

    async def replies_to_all(self) -> int:
        """How many messages of the bot are in the chat, edits not counted."""
        said = await self.ana.messages(self.chat, limit=500)
        own = [e for e in said if e.sender == self.bot.person.user_id and e.type == "m.room.message"]
        return len([event for event in own if event.relates_to.get("rel_type") != "m.replace"])


@pytest.fixture(scope="module")
async def slow(server_data: Path, mbp: Path) -> AsyncIterator[Slow]:
    place = server_data / "limits"
    async with AsyncExitStack() as stack:
        homeserver = Synapse(place / "synapse", limits="default")
        await stack.enter_async_context(homeserver)
        account, ana = await homeserver.register("bot"), await homeserver.register("ana")
        maubot = await stack.enter_async_context(Maubot(place / "maubot", homeserver.url))
        bot = await stack.enter_async_context(plugin_in(maubot, homeserver, mbp, account))
        yield Slow(homeserver, bot, ana, await bot.chat(ana))


async def founded(slow: Slow) -> Community:
    """A community with twenty groups, half of them wished for at once and half one after the other."""
    names = [f"Group {number}" for number in range(1, ALL + 1)]
    wished = " ".join(f'--group "{name}"' for name in names[:AT_ONCE])
    message = await slow.told(f"!community create {NAME} {wished}")
    await slow.becomes(message, "steps done")
    await slow.becomes(message, "is ready")
    space = (await slow.bot.communities())[NAME].space
    await slow.ana.wait_for_invite(space)
    await slow.ana.join(space)
    for name in names[AT_ONCE:]:
        await slow.ana.say(slow.chat, f'!community group add "{name}"')

    async def all_there() -> Community | None:
        found = (await slow.bot.communities()).get(NAME)
        groups = [each for each in found.groups if each.kind is Kind.GROUP] if found else []
        return found if len(groups) == ALL else None

    await eventually(all_there, "twenty groups are there", timeout=PATIENCE, interval=1)
    return await slow.bot.whole(NAME, ALL + 3)


async def test_twenty_groups_are_made_and_a_promotion_reaches_all_with_progress_in_one_message(
    slow: Slow,
) -> None:
    community = await founded(slow)
    assert set((await slow.bot.slots(NAME)).values()) == {1}
    await slow.ana.join(group(community, "Admins").room)
    leo = await slow.homeserver.register("leo")
    await slow.ana.invite(community.space, leo.user_id)
    await leo.join(await leo.wait_for_invite(community.space))

    before = await slow.replies_to_all()
    message = await slow.told(f"!community role add {leo.user_id} admin")
    await slow.becomes(message, "is now `admin`")
    for room in (community.space, *(each.room for each in community.groups)):
        assert await slow.bot.person.power(room, leo.user_id) == 90
    wordings = await slow.wordings(message)
    assert "steps done" in wordings[0]
    assert "is now `admin`" in wordings[-1]
    assert await slow.replies_to_all() == before + 1

"""A record damaged by hand on a real homeserver is put back as it was, by a reaction, also after a restart."""

import pytest

from embedded.matrix import Event
from embedded.person import Person
from embedded.waiting import eventually
from haven.model import Community
from tests.system.plugin_world import Bot, founded, group, told

pytestmark = pytest.mark.system

RECORD = "chat.haven.community"


@pytest.fixture(scope="module")
async def community(bot: Bot, ana: Person) -> Community:
    """A community and its owner."""
    return await founded(bot, ana, "Fragile", "Madrid")


async def heard(ana: Person, community: Community, words: str, after: str | None = None) -> Event:
    """Wait for what the bot says in the admins' room."""
    admins = group(community, "Admins").room
    return await ana.wait_for(admins, lambda event: words in str(event.content.get("body")), after=after)


async def test_a_damaged_record_is_put_back(bot: Bot, ana: Person, community: Community) -> None:
    await told(ana, community, "!c settings group_limit 42")
    before = await ana.state(community.space, RECORD)
    assert before is not None
    await ana.send_state(community.space, RECORD, {"oops": True})
    card = await heard(ana, community, "has damaged by hand what is written down of “Fragile”")
    await bot.maubot.stop_instance(bot.instance)
    await ana.react(card.room, card.id, "✅")
    await bot.maubot.start_instance(bot.instance)

    async def back() -> bool:
        return await ana.state(community.space, RECORD) == before

    await eventually(back, "the record is back")
    await heard(ana, community, "had put back what is written down of the community")
    assert "42" in await told(ana, community, "!c settings group_limit")

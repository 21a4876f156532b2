"""The running plugin and the running bridge with their databases on PostgreSQL, through crashes: what they must know is there, and only there."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from embedded.maubot import Maubot
from embedded.synapse import Synapse
from tests.conftest import Newcomer
from tests.databases import new_database
from tests.system.bridge_world import CHANNEL, world
from tests.system.plugin_world import Bot, card, code_in, group, plugin_in, told
from tests.system.test_plugin_trouble import founded_though_killed

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

ROOMS = 4


@pytest.fixture(scope="module")
async def database(postgres: str) -> str:
    """The address of maubot's database."""
    return await new_database(postgres)


@pytest.fixture(scope="module")
async def bot(
    homeserver: Synapse, mbp: Path, newcomer: Newcomer, server_data: Path, database: str
) -> AsyncIterator[Bot]:
    """A bot in a maubot of its own that keeps everything in PostgreSQL."""
    async with (
        Maubot(server_data / "on-postgres", homeserver.url, database=database) as maubot,
        plugin_in(maubot, homeserver, mbp, await newcomer("haven")) as running,
    ):
        yield running


async def rows(database: str, bot: Bot, table: str) -> int:
    """How many rows a table of the plugin's has; each instance of a plugin has a schema of its own."""
    connection = await asyncpg.connect(database)
    try:
        return int(await connection.fetchval(f'SELECT count(*) FROM "mbp_{bot.instance}".{table}'))  # noqa: S608
    finally:
        await connection.close()


async def test_a_founding_that_was_killed_is_taken_up_from_the_database(
    bot: Bot, newcomer: Newcomer, database: str
) -> None:
    ana = await newcomer("ana")
    await founded_though_killed(bot, ana, "Resumed", at=6, answered=True)
    assert set((await bot.slots("Resumed")).values()) == {1}
    assert await rows(database, bot, "job") == 1
    assert not list(bot.maubot.directory.glob("**/*.db"))


async def test_a_card_and_a_code_outlive_the_bot(bot: Bot, newcomer: Newcomer, database: str) -> None:
    ana, eva, leo = await newcomer("ana"), await newcomer("eva"), await newcomer("leo")
    await ana.say(await bot.chat(ana), "!community create Kept --group Madrid")
    community = await bot.whole("Kept", ROOMS)
    await ana.wait_for_invite(community.space)
    admins = group(community, "Admins").room
    for room in (community.space, admins):
        await ana.join(room)
    code = code_in(await told(ana, community, "!c invite create --name Friends"))
    await eva.knock(community.space, "I am Eva")
    shown = await card(ana, community, "I am Eva")
    await bot.maubot.kill()
    await bot.maubot.start()
    assert await rows(database, bot, "card") >= 1
    await ana.react(admins, shown, "✅")
    await leo.knock(community.space, code)
    for person in (eva, leo):
        await person.wait_for_invite(community.space)
        await person.join(community.space)
        await person.join(group(community, "Madrid").room)
    assert "founded the community" in await told(ana, community, "!c log --last 20")


async def test_the_bridge_carries_both_ways_and_loses_nothing_when_killed(postgres: str) -> None:
    database = await new_database(postgres)
    async with world(settings={"database": database}) as here:
        await here.link()
        await here.oscar.say(CHANNEL, "hello Matrix")
        (hello,) = await here.texts(1, lambda event: event.body == "hello Matrix")
        assert hello.sender.startswith("@_haven_irc_")
        await here.alice.say(here.room, "hello IRC")
        await here.oscar.heard("<Alice> hello IRC")
        await here.bridge.kill()
        await here.alice.say(here.room, "during the night")
        await here.bridge.start()
        await here.oscar.heard("<Alice> during the night")
        await here.oscar.say(CHANNEL, "good morning")
        await here.texts(1, lambda event: event.body == "good morning")
        for said in ("hello IRC", "during the night"):
            assert [line.text for line in here.oscar.received].count(f"<Alice> {said}") == 1
        assert not list(here.bridge.directory.glob("*.db"))

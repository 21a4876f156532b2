"""What is reported by a client's own button on a real homeserver comes before the admins, once each, also after a restart."""

import secrets
from pathlib import Path

import pytest

from embedded.maubot import Maubot
from embedded.person import Person
from embedded.synapse import Synapse
from embedded.waiting import eventually
from haven.model import Community
from tests.conftest import Newcomer
from tests.system.plugin_world import founded, group, plugin_in, told

pytestmark = pytest.mark.system

ASKED = ("GET", "/_synapse/admin/v1/event_reports")
PATIENCE = 100.0
"""Seconds: the bot asks the homeserver every thirty."""


async def cards(ana: Person, community: Community, message: str) -> list[str]:
    """The cards about a message, as they were dealt."""
    said = await ana.messages(group(community, "Admins").room)
    about = [event for event in said if message in str(event.content.get("body"))]
    return [str(event.content["body"]) for event in about if "m.new_content" not in event.content]


async def carded(ana: Person, community: Community, message: str) -> str:
    """Wait for the card about a message."""

    async def dealt() -> list[str]:
        return await cards(ana, community, message)

    return (await eventually(dealt, "there is a card", timeout=PATIENCE))[0]


async def test_a_report_by_a_client_becomes_a_card_once(
    homeserver: Synapse, maubot: Maubot, mbp: Path, newcomer: Newcomer
) -> None:
    ana, eva, leo = await newcomer("ana"), await newcomer("eva"), await newcomer("leo")
    guard = await homeserver.register(f"guard{secrets.token_hex(3)}", admin=True)
    async with plugin_in(maubot, homeserver, mbp, guard, "server_admin: true") as bot:
        community = await founded(bot, ana, "Watchful", "Madrid")
        madrid = group(community, "Madrid").room
        for person in (eva, leo):
            for room in (community.space, madrid):
                await person.join(room)

        async def asked() -> bool:
            return bot.proxy.counts[ASKED] > 0

        await eventually(asked, "the bot asks for reports", timeout=PATIENCE)
        elsewhere = await eva.create_dm(leo.user_id)
        await leo.join(elsewhere)
        private = await eva.say(elsewhere, "nobody else's affair")
        await leo.report(elsewhere, private, "nasty")
        first = await eva.say(madrid, "a nasty word")
        await leo.report(madrid, first, "It hurts")
        card = await carded(ana, community, first)
        assert "They say: It hurts" in card
        assert "nasty word" not in card
        assert leo.user_id not in card
        await bot.maubot.stop_instance(bot.instance)
        second = await eva.say(madrid, "another one")
        await leo.report(madrid, second)
        await bot.maubot.start_instance(bot.instance)
        await carded(ana, community, second)
        assert [len(await cards(ana, community, each)) for each in (first, second, private)] == [1, 1, 0]
        assert "does not reach me here" not in await told(ana, community, "!c reports")


async def test_where_the_bot_is_no_administrator_nothing_is_asked_and_it_is_said(
    homeserver: Synapse, maubot: Maubot, mbp: Path, newcomer: Newcomer
) -> None:
    ana = await newcomer("ana")
    async with plugin_in(maubot, homeserver, mbp, await newcomer("bot")) as bot:
        community = await founded(bot, ana, "Plain", "Madrid")
        assert "does not reach me here" in await told(ana, community, "!c reports")
        assert bot.proxy.counts[ASKED] == 0

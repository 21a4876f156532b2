"""The plugin beside others in one maubot: names of packages are global there, and ours must not meet theirs."""

import asyncio
import zipfile
from pathlib import Path

import pytest

from embedded.maubot import Maubot
from embedded.places import ROOT, environment
from embedded.synapse import Synapse
from scripts.build_plugin import build
from tests.conftest import Newcomer

pytestmark = pytest.mark.system

META = """\
id: test.rival
version: "1.0.0"
modules: [haven, plugin]
main_class: plugin/Rival
config: false
"""
ENTRY = """\
from maubot import MessageEvent, Plugin
from maubot.handlers import command
from haven.model import WHO
from plugin.bot import WHAT

class Rival(Plugin):
    @command.new("rival")
    async def rival(self, event: MessageEvent) -> None:
        await event.reply(f"{WHO} {WHAT}")
"""


def rival(directory: Path) -> Path:
    """A plugin of somebody else that owns packages called `haven` and `plugin`, with modules named like ours."""
    target = directory / "rival.mbp"
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("maubot.yaml", META)
        archive.writestr("haven/__init__.py", "")
        archive.writestr("haven/model.py", "WHO = 'their mind,'")
        archive.writestr("plugin/__init__.py", ENTRY)
        archive.writestr("plugin/bot.py", "WHAT = 'their plugin'")
    return target


@pytest.mark.parametrize("order", ["ours first", "theirs first"])
async def test_two_plugins_that_own_the_same_names_both_work(
    order: str, newcomer: Newcomer, homeserver: Synapse, own_data: Path
) -> None:
    ours, theirs, ana = await newcomer("haven"), await newcomer("rival"), await newcomer("ana")
    uploads = [build(output=own_data / "haven.mbp"), rival(own_data)]
    async with Maubot(own_data / "maubot", homeserver.url) as maubot:
        for mbp in uploads if order == "ours first" else reversed(uploads):
            await maubot.upload(mbp)
        [plugin] = set(await maubot.plugins()) - {"test.rival"}
        for bot, kind in ((ours, plugin), (theirs, "test.rival")):
            await maubot.add_client(bot.user_id, bot.token)
            await maubot.add_instance(kind, kind, bot.user_id)
        answers = {}
        for bot, words in ((ours, "!community help"), (theirs, "!rival")):
            room = await ana.create_dm(bot.user_id)
            await ana.wait_for(
                room, lambda event: event.content.get("membership") == "join" and event.sender != ana.user_id
            )
            asked = await ana.say(room, words)
            answers[words] = await ana.wait_for(
                room, lambda event: event.sender != ana.user_id and bool(event.body), after=asked
            )
    assert "create NAME" in answers["!community help"].body
    assert answers["!rival"].body.endswith("their mind, their plugin")


async def test_what_mbc_builds_from_the_plain_tree_starts_too(
    newcomer: Newcomer, homeserver: Synapse, own_data: Path
) -> None:
    target = own_data / "plain.mbp"
    mbc = environment("servers") / "bin" / "mbc"
    built = await asyncio.create_subprocess_exec(
        mbc,
        "build",
        "--output",
        target,
        ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await built.communicate()
    assert built.returncode == 0, said.decode()
    bot = await newcomer("haven")
    async with Maubot(own_data / "maubot", homeserver.url) as maubot:
        plugin = await maubot.upload(target)
        await maubot.add_client(bot.user_id, bot.token)
        await maubot.add_instance("plain", plugin, bot.user_id)

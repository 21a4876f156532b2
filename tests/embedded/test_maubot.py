"""maubot, and a plugin in it that nobody of us wrote with care."""

import os
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from embedded.maubot import Maubot, MaubotRefused
from embedded.synapse import Synapse
from tests.conftest import Newcomer

pytestmark = pytest.mark.system

META = """\
id: test.{name}
version: "1.0.0"
modules: [{module}]
main_class: {module}/Echo
config: true
database: false
"""
SOURCE = """\
from maubot import Plugin, MessageEvent
from maubot.handlers import command
from mautrix.util.config import BaseProxyConfig, ConfigUpdateHelper

class Config(BaseProxyConfig):
    def do_update(self, helper: ConfigUpdateHelper) -> None:
        helper.copy("greeting")

class Echo(Plugin):
    @classmethod
    def get_config_class(cls):
        return Config
    async def start(self) -> None:
        self.config.load_and_update()
        if self.config["greeting"] == "fail":
            raise ValueError("told to fail")
    @command.new("{word}")
    async def word(self, event: MessageEvent) -> None:
        await event.reply(self.config["greeting"])
"""


def plugin(directory: Path, name: str, module: str) -> Path:
    """A plugin that answers `!name` with what its configuration says."""
    target = directory / f"{name}.mbp"
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(
            "maubot.yaml", META.format(name=name, module=module) + "extra_files: [base-config.yaml]\n"
        )
        archive.writestr("base-config.yaml", "greeting: hello\n")
        archive.writestr("ballast", os.urandom(2 * 1024 * 1024))
        archive.writestr(f"{module}/__init__.py", SOURCE.format(word=name))
    return target


@pytest.fixture(scope="module")
async def maubot(homeserver: Synapse, server_data: Path) -> AsyncIterator[Maubot]:
    async with Maubot(server_data / "embedded-maubot", homeserver.url) as running:
        yield running


async def test_a_plugin_answers_also_after_stop_and_crash(
    newcomer: Newcomer, maubot: Maubot, tmp_path: Path
) -> None:
    bot = await newcomer("bot")
    ana = await newcomer("ana")
    await maubot.upload(plugin(tmp_path, "echo", "echoing"))
    await maubot.add_client(bot.user_id, bot.token)
    await maubot.add_instance("echo", "test.echo", bot.user_id)
    room = await ana.create_dm(bot.user_id)
    await ana.wait_for(
        room, lambda event: event.state_key == bot.user_id and event.content["membership"] == "join"
    )

    async def answer() -> str:
        asked = await ana.say(room, "!echo")
        return (await ana.wait_for(room, lambda event: event.sender == bot.user_id, after=asked)).body

    assert (await answer()).endswith("hello")
    await maubot.configure("echo", "greeting: hola")
    assert (await answer()).endswith("hola")
    await maubot.stop_instance("echo")
    assert not (await maubot.instance("echo"))["started"]
    await maubot.start_instance("echo")
    await maubot.kill()
    await maubot.start()
    assert (await answer()).endswith("hola")


async def test_what_is_no_plugin_is_refused_with_maubots_reason(maubot: Maubot, tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense.mbp"
    nonsense.write_bytes(b"nonsense")
    with pytest.raises(MaubotRefused) as refusal:
        await maubot.upload(nonsense)
    assert refusal.value.errcode == "plugin_invalid"


async def test_an_instance_that_does_not_start_is_an_error_with_the_log(
    newcomer: Newcomer, maubot: Maubot, tmp_path: Path
) -> None:
    bot = await newcomer("failing")
    await maubot.upload(plugin(tmp_path, "broken", "breaking"))
    await maubot.add_client(bot.user_id, bot.token)
    with pytest.raises(MaubotRefused, match="told to fail"):
        await maubot.add_instance("broken", "test.broken", bot.user_id, "greeting: fail")
    assert (await maubot.plugins())["test.broken"] == "1.0.0"

"""The stage: real servers on loopback, as an operator would set them up, in one directory that is thrown away."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from embedded.bridge import Bridge
from embedded.irc import IrcServer, PythonIrc
from embedded.maubot import Maubot
from embedded.person import Person
from embedded.processes import ChildFailed
from embedded.synapse import Synapse
from scripts.build_plugin import build

SERVER = "padres.test"
CHANNEL = "#padres_es"
"""The Python IRC server allows letters, digits and underscores."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs, and the bot's account."""

    synapse: Synapse
    maubot: Maubot
    bridge: Bridge
    irc: IrcServer
    bot: Person


@asynccontextmanager
async def stage(directory: Path) -> AsyncIterator[Stage]:
    """Starts all servers, and ends them all. They keep what they have in ``directory``, logs included."""
    async with AsyncExitStack() as servers:
        irc = await servers.enter_async_context(PythonIrc(directory / "irc"))
        registration = directory / "bridge" / "registration.yaml"
        synapse = Synapse(directory / "synapse", SERVER, appservices=[registration])
        bridge = _bridge(directory / "bridge", synapse, irc)
        written = await bridge.command("registration")
        if written.status != 0:
            raise ChildFailed(f"the bridge's registration was not written: {written.err}")
        await servers.enter_async_context(synapse)
        await servers.enter_async_context(bridge)
        maubot = await servers.enter_async_context(Maubot(directory / "maubot", synapse.url))
        bot = await _bot_with_plugin(synapse, maubot, directory)
        yield Stage(synapse, maubot, bridge, irc, bot)


def _bridge(directory: Path, synapse: Synapse, irc: IrcServer) -> Bridge:
    """The bridge, speaking Spanish, with one network."""
    network = {"host": irc.host, "port": irc.port, "tls": False, "nick": "haven", "burst": 20}
    return Bridge(directory, synapse.url, SERVER, {"irc": network}, {"language": "es"})


async def _bot_with_plugin(synapse: Synapse, maubot: Maubot, directory: Path) -> Person:
    """The bot's account, with the plugin running on it."""
    bot = await synapse.register("haven", secrets.token_hex(8))
    await bot.set_displayname("Haven")
    plugin = await maubot.upload(await asyncio.to_thread(build, output=directory))
    await maubot.add_client(bot.user_id, bot.token, autojoin=False)
    settings = {"bridge_bot": f"@haven-bridge:{SERVER}", "language": "es"}
    await maubot.add_instance("haven", plugin, bot.user_id, json.dumps(settings))
    return bot

"""A small world for the bridge's system tests: a real Synapse, a real IRC server, the real bridge, people on
both sides.
"""

import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedded.bridge import Bridge
from embedded.chatter import Chatter
from embedded.irc import LocalServer, PythonIrc
from embedded.person import Person
from embedded.proxy import Proxy
from embedded.synapse import Synapse
from tests.system.linked_room import BOT, DOMAIN, LinkedRoom

__all__ = ["BOT", "CHANNEL", "DOMAIN", "KEY", "World", "world"]

CHANNEL = "#fathers"
KEY = f"irc:{CHANNEL}"
BRIDGE_KEY = f"haven://irc/{CHANNEL}"
MEMORY = Path("/dev/shm")  # noqa: S108  # a tmpfs: servers start three times as fast

_NONE: Mapping[str, Any] = {}


@dataclass(slots=True)
class World(LinkedRoom):
    """All that runs. ``alice`` is at home on Matrix and made ``room``; ``oscar`` is operator of the IRC
    channel.
    """

    synapse: Synapse
    irc: LocalServer
    bridge: Bridge
    proxy: Proxy
    alice: Person
    oscar: Chatter
    room: str
    network: str = "irc"
    chat: str = CHANNEL

    async def link(self) -> None:
        """Ask for the link and prove it."""
        await self.ask_for_link()
        code = (await self.status("proof"))["code"]
        await self.oscar.say(CHANNEL, str(code))
        await self.status("linked")


@asynccontextmanager
async def world(
    irc_server: Callable[[Path], LocalServer] = PythonIrc,
    settings: Mapping[str, Any] = _NONE,
    irc_settings: Mapping[str, Any] = _NONE,
) -> AsyncIterator[World]:
    """Start everything, yield, end everything. The bridge speaks to the homeserver through ``proxy``; ``settings`` are
    more of its own, ``irc_settings`` more of the network's.
    """
    async with AsyncExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="haven-bridge-", dir=_memory()))
        directory = Path(place)
        irc = irc_server(directory / "irc")
        await stack.enter_async_context(irc)
        synapse = Synapse(directory / "synapse")
        proxy = await stack.enter_async_context(Proxy(synapse.url))
        network = {
            "host": irc.host,
            "port": irc.port,
            "tls": False,
            "rate": 10000,
            "burst": 1000,
            "retry_least": 0.1,
            "retry_most": 1,
            **irc_settings,
        }
        bridge = Bridge(
            directory / "bridge", proxy.url, DOMAIN, {"irc": network}, {"log": "debug", **settings}
        )
        made = await bridge.command("registration")
        assert made.status == 0, made.err
        synapse.appservices.append(bridge.registration)
        await stack.enter_async_context(synapse)
        alice = await synapse.register("alice")
        await alice.set_displayname("Alice")
        room = await alice.create_room(name="Fathers")
        oscar = await stack.enter_async_context(await Chatter.connect(irc.host, irc.port, "oscar"))
        await oscar.join(CHANNEL)
        await stack.enter_async_context(bridge)
        yield World(synapse, irc, bridge, proxy, alice, oscar, room)


def _memory() -> Path | None:
    return MEMORY if MEMORY.is_dir() else None

"""A small world for the bridge's system tests: a real Synapse, a real IRC server, the real bridge, people on
both sides.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedded.bridge import Bridge
from embedded.chatter import Chatter
from embedded.irc import Ngircd, PythonIrc
from embedded.matrix import Event
from embedded.person import Person
from embedded.proxy import Proxy
from embedded.synapse import Synapse

CHANNEL = "#fathers"
KEY = f"irc:{CHANNEL}"
BRIDGE_KEY = f"haven://irc/{CHANNEL}"
MEMORY = Path("/dev/shm")  # noqa: S108  # a tmpfs: servers start three times as fast
DOMAIN = "haven.test"
BOT = f"@haven-bridge:{DOMAIN}"


_NONE: Mapping[str, Any] = {}


@dataclass(slots=True)
class World:
    """All that runs. ``alice`` is at home on Matrix and made ``room``; ``oscar`` is operator of the IRC
    channel.
    """

    synapse: Synapse
    irc: PythonIrc | Ngircd
    bridge: Bridge
    proxy: Proxy
    alice: Person
    oscar: Chatter
    room: str

    async def ask_for_link(self, room: str = "", channel: str = CHANNEL) -> None:
        """What the plugin does: the bot invited, with power, and the link asked for in the room's state."""
        where = room or self.room
        await self.alice.invite(where, BOT)
        levels = await self.alice.state(where, "m.room.power_levels") or {}
        levels.setdefault("users", {})[BOT] = 90
        await self.alice.send_state(where, "m.room.power_levels", levels)
        link = {
            "version": 1,
            "network": "irc",
            "chat": channel,
            "by": self.alice.user_id,
            "proven": False,
            "chat.haven.test": "kept",
        }
        await self.alice.send_state(where, "chat.haven.link", link, f"irc:{channel}")

    async def status(self, state: str, channel: str = CHANNEL, timeout: float = 30) -> Mapping[str, Any]:
        """The status of the link in the room, once it is ``state``."""
        async with asyncio.timeout(timeout):
            while True:
                content = await self.alice.state(self.room, "m.bridge", f"haven://irc/{channel}") or {}
                status: Mapping[str, Any] = content.get("chat.haven.status", {})
                if status.get("state") == state:
                    return status
                await asyncio.sleep(0.1)

    async def link(self) -> None:
        """Ask for the link and prove it."""
        await self.ask_for_link()
        code = (await self.status("proof"))["code"]
        await self.oscar.say(CHANNEL, str(code))
        await self.status("linked")

    async def texts(self, number: int, fits: Callable[[Event], bool], timeout: float = 60) -> list[Event]:
        """The messages of the room that fit, oldest first, once there are at least so many."""
        async with asyncio.timeout(timeout):
            while True:
                found = [event for event in await self.history() if fits(event)]
                if len(found) >= number:
                    return found
                await asyncio.sleep(0.2)

    async def history(self) -> list[Event]:
        """Every message in the room, oldest first."""
        events = await self.alice.messages(self.room, limit=1000)
        messages = [event for event in events if event.type == "m.room.message"]
        return sorted(messages, key=lambda event: event.timestamp)


@asynccontextmanager
async def world(
    irc_server: type[PythonIrc | Ngircd] = PythonIrc, settings: Mapping[str, Any] = _NONE
) -> AsyncIterator[World]:
    """Start everything, yield, end everything. The bridge speaks to the homeserver through ``proxy``; ``settings`` are
    more of its own.
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

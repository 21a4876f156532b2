"""A real Synapse linked to the network in memory by a bridge in this very process, so that tests can act on both sides and see both."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bridge.app import Bridge
from bridge.config import Settings, read_secrets
from bridge.homeserver import NioHomeserver
from bridge.networks.acts import Act
from bridge.networks.events import Role
from bridge.networks.memory import MEMORY, MemoryNetwork, MemoryServer
from bridge.registration import register
from bridge.store import Store
from embedded.matrix import Event
from embedded.person import Person
from embedded.ports import HOST, free_port
from embedded.proxy import Proxy
from embedded.synapse import Synapse
from embedded.waiting import eventually
from haven.ids import ChatId, RemoteUserId
from tests.system.bridge_world import BOT, DOMAIN, _memory

CHAT = ChatId("fathers")


@dataclass(slots=True)
class World:
    """All that runs. ``alice`` is at home on Matrix and made ``room``; ``oscar`` is operator of the chat on ``town``.

    The bridge speaks to the homeserver through ``proxy``.
    """

    synapse: Synapse
    proxy: Proxy
    town: MemoryServer
    alice: Person
    room: str
    oscar: RemoteUserId

    async def link(self) -> None:
        """Ask for the link and prove it, as plugin and operator do."""
        await self.alice.invite(self.room, BOT)
        levels = await self.alice.state(self.room, "m.room.power_levels") or {}
        levels.setdefault("users", {})[BOT] = 90
        await self.alice.send_state(self.room, "m.room.power_levels", levels)
        link = {"version": 1, "network": "memory", "chat": CHAT, "by": self.alice.user_id, "proven": False}
        await self.alice.send_state(self.room, "chat.haven.link", link, f"memory:{CHAT}")
        await eventually(lambda: self._is("proof"), "a code to say")
        await self.town.speak(CHAT, self.oscar, str((await self._status())["code"]))
        await eventually(lambda: self._is("linked"), "the link")

    async def _status(self) -> dict[str, object]:
        content = await self.alice.state(self.room, "m.bridge", f"haven://memory/{CHAT}") or {}
        found = content.get("chat.haven.status")
        return found if isinstance(found, dict) else {}

    async def _is(self, state: str) -> bool:
        return (await self._status()).get("state") == state

    async def shown(self, kind: str, fits: Callable[[Event], bool] = lambda _: True) -> Event:
        """The first event of that type by a ghost that fits, once it is there."""

        def is_it(event: Event) -> bool:
            return event.type == kind and event.sender.startswith("@_haven_") and fits(event)

        return await self.alice.wait_for(self.room, is_it)

    async def done(self, fits: Callable[[Act], bool]) -> Act:
        """The first thing that the bridge did in the chat and that fits, once it has."""

        async def is_done() -> bool:
            return any(fits(part.outgoing.act) for part in self.town.chat(CHAT).heard)

        await eventually(is_done, "the bridge doing it in the chat")
        return next(part.outgoing.act for part in self.town.chat(CHAT).heard if fits(part.outgoing.act))


def _settings(directory: Path, homeserver: str, network: MemoryNetwork) -> Settings:
    port = free_port()
    return Settings(
        homeserver=homeserver,
        domain=DOMAIN,
        host=HOST,
        port=port,
        address=f"http://{HOST}:{port}",
        registration=directory / "registration.yaml",
        key_file=directory / "haven.key",
        database=f"sqlite:{directory}/bridge.db",
        language="en",
        display_name="{name} ({network})",
        log="debug",
        networks={MEMORY: network},
    )


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    """Start everything, yield, end everything."""
    async with AsyncExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="haven-memory-", dir=_memory()))
        directory, town = Path(place), MemoryServer()
        synapse = Synapse(directory / "synapse")
        proxy = await stack.enter_async_context(Proxy(synapse.url))
        settings = _settings(directory, proxy.url, MemoryNetwork(town))
        register(settings)
        synapse.appservices.append(settings.registration)
        await stack.enter_async_context(synapse)
        alice = await synapse.register("alice")
        await alice.set_displayname("Alice")
        oscar = await town.join(CHAT, "oscar", Role.OPERATOR)
        tokens = read_secrets(settings)
        homeserver = NioHomeserver.connect(settings.homeserver, tokens.appservice_token, settings.bot)
        stack.push_async_callback(homeserver.close)
        store = await stack.enter_async_context(Store(settings.database))
        running = asyncio.create_task(Bridge(settings, tokens, store, homeserver).run())
        stack.push_async_callback(_stop, running)
        yield World(synapse, proxy, town, alice, await alice.create_room("Fathers"), oscar.id)


async def _stop(running: "asyncio.Task[None]") -> None:
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running

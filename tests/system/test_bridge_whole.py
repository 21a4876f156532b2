"""A whole community linked to a whole community: real homeserver, real maubot with the plugin, the bridge, and a network in memory that
the tests drive. Groups, names, people and requests go both ways.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from bridge.app import Bridge
from bridge.config import Secrets, Settings, read_secrets
from bridge.homeserver import NioHomeserver
from bridge.networks.memory import MEMORY, MemoryNetwork, MemoryServer
from bridge.registration import register
from bridge.store import Store
from embedded.maubot import Maubot
from embedded.person import Person
from embedded.ports import HOST, free_port
from embedded.synapse import Synapse
from embedded.waiting import eventually
from haven.accord import Part
from haven.ids import ChatId, RemoteUserId
from haven.model import Community
from tests.system.bridge_world import DOMAIN
from tests.system.plugin_world import Bot, card, founded, group, plugin_in, told

pytestmark = pytest.mark.system

SAM = RemoteUserId("sam")


@dataclass
class Twins:
    """Both sides. Ana owns ours; Sam made the one on the network."""

    synapse: Synapse
    settings: Settings
    bot: Bot
    ana: Person
    ours: Community
    town: MemoryServer
    theirs: ChatId

    @asynccontextmanager
    async def bridged(self) -> AsyncIterator[None]:
        """The bridge runs."""
        tokens: Secrets = read_secrets(self.settings)
        homeserver = NioHomeserver.connect(self.synapse.url, tokens.appservice_token, self.settings.bot)
        async with Store(self.settings.database) as store:
            bridge = Bridge(self.settings, tokens, store, homeserver)
            running = asyncio.create_task(bridge.run())
            try:
                yield
            finally:
                running.cancel()
                with suppress(asyncio.CancelledError):
                    await running
                await homeserver.close()

    async def names(self) -> set[str]:
        """What our groups are called that are no archives."""
        found = (await self.bot.communities())[self.ours.name]
        return {each.name for each in found.groups if each.kind == "group" and not each.archived}

    def their_names(self) -> set[str]:
        """What their groups are called."""
        parish = self.town.land.parishes[self.theirs]
        return {self.town.land.looks[chat].name for chat, part in parish.groups.items() if part is Part.GROUP}

    async def until_alike(self, *names: str) -> None:
        """Wait for both sides to have just these groups."""

        async def alike() -> bool:
            return await self.names() == set(names) == self.their_names()

        await eventually(alike, f"both sides have {names}", timeout=90, interval=0.3)


@pytest.fixture(scope="module")
async def twins(mbp: Path, server_data: Path) -> AsyncIterator[Twins]:
    async with AsyncExitStack() as stack:
        place = server_data / "whole"
        place.mkdir()
        town, port = MemoryServer(), free_port()
        synapse = Synapse(place / "synapse")
        settings = Settings(
            homeserver=synapse.url,
            domain=DOMAIN,
            host=HOST,
            port=port,
            address=f"http://{HOST}:{port}",
            registration=place / "registration.yaml",
            key_file=place / "haven.key",
            database=f"sqlite:{place}/bridge.db",
            language="en",
            display_name="{name} ({network})",
            log="info",
            networks={MEMORY: MemoryNetwork(town)},
        )
        register(settings)
        synapse.appservices.append(settings.registration)
        await stack.enter_async_context(synapse)
        maubot = await stack.enter_async_context(Maubot(place / "maubot", synapse.url))
        account, ana = await synapse.register("haven"), await synapse.register("ana")
        config = f'bridge_bot: "{settings.bot}"\n'
        bot = await stack.enter_async_context(plugin_in(maubot, synapse, mbp, account, config))
        ours = await founded(bot, ana, "Fathers", "Madrid")
        theirs = await town.land.found("Fathers", "sam")
        yield Twins(synapse, settings, bot, ana, ours, town, theirs)


async def test_what_can_be_linked_is_told_and_the_whole_is_linked_and_kept_alike(twins: Twins) -> None:
    land, ana, town = twins.town.land, twins.ana, twins.town
    brno = await land.add(twins.theirs, "Brno", "For those in Brno")
    admins = group(twins.ours, "Admins").room
    async with twins.bridged():
        assert "admins' room" in await told(ana, twins.ours, "!c bridge chats memory")
        listed = await ana.wait_for(admins, lambda event: "a whole community" in event.body, timeout=60)
        assert f"{twins.theirs} – Fathers" in listed.body

        await told(ana, twins.ours, f"!c bridge link memory {twins.theirs} --whole")
        asked = await ana.wait_for(admins, lambda event: "One step is left" in event.body, timeout=90)
        code = asked.body.split("say ", 1)[1].split()[0].strip("`")
        await town.speak(land.announcements(twins.theirs), SAM, code)
        await twins.until_alike("Madrid", "Brno")

        await land.restyle(brno, name="Brno město")
        await land.add(twins.theirs, "Praga")
        await twins.until_alike("Madrid", "Brno město", "Praga")

        await told(ana, twins.ours, "!c group set Madrid name Madrid_centro")
        await told(ana, twins.ours, "!c group add Lisboa")
        await twins.until_alike("Madrid_centro", "Brno město", "Praga", "Lisboa")

        await land.release(twins.theirs, land.named(twins.theirs, "Praga"))
        await told(ana, twins.ours, "!c group archive Lisboa")
        await twins.until_alike("Madrid_centro", "Brno město")


async def test_people_hear_each_other_and_requests_are_answered_here(twins: Twins) -> None:
    land, ana, town = twins.town.land, twins.ana, twins.town
    madrid = land.named(twins.theirs, "Madrid_centro")
    room = group(twins.ours, "Madrid").room
    async with twins.bridged():
        await town.join(madrid, "eva")
        await town.speak(madrid, RemoteUserId("eva"), "hola")
        await ana.wait_for(room, lambda event: event.body == "hola", timeout=60)
        await ana.say(room, "buenas")
        assert any("buenas" in text for text in await town.heard(madrid, 1))

        await land.apply(twins.theirs, "adam", madrid)
        shown = await card(ana, twins.ours, "adam asks on memory")
        await ana.react(group(twins.ours, "Admins").room, shown, "✅")

        async def inside() -> bool:
            return "adam" in town.chat(madrid).people

        await eventually(inside, "the network lets Adam in", timeout=60)


async def test_unlinking_ends_it_all(twins: Twins) -> None:
    room = group(twins.ours, "Madrid").room
    async with twins.bridged():
        assert "undo the link" in await told(twins.ana, twins.ours, "!c bridge unlink memory")

        async def over() -> bool:
            events = await twins.ana.all_state(room)
            levels = await twins.ana.state(room, "m.room.power_levels") or {}
            wanted = [each for each in events if each.type == "chat.haven.link" and each.content]
            return not wanted and twins.settings.bot not in levels["users"]

        await eventually(over, "the links of the groups are undone", timeout=90)
        assert twins.their_names() == {"Madrid_centro", "Brno město"}

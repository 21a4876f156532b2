"""Files through the bridge on a real Synapse: an image there and back, byte for byte, stored once; links; limits."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import pytest
from ruamel.yaml import YAML
from yarl import URL

from bridge.app import Bridge
from bridge.config import Settings, read_secrets, read_settings
from bridge.homeserver import NioHomeserver
from bridge.message import Attachment, MediaKind, Message
from bridge.networks.events import Role
from bridge.networks.memory import EVERYTHING, LINES, MemoryNetwork, MemoryServer
from bridge.registration import register
from bridge.store import Store
from embedded.matrix import Event
from embedded.person import Person
from embedded.ports import HOST, free_port
from embedded.synapse import Synapse
from embedded.waiting import eventually
from embedded.wire import Wire
from haven.ids import ChatId, Network, RemoteUserId
from tests.bridge.test_media_shape import png

pytestmark = pytest.mark.system

DOMAIN = "haven.test"
BOT = f"@haven-bridge:{DOMAIN}"
RICH, POOR = Network("rich"), Network("poor")
CHAT = ChatId("fathers")
IMAGE = png(640, 480) + random.Random(18).randbytes(300_000)
OSCAR = RemoteUserId("oscar")


@dataclass
class World:
    """A Synapse, the bridge inside this process, ``wire`` between them, two networks in memory linked to a room each: one keeps files, one does not."""

    synapse: Synapse
    wire: Wire
    alice: Person
    store: Store
    towns: dict[Network, MemoryServer]
    rooms: dict[Network, str]

    async def upload(self, data: bytes, media_type: str = "image/png") -> str:
        """A file of Alice's."""
        where = f"{self.synapse.url}/_matrix/media/v3/upload"
        async with self.synapse.session.post(where, data=data, headers=self._headers(media_type)) as answer:
            return str((await answer.json())["content_uri"])

    async def download(self, mxc: str) -> bytes:
        """A file as Alice's client gets it."""
        where = f"{self.synapse.url}/_matrix/client/v1/media/download/{mxc.removeprefix('mxc://')}"
        async with self.synapse.session.get(where, headers=self._headers()) as answer:
            assert answer.status == 200
            return await answer.read()

    async def post(self, network: Network, mxc: str, data: bytes = IMAGE) -> None:
        """Alice shows a picture."""
        info = {"mimetype": "image/png", "size": len(data), "w": 640, "h": 480}
        content = {"msgtype": "m.image", "body": "cat.png", "filename": "cat.png", "url": mxc, "info": info}
        await self.alice.send(self.rooms[network], content)

    async def show(self, network: Network, *files: Attachment) -> None:
        """Oscar shows files."""
        await self.towns[network].speak(CHAT, OSCAR, Message((), attachments=files))

    async def sent(self, network: Network, fits: str = "") -> Message:
        """The first message of the bridge in the chat whose attachments or words fit."""

        def found() -> Message | None:
            for part in self.towns[network].chat(CHAT).heard:
                message = getattr(part.outgoing.act, "message", None)
                if isinstance(message, Message) and fits in f"{part.text} {message.attachments}":
                    return message
            return None

        async def there() -> bool:
            return found() is not None

        await eventually(there, "the bridge saying it")
        message = found()
        assert message is not None
        return message

    async def seen(self, network: Network, name: str) -> Event:
        """The event of a ghost in the room whose body has ``name`` in it."""
        return await self.alice.wait_for(
            self.rooms[network], lambda event: event.sender.startswith("@_haven_") and name in event.body
        )

    async def stored(self) -> int:
        """How many files of the bridge are on the homeserver's disk, whatever they are for."""
        directory = self.synapse.directory / "media" / "local_content"
        return await asyncio.to_thread(lambda: sum(path.is_file() for path in directory.rglob("*")))

    def _headers(self, media_type: str = "") -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.alice.token}",
            **({"Content-Type": media_type} if media_type else {}),
        }


def _settings(place: Path, url: str, port: int) -> Settings:
    file = place / "bridge.yaml"
    address = f"http://{HOST}:{port}"
    media = {"public_url": address, "largest_mib": 1}
    content = {
        "homeserver": {"url": url, "domain": DOMAIN},
        "appservice": {"host": HOST, "port": port, "url": address},
        "database": f"sqlite:{place}/bridge.db",
        "media": media,
        "networks": {"memory": {}},
    }
    with file.open("w") as out:
        YAML(typ="safe", pure=True).dump(content, out)
    return read_settings(file)


async def _link(world: World, network: Network) -> None:
    alice, room = world.alice, await world.alice.create_room(name=network)
    world.rooms[network] = room
    await world.towns[network].join(CHAT, "oscar", Role.OPERATOR)
    await alice.invite(room, BOT)
    levels = await alice.state(room, "m.room.power_levels") or {}
    levels.setdefault("users", {})[BOT] = 90
    await alice.send_state(room, "m.room.power_levels", levels)
    link = {"version": 1, "network": network, "chat": CHAT, "by": alice.user_id, "proven": False}
    await alice.send_state(room, "chat.haven.link", link, f"{network}:{CHAT}")

    async def status(state: str) -> dict[str, str]:
        content = await alice.state(room, "m.bridge", f"haven://{network}/{CHAT}") or {}
        found: dict[str, str] = content.get("chat.haven.status", {})
        return found if found.get("state") == state else {}

    async def asked() -> bool:
        return bool(await status("proof"))

    async def linked() -> bool:
        return bool(await status("linked"))

    await eventually(asked, "the code")
    await world.towns[network].speak(CHAT, OSCAR, (await status("proof"))["code"])
    await eventually(linked, "the link")


@pytest.fixture(scope="module")
async def world(server_data: Path) -> AsyncIterator[World]:
    place = server_data / "bridge-of-files"
    place.mkdir()
    port = free_port()
    towns = {RICH: MemoryServer(), POOR: MemoryServer()}
    rich = replace(EVERYTHING, media=frozenset(MediaKind))
    networks = {RICH: MemoryNetwork(towns[RICH], rich, RICH), POOR: MemoryNetwork(towns[POOR], LINES, POOR)}
    settings = _settings(place, "http://127.0.0.1:1", port)
    register(settings)
    async with AsyncExitStack() as stack:
        synapse = await stack.enter_async_context(
            Synapse(server_data / "synapse-of-files", appservices=[settings.registration])
        )
        wire = await stack.enter_async_context(Wire(HOST, URL(synapse.url).port or 0))
        settings = replace(settings, homeserver=f"http://{HOST}:{wire.port}", networks=networks)
        tokens = read_secrets(settings)
        homeserver = NioHomeserver.connect(settings.homeserver, tokens.appservice_token, settings.bot)
        stack.push_async_callback(homeserver.close)
        store = await stack.enter_async_context(Store(settings.database))
        running = asyncio.create_task(Bridge(settings, tokens, store, homeserver).run())
        world = World(synapse, wire, await synapse.register("alice"), store, towns, {})
        for network in networks:
            await _link(world, network)
        yield world
        running.cancel()
        await asyncio.wait([running])


async def test_an_image_there_and_back_byte_for_byte_and_stored_once(world: World) -> None:
    before = await world.stored()
    mxc = await world.upload(IMAGE)
    await world.post(RICH, mxc)
    (file,) = (await world.sent(RICH, "cat.png")).attachments
    assert world.towns[RICH].files.kept[file.url] == IMAGE
    assert (file.kind, file.size, file.width, file.height) == (MediaKind.IMAGE, len(IMAGE), 640, 480)
    # Oscar shows it to the others again, twice.
    back = replace(file, name="back.png", width=None, height=None)
    await world.show(RICH, back)
    event = await world.seen(RICH, "back.png")
    assert event.content["msgtype"] == "m.image"
    assert event.content["info"] == {"mimetype": "image/png", "size": len(IMAGE), "w": 640, "h": 480}
    assert await world.download(event.content["url"]) == IMAGE
    await world.show(RICH, replace(back, name="again.png"))
    again = await world.seen(RICH, "again.png")
    assert again.content["url"] == event.content["url"]
    # Alice's own, and one of the bridge: no third.
    assert await world.stored() == before + 2


async def test_a_network_without_files_gets_a_link_that_anybody_can_open_for_a_while(world: World) -> None:
    await world.post(POOR, await world.upload(IMAGE))
    words = "".join(span.text for span in (await world.sent(POOR, "cat.png")).text)
    link = words.split()[-1]
    async with aiohttp.ClientSession() as stranger, stranger.get(link) as answer:
        assert (answer.status, answer.content_type) == (200, "image/png")
        assert await answer.read() == IMAGE
    async with aiohttp.ClientSession() as stranger, stranger.get(link.replace("cat", "dog")) as answer:
        assert answer.status == 404


async def test_what_the_homeserver_finds_too_large_is_said_in_words(world: World) -> None:
    large = bytes(1024 * 1024 + 1)
    url = world.towns[RICH].files.put(large)
    await world.show(RICH, Attachment("large.bin", url, size=len(large)))
    event = await world.seen(RICH, "large.bin")
    assert event.content["msgtype"] == "m.text"
    assert "too large" in event.body


async def test_a_file_that_is_gone_is_said_in_words(world: World) -> None:
    await world.post(RICH, f"mxc://{DOMAIN}/AAAAAAAAAAAAAAAAAAAAAAAA")
    message = await world.sent(RICH, "not there")
    assert message.attachments == ()


async def in_the_middle(world: World, trouble: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
    """Have trouble come once when the next upload has half passed."""
    seen = 0
    due: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def watch(piece: bytes) -> None:
        nonlocal seen
        seen = len(piece) if b"/_matrix/media/v3/upload" in piece else seen + len(piece) if seen else 0
        if seen > len(IMAGE) // 2 and not due.done():
            due.set_result(None)

    async def strike() -> None:
        await due
        world.wire.sent = None
        await trouble()

    world.wire.sent = watch
    return asyncio.create_task(strike())


async def test_an_upload_that_is_cut_is_done_again_and_stored_once(world: World) -> None:
    before, data = await world.stored(), png(64, 64) + random.Random(1).randbytes(300_000)
    striking = await in_the_middle(world, world.wire.cut)
    await world.show(RICH, Attachment("cut.png", world.towns[RICH].files.put(data), "image/png", len(data)))
    event = await world.seen(RICH, "cut.png")
    assert striking.done()
    assert await world.download(event.content["url"]) == data
    assert await world.stored() == before + 1


async def test_a_homeserver_that_dies_in_the_middle_has_the_file_when_it_is_back(world: World) -> None:
    data = png(64, 64) + random.Random(2).randbytes(300_000)

    async def die() -> None:
        await world.synapse.kill()
        await world.wire.cut()
        await world.synapse.start()

    striking = await in_the_middle(world, die)
    await world.show(RICH, Attachment("late.png", world.towns[RICH].files.put(data), "image/png", len(data)))
    await world.show(
        RICH, Attachment("after.png", world.towns[RICH].files.put(IMAGE), "image/png", len(IMAGE))
    )
    await striking
    event = await world.seen(RICH, "late.png")
    assert event.content["msgtype"] == "m.image"
    assert await world.download(event.content["url"]) == data
    await world.seen(RICH, "after.png")
    bodies = [each.body for each in await world.alice.messages(world.rooms[RICH])]
    assert [body for body in bodies if body in ("late.png", "after.png")] == ["late.png", "after.png"]

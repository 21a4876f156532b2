"""One process that carries files as the bridge does, and tells by how much its memory rose. Started by `benchmarks.media`.

What comes from the network is made piece by piece, what goes to it is counted and forgotten: nobody here holds a file but the bridge's own parts.
Writes a JSON object to its output: way -> MiB.
"""

import asyncio
import gc
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from aiohttp import ClientSession, web

from bridge.homeserver import NioHomeserver
from bridge.i18n import Voice
from bridge.media import Media
from bridge.media_settings import MIB, MediaSettings
from bridge.message import Attachment, MediaKind, Message
from bridge.networks.media import PIECE, Body
from bridge.networks.memory import EVERYTHING, LINES, MemoryNetwork, MemoryServer
from bridge.store import Store
from embedded.ports import HOST, free_port
from haven.ids import ChatId, UserId

FROM_NETWORK, TO_NETWORK, LINK, HELD = (
    "from the network to Matrix",
    "from Matrix to the network",
    "a link, read from outside",
    "for comparison: held whole",
)
CHAT = ChatId("films")


class Endless(MemoryNetwork):
    """A network with files of any size that it never holds. ``taken``: bytes that it was given."""

    taken = 0

    async def upload(self, chat: ChatId, attachment: Attachment, body: Body) -> str:
        """Count, and forget."""
        async for piece in body:
            self.taken += len(piece)
        return "endless:ours"

    @asynccontextmanager
    async def _made(self, attachment: Attachment) -> AsyncIterator[Body]:
        yield _pieces(attachment.size or 0)

    download = _made


async def _pieces(size: int) -> Body:
    while size > 0:
        yield bytes(min(PIECE, size))
        size -= PIECE


async def carry(url: str, token: str, bot: str, size: int, directory: Path) -> dict[str, float]:
    """A file of ``size`` bytes each way, after a small one that wakes everything up."""
    port = free_port()
    homeserver = NioHomeserver.connect(url, token, UserId(bot))
    network = Endless(MemoryServer(), replace(EVERYTHING, media=frozenset(MediaKind)))
    settings = MediaSettings(public_url=f"http://{HOST}:{port}", largest=2 * size + MIB)
    async with Store(f"sqlite:{directory}/probe.db") as store:
        media = Media(settings, key=bytes(16), store=store, repository=homeserver.media, voice=Voice("en"))
        app = web.Application()
        app.add_routes(media.routes())
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, HOST, port).start()
        try:
            await _each(media, network, PIECE)
            return await _each(media, network, size)
        finally:
            await runner.cleanup()
            await homeserver.close()


async def _each(media: Media, network: Endless, size: int) -> dict[str, float]:
    file = Attachment("film.bin", f"endless:{size}", size=size)
    stored: list[Attachment] = []

    async def inwards() -> None:
        stored.extend((await media.for_matrix(network, Message((), attachments=(file,)))).attachments)

    async def outwards() -> None:
        before = network.taken
        await media.for_network(network, CHAT, Message((), attachments=tuple(stored)))
        if network.taken - before != size:
            raise RuntimeError("the file did not arrive whole")

    async def linked() -> None:
        words = await media.for_network(
            MemoryNetwork(MemoryServer(), LINES), CHAT, Message((), attachments=tuple(stored))
        )
        await _read("".join(span.text for span in words.text).split()[-1], size)

    async def held() -> None:
        _ = bytes(size).replace(b"\0", b"\1")

    ways: dict[str, Callable[[], Awaitable[None]]] = {
        FROM_NETWORK: inwards,
        TO_NETWORK: outwards,
        LINK: linked,
        HELD: held,
    }
    return {name: await _risen(way) for name, way in ways.items()}


async def _read(link: str, size: int) -> None:
    async with ClientSession() as session, session.get(link) as answer:
        got = 0
        async for piece in answer.content.iter_chunked(PIECE):
            got += len(piece)
    if got != size:
        raise RuntimeError("the link did not give the whole file")


async def _risen(work: Callable[[], Awaitable[None]]) -> float:
    """By how many MiB the memory of this process rose at most meanwhile (proc(5): VmHWM, set back by clear_refs)."""
    before = _fresh()
    await work()
    return max(0.0, (_status("VmHWM") - before) / 1024)


def _fresh() -> int:
    """Forget the highest memory so far; the memory now in KiB."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


if __name__ == "__main__":
    given = sys.argv[1:]
    risen = asyncio.run(carry(given[0], given[1], given[2], int(given[3]), Path(given[4])))
    sys.stdout.write(json.dumps(risen))

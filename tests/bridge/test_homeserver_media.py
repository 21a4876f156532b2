"""The homeserver's store of files over nio: streamed both ways, in the bot's name, and what failures mean. Over real HTTP."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from bridge.homeserver import NioHomeserver
from bridge.homeserver_media import NioMedia
from bridge.networks.media import PIECE, Body
from haven.errors import HavenError, Invalid, Missing, RateLimited, Refused, Unreachable
from haven.ids import UserId

BOT = UserId("@haven-bridge:haven.test")
GHOST = UserId("@_haven_irc_a:haven.test")
MXC = "mxc://other.test:8448/abc_DEF-1"


@dataclass
class Answering:
    """A homeserver that notes what it is asked. ``body`` is a file; ``cut``: how much of it is sent; ``old``: it has no authenticated media;
    ``hasty``: it answers before it has read.
    """

    media: NioMedia = field(init=False)
    asked: list[web.Request] = field(default_factory=list)
    taken: bytes = b""
    status: int = 200
    answer: bytes = b'{"content_uri": "mxc://haven.test/new"}'
    body: bytes = b"a file"
    cut: int | None = None
    old: bool = False
    hasty: bool = False

    async def upload(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        if not self.hasty:
            self.taken = await request.read()
        return web.Response(status=self.status, body=self.answer, content_type="application/json")

    async def download(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        if self.status != 200 or (self.old and "/client/" in request.path):
            status = 404 if self.old else self.status
            return web.json_response({"errcode": "M_UNRECOGNIZED"}, status=status)
        response = web.StreamResponse(
            headers={"Content-Type": "image/png", "Content-Length": str(len(self.body))}
        )
        await response.prepare(request)
        await response.write(self.body[: self.cut])
        if self.cut is not None and request.transport is not None:
            request.transport.close()
        return response

    async def config(self, request: web.Request) -> web.Response:
        if self.old and "/client/" in request.path:
            raise web.HTTPNotFound
        return web.Response(status=self.status, body=self.answer, content_type="application/json")


@pytest.fixture
async def server() -> AsyncIterator[Answering]:
    server = Answering()
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/_matrix/media/v3/upload", server.upload)
    for place in ("client/v1/media", "media/v3"):
        app.router.add_get(f"/_matrix/{place}/download/{{server}}/{{file}}", server.download)
        app.router.add_get(f"/_matrix/{place}/config", server.config)
    runner = web.AppRunner(app, lingering_time=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    homeserver = NioHomeserver.connect(f"http://127.0.0.1:{runner.addresses[0][1]}", "secret-token", BOT)
    server.media = homeserver.as_user(GHOST).media
    yield server
    await homeserver.close()
    await runner.cleanup()


async def pieces(data: bytes, then: HavenError | None = None) -> Body:
    """``data`` as a body, which may end in trouble."""
    for start in range(0, len(data), PIECE):
        yield data[start : start + PIECE]
    if then is not None:
        raise then


async def read(media: NioMedia, mxc: str = MXC) -> bytes:
    async with media.download(mxc) as fetched:
        return b"".join([piece async for piece in fetched.body])


async def test_uploads_as_the_bot_with_its_size_and_name(server: Answering) -> None:
    data = bytes(range(256)) * 2000
    assert (
        await server.media.upload(pieces(data), len(data), "image/png", "čat.png") == "mxc://haven.test/new"
    )
    (request,) = server.asked
    assert server.taken == data
    assert dict(request.query) == {"filename": "čat.png", "user_id": BOT}
    assert request.headers["Authorization"] == "Bearer secret-token"
    assert (request.content_type, request.content_length) == ("image/png", len(data))


async def test_downloads_from_the_authenticated_address(server: Answering) -> None:
    server.body = bytes(range(256)) * 2000
    async with server.media.download(MXC) as fetched:
        assert (fetched.size, fetched.media_type) == (len(server.body), "image/png")
        found = [piece async for piece in fetched.body]
    assert b"".join(found) == server.body
    assert max(map(len, found)) <= PIECE
    (request,) = server.asked
    assert request.path == "/_matrix/client/v1/media/download/other.test:8448/abc_DEF-1"
    assert request.headers["Authorization"] == "Bearer secret-token"


async def test_an_old_homeserver_has_another_address(server: Answering) -> None:
    server.old = True
    assert await read(server.media) == b"a file"
    assert server.asked[-1].path.startswith("/_matrix/media/v3/download/")
    server.answer = b'{"m.upload.size": 1000}'
    assert await server.media.largest() == 1000


@pytest.mark.parametrize(
    ("said", "largest"), [(b'{"m.upload.size": 7}', 7), (b"{}", None), (b'{"m.upload.size": "7"}', None)]
)
async def test_what_it_takes_at_most(server: Answering, said: bytes, largest: int | None) -> None:
    server.answer = said
    assert await server.media.largest() == largest


@pytest.mark.parametrize(
    "mxc",
    ["", "mxc://", "mxc://a", "mxc://a/b/c", "mxc://a/../b", "mxc://a/b?c", "http://a/b", "mxc://a b/c"],
)
async def test_what_is_no_address_is_not_asked_for(server: Answering, mxc: str) -> None:
    with pytest.raises(Invalid):
        await read(server.media, mxc)
    assert server.asked == []


@pytest.mark.parametrize(
    ("status", "body", "error", "key"),
    [
        (413, b'{"errcode": "M_TOO_LARGE"}', Refused, "media_too_large"),
        (413, b"<html>413</html>", Refused, "media_too_large"),
        (403, b'{"errcode": "M_FORBIDDEN"}', Refused, "media_not_taken"),
        (400, b'{"errcode": "M_UNKNOWN"}', Refused, "media_not_taken"),
        (429, b'{"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 5}', RateLimited, "rate_limited"),
        (502, b"<html>", Unreachable, "unreachable"),
        (200, b"<html>", Unreachable, "unreachable"),
        (200, b'{"content_uri": "http://evil"}', Invalid, "media_missing"),
    ],
)
async def test_what_a_refused_upload_means(
    server: Answering, status: int, body: bytes, error: type[HavenError], key: str
) -> None:
    server.status, server.answer = status, body
    with pytest.raises(error) as caught:
        await server.media.upload(pieces(b"data"), 4, "image/png", "x")
    assert caught.value.key == key


@pytest.mark.parametrize(
    ("status", "error"), [(404, Missing), (403, Missing), (502, Unreachable), (429, RateLimited)]
)
async def test_what_a_refused_download_means(server: Answering, status: int, error: type[HavenError]) -> None:
    server.status = status
    with pytest.raises(error):
        await read(server.media)


@pytest.mark.parametrize(
    "trouble", [Unreachable("media_cut"), Missing("media_missing"), Invalid("media_larger", most="1")]
)
async def test_what_goes_wrong_at_the_source_comes_out_as_it_is(
    server: Answering, trouble: HavenError
) -> None:
    with pytest.raises(type(trouble)) as caught:
        await server.media.upload(pieces(b"x" * 200_000, trouble), 300_000, "image/png", "x")
    assert caught.value is trouble
    assert server.taken == b""


@pytest.mark.parametrize(("size", "key"), [(300_000, "media_cut"), (100_000, "media_size_false")])
async def test_a_body_of_another_size_is_not_stored(server: Answering, size: int, key: str) -> None:
    with pytest.raises(HavenError) as caught:
        await server.media.upload(pieces(b"x" * 200_000), size, "image/png", "x")
    assert caught.value.key == key


async def test_an_answer_before_the_end_is_heard(server: Answering) -> None:
    server.hasty, server.status, server.answer = True, 413, b'{"errcode": "M_TOO_LARGE"}'
    with pytest.raises(HavenError) as caught:
        await server.media.upload(pieces(bytes(20 * 1024 * 1024)), 20 * 1024 * 1024, "image/png", "x")
    assert caught.value.key in ("media_too_large", "unreachable")


async def test_a_download_that_breaks_off(server: Answering) -> None:
    server.body, server.cut = b"x" * 200_000, 100_000
    with pytest.raises(Unreachable) as caught:
        await read(server.media)
    assert caught.value.key == "media_cut"


async def test_messages_do_not_wait_for_files(server: Answering) -> None:
    """Bodies that stand still take no place from requests: as many as there are places, and one more."""
    hold = asyncio.Event()

    async def still() -> Body:
        yield b"x"
        await hold.wait()
        yield b"y"

    uploads = [asyncio.create_task(server.media.upload(still(), 2, "image/png", "x")) for _ in range(20)]
    server.answer = b'{"m.upload.size": 7, "content_uri": "mxc://haven.test/new"}'
    assert await server.media.largest() == 7
    hold.set()
    await asyncio.gather(*uploads)


@dataclass
class Slow:
    """A homeserver that stops in the middle until it is told to go on; ``moved``: bytes that it took, or gave."""

    media: NioMedia = field(init=False)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    on: asyncio.Event = field(default_factory=asyncio.Event)
    moved: int = 0

    async def upload(self, request: web.Request) -> web.Response:
        self.begun.set()
        await self.on.wait()
        async for piece in request.content.iter_any():
            self.moved += len(piece)
        return web.json_response({"content_uri": "mxc://haven.test/new"})

    async def download(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(LARGE)})
        await response.prepare(request)
        self.begun.set()
        for _ in range(LARGE // PIECE):
            await response.write(bytes(PIECE))
            self.moved += PIECE
        return response


LARGE = 64 * 1024 * 1024
AHEAD = 16 * 1024 * 1024
"""Bytes that sockets may hold between the two sides; what the bridge holds itself is far less."""


@pytest.fixture
async def slow() -> AsyncIterator[Slow]:
    slow = Slow()
    app = web.Application(client_max_size=2 * LARGE)
    app.router.add_post("/_matrix/media/v3/upload", slow.upload)
    app.router.add_get("/_matrix/client/v1/media/download/{server}/{file}", slow.download)
    runner = web.AppRunner(app, lingering_time=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    homeserver = NioHomeserver.connect(f"http://127.0.0.1:{runner.addresses[0][1]}", "secret-token", BOT)
    slow.media = homeserver.media
    yield slow
    await homeserver.close()
    await runner.cleanup()


async def all_ready() -> None:
    """Let everything run that can: what is not held up by the other side would be through many times over."""
    for _ in range(5000):
        await asyncio.sleep(0)


async def test_nothing_is_read_ahead_for_a_homeserver_that_does_not_take_it(slow: Slow) -> None:
    made = 0

    async def counted() -> Body:
        nonlocal made
        for _ in range(LARGE // PIECE):
            made += PIECE
            yield bytes(PIECE)

    uploading = asyncio.create_task(slow.media.upload(counted(), LARGE, "video/mp4", "film.mp4"))
    await slow.begun.wait()
    await all_ready()
    assert 0 < made <= AHEAD
    slow.on.set()
    await uploading
    assert (made, slow.moved) == (LARGE, LARGE)


async def test_nothing_is_taken_ahead_for_somebody_who_does_not_read(slow: Slow) -> None:
    async with slow.media.download(MXC) as fetched:
        await slow.begun.wait()
        await all_ready()
        assert 0 < slow.moved <= AHEAD
        assert sum([len(piece) async for piece in fetched.body]) == LARGE

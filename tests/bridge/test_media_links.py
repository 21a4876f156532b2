"""The links that the bridge serves: signed, expiring, streamed, and nothing under them that a browser would run."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import ClientPayloadError, ClientSession, web
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from bridge.i18n import Voice
from bridge.media_links import AT_ONCE, DAY, Links, Served
from bridge.networks.media import PIECE
from embedded.waiting import eventually
from haven.errors import Unreachable
from haven.ids import UserId
from tests.fakes.homeserver_media import FakeMedia

ALICE = UserId("@alice:haven.test")
KEY = b"0123456789abcdef"


@asynccontextmanager
async def unharmed(_port: str) -> AsyncIterator[None]:
    """No faults."""
    yield


@dataclass
class Door:
    """The bridge's web server, its clock, and the files behind it."""

    url: str = ""
    now: float = 1_800_000_000.0
    files: FakeMedia = field(default_factory=FakeMedia)
    links: Links = field(init=False)

    def made(self, data: bytes = b"data", media_type: str = "image/png", name: str = "my cat.png") -> str:
        """A link to a new file."""
        link = self.links.link(self.files.put(data, media_type, ALICE), name)
        assert link is not None
        return link


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    door = Door()
    app = web.Application()
    runner = web.AppRunner(app)
    links = Links(KEY, "PUBLIC", 7, lambda: door.now)
    app.add_routes(Served(links, door.files.of(ALICE, unharmed), Voice("en"), 1.0).routes())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    door.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    door.links = Links(KEY, door.url, 7, lambda: door.now)
    yield door
    await runner.cleanup()


@pytest.fixture
async def browser() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


async def test_a_link_gives_the_file(door: Door, browser: ClientSession) -> None:
    data = bytes(range(256)) * 5000
    async with browser.get(door.made(data)) as answer:
        assert (answer.status, answer.content_type, answer.content_length) == (200, "image/png", len(data))
        assert answer.headers["Content-Disposition"] == 'inline; filename="my-cat.png"'
        assert await answer.read() == data
    async with browser.head(door.made(data)) as answer:
        assert (answer.status, answer.content_length) == (200, len(data))


@pytest.mark.parametrize(
    "media_type", ["text/html", "image/svg+xml", "application/xhtml+xml", "text/javascript"]
)
async def test_nothing_that_a_browser_would_run(door: Door, browser: ClientSession, media_type: str) -> None:
    async with browser.get(door.made(b"<script>", media_type, "x.html")) as answer:
        assert answer.content_type == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]


async def test_a_link_ends(door: Door, browser: ClientSession) -> None:
    link = door.made()
    door.now += 7 * DAY
    async with browser.get(link) as answer:
        assert answer.status == 200
    door.now += DAY + 1
    async with browser.get(link) as answer:
        assert answer.status == 410
        assert "too old" in await answer.text()
    assert door.links.file(link) == "mxc://haven.test/file1", "it still says which file it was"


async def test_a_link_is_the_same_all_day_and_no_longer_than_a_line(door: Door) -> None:
    mxc = door.files.put(b"", "image/png", ALICE)
    door.now = 20_000.0 * DAY
    first = door.links.link(mxc, "a" * 500 + ".png")
    door.now += DAY - 1
    assert door.links.link(mxc, "a" * 500 + ".png") == first
    assert first is not None
    assert len(first) < 160


@given(st.text(), st.integers(0, 2**33))
def test_any_name_makes_a_link_that_is_read_again(name: str, now: int) -> None:
    links = Links(KEY, "https://bridge.example", 7, lambda: now)
    link = links.link("mxc://haven.test:8448/AbC_-~9", name)
    assert link is not None
    assert str(URL(link, encoded=True)) == link == link.encode("ascii").decode()
    ticket, server, file, shown = link.removeprefix("https://bridge.example/media/").split("/")
    assert links.read(ticket, server, file, shown) == links.file(link) == "mxc://haven.test:8448/AbC_-~9"


async def test_whoever_changes_a_link_gets_nothing(door: Door, browser: ClientSession) -> None:
    link = door.made()
    other = door.files.put(b"secret", "text/plain", ALICE)
    ticket, server, file, name = link.removeprefix(f"{door.url}/media/").split("/")
    end, signature = ticket.split("-", 1)
    forged = [
        (ticket, server, other.rpartition("/")[2], name),
        (ticket, "other.test", file, name),
        (ticket, server, file, "cat.exe"),
        (f"zzzzzzz-{signature}", server, file, name),
        (f"{end}-", server, file, name),
        (end, server, file, name),
        ("-", server, file, name),
        (f"{end}-{signature[:-1]}", server, file, name),
        (f"{end}-{signature}é", server, file, name),
        (ticket, server, "%2e%2e%2f" + file, name),
        (ticket, server, file, name + "%00"),
    ]
    for parts in forged:
        async with browser.get(f"{door.url}/media/{'/'.join(parts)}") as answer:
            assert answer.status == 404, parts
    assert door.files.downloads == 0
    stranger = Links(b"another key of us", door.url, 7, lambda: door.now).link(other, "x")
    assert stranger is not None
    async with browser.get(stranger) as answer:
        assert answer.status == 404


async def test_without_a_public_address_there_are_no_links(door: Door) -> None:
    link = door.made()
    silent = Links(KEY, "", 7, lambda: door.now)
    assert silent.link("mxc://haven.test/file1", "x") is None
    assert silent.file(link) is None
    assert door.links.file("https://elsewhere.example/media/a-b/c/d/e") is None


async def test_a_file_that_is_gone_or_cannot_be_reached(door: Door, browser: ClientSession) -> None:
    link = door.made()
    door.files.fault = Unreachable()
    async with browser.get(link) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
    door.files.fault = None
    door.files.kept.clear()
    async with browser.get(link) as answer:
        assert answer.status == 404


async def test_a_body_that_breaks_off_does_not_look_whole(door: Door, browser: ClientSession) -> None:
    link = door.made(bytes(10 * PIECE))
    for sized in (True, False):
        door.files.cut, door.files.sized = PIECE, sized
        async with browser.get(link) as answer:
            with pytest.raises(ClientPayloadError):
                await answer.read()


async def test_who_reads_too_slowly_or_is_one_too_many_is_sent_away(
    door: Door, browser: ClientSession
) -> None:
    link = door.made(bytes(64 * 1024 * 1024))
    async with ClientSession() as slow:
        readers = [await slow.get(link) for _ in range(AT_ONCE)]
        async with browser.get(link) as answer:
            assert answer.status == 503

        async def free() -> bool:
            async with browser.head(link) as answer:
                return answer.status == 200

        await eventually(free, "the places of those who do not read on to be free again")
        for reader in readers:
            with pytest.raises(ClientPayloadError):
                await reader.read()

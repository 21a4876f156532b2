"""Files that people of a network name by an ordinary address: fetched through the guard, or said in words."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bridge.i18n import Voice
from bridge.media import Media
from bridge.media_settings import MIB, MediaSettings
from bridge.message import Attachment, MediaKind, Message, plain
from bridge.networks.irc import build
from bridge.section import Section
from bridge.store import Store
from tests.bridge.lives import BOT
from tests.bridge.test_media_links import unharmed
from tests.bridge.test_media_shape import png
from tests.bridge.website import Website
from tests.fakes.homeserver_media import FakeMedia

IRC = build(Section("irc", {"host": "irc.haven.test"}))
"""A network that neither takes files nor gives them: it knows addresses only. It is not connected."""


@dataclass
class Here:
    """The part of the bridge that carries files, and a website that it trusts."""

    website: Website
    files: FakeMedia
    media: Media

    async def shown(self, path: str, host: str = "127.0.0.1") -> Message:
        """What becomes of a message that names a file of the website."""
        url = f"http://{host}:{self.website.port}/{path}"
        return await self.media.for_matrix(IRC, Message((), attachments=(Attachment(path, url),)))


@pytest.fixture
async def here(website: Website, tmp_path: Path) -> AsyncIterator[Here]:
    files = FakeMedia()
    settings = MediaSettings(
        largest=MIB, types=("image/*", "video/*"), trusted_hosts=frozenset({"127.0.0.1"})
    )
    async with Store(f"sqlite:{tmp_path}/bridge.db") as store:
        repository = files.of(BOT, unharmed)
        yield Here(
            website,
            files,
            Media(settings, key=b"x" * 16, store=store, repository=repository, voice=Voice("en")),
        )


async def test_a_file_is_fetched_once_and_seen_for_what_it_is(here: Here) -> None:
    here.website.body = png(32, 16) + bytes(500)
    message = await here.shown("cat.bin")
    again = await here.shown("cat.bin")
    (file,) = message.attachments
    assert message == again
    assert (file.kind, file.media_type, file.size) == (MediaKind.IMAGE, "image/png", len(here.website.body))
    assert (file.width, file.height) == (32, 16)
    assert here.files.kept[file.url].data == here.website.body
    assert len(here.website.asked) == 1


async def test_the_same_picture_from_two_addresses_is_stored_once(here: Here) -> None:
    here.website.body = png(32, 16)
    (one,) = (await here.shown("a.png")).attachments
    (other,) = (await here.shown("b.png")).attachments
    assert one.url == other.url
    assert len(here.files.kept) == 1


@pytest.mark.parametrize(
    ("headers", "size", "why"),
    [
        ({}, MIB + 1, "It is too large; at most 1 MiB are carried."),
        ({"Content-Type": "text/html"}, 10, "Files of this kind are not carried."),
    ],
)
async def test_what_is_not_carried_can_still_be_opened_where_it_is(
    here: Here, headers: dict[str, str], size: int, why: str
) -> None:
    here.website.body, here.website.headers = b"<" * size, headers
    message = await here.shown("film.mp5")
    url = f"http://127.0.0.1:{here.website.port}/film.mp5"
    assert (plain(message.text), message.attachments) == (f"📎 film.mp5: {why} {url}", ())
    # An address that tells a number is not repeated.
    assert plain((await here.shown("34600111222.mp5")).text) == f"📎 ….mp5: {why}"


async def test_an_address_inside_is_neither_asked_nor_repeated(here: Here) -> None:
    message = await here.shown("cat.png", "localhost")
    assert plain(message.text) == "📎 cat.png: It is at an address that the bridge does not ask."
    assert here.website.asked == []

"""Numbers and addresses of people on other networks: none of them reaches the homeserver's database, its media, or a log at DEBUG (R15)."""

import logging
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from io import StringIO
from pathlib import Path

import pytest

from bridge.message import Attachment, Contact, MediaKind, Mention, Message, Reply, Span, spans
from bridge.networks.events import Role
from embedded.waiting import eventually
from haven.ids import RemoteMessageId, RemoteUserId
from tests.system.memory_world import CHAT, World, world

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

ADA = RemoteUserId("491701555123@s.whatsapp.net")
BEN = RemoteUserId("canary.ben@example.org/phone")
CANARIES = ("1701555", "canary.ben", "canary-host", "@s.whatsapp.net")
"""Parts that stand in every spelling of their numbers and addresses."""
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x07\0\0\0\x09" + bytes(20)


@pytest.fixture
def log() -> Iterator[StringIO]:
    """All that the bridge logs, at DEBUG."""
    written, loggers = StringIO(), [logging.getLogger(name) for name in ("bridge", "haven")]
    handler = logging.StreamHandler(written)
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    yield written
    for logger in loggers:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)


@pytest.fixture
async def here(log: StringIO) -> AsyncIterator[World]:
    async with world() as everything:
        await everything.link()
        yield everything


async def everything_is_said(here: World) -> None:
    """All that could carry a number or an address of somebody."""
    town, say = here.town, here.town.speak
    await town.join(CHAT, ADA, Role.MEMBER)
    await town.join(CHAT, BEN, Role.MEMBER)
    await town.rename(CHAT, ADA, "Ada")
    first = await say(CHAT, ADA, "from Ada")
    await town.rename(CHAT, BEN, "+49 170 1555 124")
    await say(CHAT, BEN, "from Ben")
    mention = Span("@491701555123", mention=Mention(person=ADA))
    await say(CHAT, BEN, Message((mention, Span(" is meant"))))
    unknown = Reply(RemoteMessageId("m-unknown"), ADA, "what was said before")
    await say(CHAT, BEN, Message(spans("an answer to nothing"), reply=unknown))
    await say(CHAT, ADA, Message(spans("an answer"), reply=Reply(first, BEN, "from Ada")))
    card = Contact(
        "+49 170 1555123", "BEGIN:VCARD\nTEL:+491701555123\nEMAIL:canary.ben@example.org\nEND:VCARD"
    )
    await say(CHAT, ADA, Message(spans("a card"), contacts=(card,)))
    url = town.files.put(PNG)
    for name in ("IMG-491701555123.png", "canary.ben@example.org.png", "491701555123@s.whatsapp.net.png"):
        photo = Attachment(name, url, "image/png", len(PNG), MediaKind.IMAGE)
        await say(CHAT, BEN, Message((), attachments=(photo,)))
    missing = Attachment("+491701555123.png", "https://canary-host.example/491701555123", "image/png")
    await say(CHAT, BEN, Message(spans("a file that is gone"), attachments=(missing,)))
    await town.edit(CHAT, ADA, first, "from Ada, corrected")
    await town.react(CHAT, BEN, first, "👍")
    await town.delete(CHAT, BEN, first)
    await town.leave(CHAT, BEN)
    await say(CHAT, ADA, "the last word")


async def something_fails(here: World, log: StringIO) -> None:
    """The room refuses what she says: it is set aside, which is logged and told."""
    levels = await here.alice.state(here.room, "m.room.power_levels") or {}
    await here.alice.send_state(here.room, "m.room.power_levels", {**levels, "events_default": 80})
    await here.town.speak(CHAT, ADA, "this is refused")

    async def is_set_aside() -> bool:
        return "Set aside" in log.getvalue()

    await eventually(is_set_aside, "what was refused is set aside", timeout=120)


def cells(database: Path) -> Iterator[tuple[str, object]]:
    """Every value of every table."""
    with sqlite3.connect(database) as connection:
        tables = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        for table in tables:
            for row in connection.execute(f'SELECT * FROM "{table}"'):  # noqa: S608  # a name out of the schema
                yield from ((table, value) for value in row)
    connection.close()


def leaks(text: str) -> list[str]:
    """The canaries that sing in a text, also where a number is written with gaps."""
    closed = re.sub(r"(?<=\d)[\s().…-]+(?=\d)", "", text)
    return [canary for canary in CANARIES if canary in text or canary in closed]


def files(place: Path) -> Iterator[tuple[str, str]]:
    """The names of all files, and what stands in the logs."""
    for file in place.rglob("*"):
        yield "file name", str(file.relative_to(place))
        if file.suffix == ".log":
            yield file.name, file.read_text(errors="replace")


async def test_no_canary_sings(here: World, log: StringIO) -> None:
    await everything_is_said(here)
    await here.shown("m.room.message", lambda event: event.body == "the last word")
    await something_fails(here, log)
    seen = [
        *cells(here.synapse.directory / "homeserver.db"),
        *files(here.synapse.directory),
        ("log", log.getvalue()),
    ]
    assert any("the last word" in str(value) for _, value in seen), "the dump holds what was said"
    assert "Ready" in log.getvalue()
    assert not [(where, str(value)[:600]) for where, value in seen if leaks(str(value))]

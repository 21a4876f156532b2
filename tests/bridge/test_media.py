"""Files on their way through the whole bridge, between the fake homeserver and the memory network."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge.media_settings import MIB, MediaSettings
from bridge.message import Attachment, MediaKind, Message, spans
from bridge.networks.base import Capabilities
from bridge.networks.media import PIECE
from bridge.networks.memory import EVERYTHING, LINES, MEMORY
from haven.errors import Invalid, Refused, TryLater, Unreachable
from tests.bridge.lives import BOT, CHAT, Lives
from tests.bridge.test_media_shape import png
from tests.fakes.homeserver_faults import Killed

CAT = png(640, 480) + bytes(range(256)) * 1000
RICH = replace(EVERYTHING, media=frozenset(MediaKind))
PUBLIC = "https://bridge.example"


async def started(place: Path, capabilities: Capabilities = RICH, **settings: Any) -> Lives:
    lives = Lives(place, capabilities, media=MediaSettings(**settings))
    await lives.begin()
    await lives.live()
    await lives.link()
    return lives


@pytest.fixture
async def lives(tmp_path: Path) -> AsyncIterator[Lives]:
    lives = await started(tmp_path, largest=MIB)
    yield lives
    await lives.end()


@pytest.fixture
async def lines(tmp_path: Path) -> AsyncIterator[Lives]:
    """A network that keeps no files, and a bridge that people reach from outside."""
    lives = await started(tmp_path, LINES, largest=MIB, public_url=PUBLIC)
    yield lives
    await lives.end()


def cat(lives: Lives, **more: Any) -> Attachment:
    """A picture that Oscar shows."""
    url = lives.town.files.put(CAT)
    return replace(Attachment("cat.png", url, "image/png", len(CAT), MediaKind.IMAGE), **more)


async def shows(lives: Lives, *files: Attachment, text: str = "") -> None:
    await lives.town.speak(CHAT, lives.oscar, Message(spans(text), attachments=files))


async def posts(lives: Lives, mxc: str, transaction: str = "1", **content: Any) -> None:
    """Alice shows a picture."""
    info = {"mimetype": "image/png", "size": len(CAT), "w": 640, "h": 480}
    whole = {"msgtype": "m.image", "body": "cat.png", "url": mxc, "info": info, **content}
    await lives.alice.send_message(lives.room, "m.room.message", whole, transaction)


def mine(lives: Lives, data: bytes = CAT) -> str:
    """A file of Alice's on the homeserver."""
    return lives.files.put(data, "image/png", lives.alice.user, "cat.png")


def sent(lives: Lives) -> list[Message]:
    """The messages that the bridge sent into the chat, but for the first, about the link."""
    acts = [part.outgoing.act for part in lives.town.chat(CHAT).heard[1:]]
    return [act.message for act in acts if hasattr(act, "message")]


def counted(lives: Lives) -> dict[tuple[str, str], float]:
    """What became of files, as Prometheus is told: by direction and outcome."""
    assert lives.bridge is not None
    (files,) = lives.bridge._metrics._files.collect()
    found = {(each.labels["direction"], each.labels["outcome"]): each.value for each in files.samples}
    return {what: number for what, number in found.items() if number}


# --- from the network -------------------------------------------------------------------------------------------


async def test_a_picture_from_the_network_is_stored_as_the_bridge_and_shown_by_the_ghost(
    lives: Lives,
) -> None:
    await shows(lives, cat(lives, name="+34600111222.png"))
    await lives.until(lambda: len(lives.said()) == 1)
    ((mxc, kept),) = lives.files.kept.items()
    assert (kept.data, kept.media_type, kept.name, kept.by) == (CAT, "image/png", "….png", BOT)
    (event,) = lives.by_ghosts("m.room.message")
    assert (event.content["msgtype"], event.content["url"]) == ("m.image", mxc)
    assert event.content["info"] == {"mimetype": "image/png", "size": len(CAT), "w": 640, "h": 480}
    assert "34600" not in str(event.content)
    assert counted(lives) == {("in", "carried"): 1.0}


async def test_bodies_are_never_whole_in_memory(lives: Lives) -> None:
    data = bytes(MIB)
    url = lives.town.files.put(data)
    await shows(lives, Attachment("zeros.bin", url, size=len(data)))
    await lives.until(lambda: len(lives.said()) == 1)
    assert (lives.files.longest, lives.files.pieces) == (PIECE, len(data) // PIECE)
    await posts(lives, mine(lives, data), info={"size": len(data), "mimetype": "image/png"})
    await lives.until(lambda: len(sent(lives)) == 1)
    assert lives.town.files.longest == PIECE


async def test_the_same_file_is_stored_once(lives: Lives) -> None:
    picture = cat(lives)
    await shows(lives, picture)
    await shows(lives, picture)
    small = png(1, 1)
    await shows(
        lives, Attachment("a.png", lives.town.files.put(small), "image/png", len(small), MediaKind.STICKER)
    )
    await shows(
        lives, Attachment("b.png", lives.town.files.put(small), "image/png", len(small), MediaKind.IMAGE)
    )
    await lives.until(lambda: len(lives.by_ghosts("m.room.message")) + len(lives.by_ghosts("m.sticker")) == 4)
    assert sorted(len(kept.data) for kept in lives.files.kept.values()) == [len(small), len(CAT)]
    await lives.live()
    await lives.until(lambda: bool(lives.town.accounts) and lives.status()["state"] == "linked")
    await shows(lives, picture)
    await lives.until(lambda: len(lives.by_ghosts("m.room.message")) + len(lives.by_ghosts("m.sticker")) == 5)
    assert len(lives.files.kept) == 2


async def test_a_file_without_a_size_is_measured_when_it_is_small(lives: Lives) -> None:
    await shows(lives, cat(lives, size=None))
    await lives.until(lambda: len(lives.said()) == 1)
    (event,) = lives.by_ghosts("m.room.message")
    assert isinstance(event.content["info"], dict)
    assert event.content["info"]["size"] == len(CAT)


@pytest.mark.parametrize("size", [len(CAT) - 1, len(CAT) * 3])
async def test_a_false_size_does_not_keep_the_words(
    lives: Lives, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.media_trouble.PATIENCE", 0.0)
    await shows(lives, cat(lives, size=size), text="look")
    await lives.until(lambda: len(lives.said()) == 1)
    assert lives.said()[0].startswith("look\n📎 cat.png: It ")
    assert lives.files.kept == {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"size": MIB + 1}, "📎 cat.png: It is too large; at most 1 MiB are carried."),
        ({"url": "memory://file/0"}, "📎 cat.png: The file is not there any more."),
        ({"url": "mxc://haven.test/secret"}, "📎 cat.png: It may not be fetched."),
    ],
)
async def test_what_cannot_come_is_said_in_words(lives: Lives, change: dict[str, Any], words: str) -> None:
    await shows(lives, cat(lives, **change))
    await lives.until(lambda: len(lives.said()) == 1)
    assert lives.said() == [words]
    assert lives.files.kept == {}
    assert counted(lives) == {("in", "said"): 1.0}


async def test_the_homeservers_own_limit_counts(lives: Lives) -> None:
    lives.files.limit = 1000
    await shows(lives, cat(lives))
    await lives.until(lambda: len(lives.said()) == 1)
    assert "too large" in lives.said()[0]


async def test_of_two_at_once_one_is_stored(lives: Lives) -> None:
    """A chat that is linked to two rooms says everything twice at the same moment."""
    assert lives.bridge is not None
    network = lives.bridge._networks[MEMORY]
    said = Message((), attachments=(cat(lives),))
    first, second = await asyncio.gather(*(lives.bridge._media.for_matrix(network, said) for _ in range(2)))
    assert first == second
    assert (lives.town.files.downloads, len(lives.files.kept)) == (1, 1)


async def test_a_type_that_is_not_allowed_stays_out(tmp_path: Path) -> None:
    lives = await started(tmp_path, types=("image/png", "audio/*"))
    page = lives.town.files.put(b"<html>hello</html>")
    await shows(lives, Attachment("page.html", page, "text/html", 18), cat(lives))
    await lives.until(lambda: len(lives.said()) >= 1 and len(lives.files.kept) == 1)
    assert "📎 page.html: Files of this kind are not carried." in " ".join(lives.said())
    await lives.end()


async def test_what_pretends_to_be_a_picture_is_a_file(lives: Lives) -> None:
    page = lives.town.files.put(b"<html>hello</html>")
    await shows(lives, Attachment("cat.png", page, "image/png", 18, MediaKind.IMAGE))
    await lives.until(lambda: len(lives.said()) == 1)
    (event,) = lives.by_ghosts("m.room.message")
    assert event.content["msgtype"] == "m.file"
    (kept,) = lives.files.kept.values()
    assert kept.media_type == "application/octet-stream"


async def test_trouble_that_passes_costs_nothing(lives: Lives) -> None:
    lives.town.files.failures = 2
    await shows(lives, cat(lives))
    await shows(lives, text="after it")
    await lives.until(lambda: len(lives.said()) == 2)
    assert [event.content["msgtype"] for event in lives.by_ghosts("m.room.message")] == ["m.image", "m.text"]


async def test_a_homeserver_in_trouble_is_waited_for(lives: Lives) -> None:
    lives.files.fault = Unreachable("server_error")
    await shows(lives, cat(lives))
    await lives.until(lambda: lives.homeserver.faults.count("upload") >= 2)
    lives.files.fault = None
    await lives.until(lambda: len(lives.said()) == 1)
    assert len(lives.files.kept) == 1


async def test_trouble_that_does_not_pass_keeps_a_room_waiting_for_a_while_only(
    lives: Lives, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.media_trouble.PATIENCE", 0.5)
    lives.town.files.cut = PIECE
    await shows(lives, cat(lives), text="look")
    await shows(lives, text="after it")
    await lives.until(lambda: len(lives.said()) == 2)
    assert lives.said() == ["look\n📎 cat.png: It cannot be reached.", "after it"]
    assert lives.files.kept == {}


async def test_a_body_that_crawls_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lives = await started(tmp_path, seconds=0.2)

    async def crawl(_files: object, _data: bytes) -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.Event().wait()

    monkeypatch.setattr("bridge.networks.memory_files.Files._pieces", crawl)
    await shows(lives, cat(lives))
    await lives.until(lambda: len(lives.said()) == 1)
    assert lives.said() == ["📎 cat.png: It took too long."]
    await lives.end()


# --- to the network ---------------------------------------------------------------------------------------------


async def test_a_picture_from_matrix_is_put_on_the_network(lives: Lives) -> None:
    await posts(lives, mine(lives))
    await lives.until(lambda: len(sent(lives)) == 1)
    (file,) = sent(lives)[0].attachments
    assert lives.town.files.kept[file.url] == CAT
    assert (file.name, file.media_type, file.size, file.kind) == (
        "cat.png",
        "image/png",
        len(CAT),
        MediaKind.IMAGE,
    )
    assert (file.width, file.height) == (640, 480)


async def test_byte_for_byte_there_and_back(lives: Lives) -> None:
    await posts(lives, mine(lives))
    await lives.until(lambda: len(sent(lives)) == 1)
    (file,) = sent(lives)[0].attachments
    await shows(lives, file)
    await lives.until(lambda: len(lives.said()) == 1)
    (event,) = lives.by_ghosts("m.room.message")
    assert lives.files.kept[str(event.content["url"])].data == CAT


async def test_the_same_file_is_put_there_once(lives: Lives) -> None:
    mxc = mine(lives)
    await posts(lives, mxc, "1")
    await posts(lives, mxc, "2")
    await lives.until(lambda: len(sent(lives)) == 2)
    assert (lives.town.files.uploads, lives.files.downloads) == (1, 1)


async def test_a_network_without_files_gets_a_link(lines: Lives) -> None:
    await posts(lines, mine(lines))
    await lines.until(lambda: len(lines.heard()) == 2)
    said = lines.heard()[1]
    assert said.startswith(f"<Alice> 📎 cat.png (257 kB) {PUBLIC}/media/")
    assert said.endswith("/haven.test/file1/cat.png")
    assert lines.files.downloads == 0
    assert counted(lines) == {("out", "linked"): 1.0}
    # And a link of ours that comes back is the file it stands for.
    link = said.split()[-1]
    await shows(lines, Attachment("cat.png", link, "image/png", kind=MediaKind.IMAGE))
    await lines.until(lambda: len(lines.said()) == 1)
    (event,) = lines.by_ghosts("m.room.message")
    assert event.content["url"] == "mxc://haven.test/file1"
    assert len(lines.files.kept) == 1


async def test_without_a_public_address_the_name_is_said(poor: Lives) -> None:
    await posts(poor, mine(poor))
    await poor.until(lambda: len(poor.heard()) == 2)
    assert poor.heard()[1] == "<Alice> 📎 cat.png (257 kB)"


@pytest.mark.parametrize("refusal", [Refused("network_refused"), Invalid("media_larger", most="1")])
async def test_what_the_network_does_not_take_becomes_a_link(
    tmp_path: Path, refusal: Refused | Invalid
) -> None:
    lives = await started(tmp_path, public_url=PUBLIC)
    lives.town.files.refuses = refusal
    await posts(lives, mine(lives))
    await lives.until(lambda: len(lives.heard()) == 2)
    assert f"📎 cat.png (257 kB) {PUBLIC}/media/" in lives.heard()[1]
    assert sent(lives)[0].attachments == ()
    await lives.end()


async def test_a_network_that_keeps_no_such_files_gets_a_link(tmp_path: Path) -> None:
    can = replace(RICH, media=frozenset({MediaKind.AUDIO}), media_bytes=10)
    lives = await started(tmp_path, can, public_url=PUBLIC)
    await posts(lives, mine(lives))
    await lives.until(lambda: len(lives.heard()) == 2)
    assert f"📎 cat.png (257 kB) {PUBLIC}/media/" in lives.heard()[1]
    assert lives.town.files.uploads == 0
    await lives.end()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"info": {"size": 2 * MIB, "mimetype": "image/png"}}, "It is too large; at most 1 MiB are carried."),
        ({"url": "mxc://haven.test/gone"}, "The file is not there any more."),
        ({"url": "mxc://haven.test/../../x"}, "The file is not there any more."),
        ({"url": "https://evil.example/cat.png"}, "The bridge cannot read it; perhaps it is encrypted."),
        (
            {"url": None, "file": {"url": "mxc://haven.test/file1"}},
            "The bridge cannot read it; perhaps it is encrypted.",
        ),
    ],
)
async def test_what_cannot_go_is_said_in_words(lives: Lives, content: dict[str, Any], words: str) -> None:
    await posts(lives, mine(lives), **content)
    await lives.until(lambda: len(lives.heard()) == 2)
    assert lives.heard()[1] == f"<Alice> 📎 cat.png: {words}"
    assert lives.town.files.kept == {}


async def test_a_file_that_says_a_false_size_stops_at_the_limit(lives: Lives) -> None:
    lives.files.sized = False
    await posts(lives, mine(lives, bytes(MIB + 1)))
    await lives.until(lambda: len(lives.heard()) == 2)
    assert lives.town.files.kept == {}


async def test_a_download_that_breaks_off_is_tried_again(lives: Lives) -> None:
    lives.files.cut = PIECE
    await posts(lives, mine(lives))
    await lives.until(lambda: lives.files.downloads >= 2)
    lives.files.cut = None
    await lives.until(lambda: len(sent(lives)) == 1)
    (file,) = sent(lives)[0].attachments
    assert lives.town.files.kept == {file.url: CAT}


STEPS = range(1, 15)
"""More than it takes to carry a picture."""


@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", STEPS)
async def test_killed_at_any_step_a_picture_is_shown_once(
    tmp_path: Path, at: int, after_effect: bool
) -> None:
    lives = await started(tmp_path)
    lives.fate.at, lives.fate.after_effect = lives.fate.steps + at, after_effect
    with suppress(TryLater, Killed):  # a network with history says again by itself what was not taken
        await shows(lives, cat(lives))
    await lives.until(lambda: lives.dead or lives.said() == ["cat.png"])
    await lives.live()
    await lives.until(lambda: bool(lives.said()))
    await lives.until(lambda: bool(lives.town.accounts) and lives.status()["state"] == "linked")
    await lives.town.speak(CHAT, lives.oscar, "after it")
    await lives.until(lambda: "after it" in lives.said())
    assert lives.said() == ["cat.png", "after it"]
    (event, _) = lives.by_ghosts("m.room.message")
    assert lives.files.kept[str(event.content["url"])].data == CAT
    # What is killed between the store's answer and our memory of it lies there for nobody; nothing else does.
    assert len(lives.files.kept) <= 2
    await lives.end()

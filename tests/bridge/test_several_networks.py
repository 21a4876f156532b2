"""One group linked to two networks: everybody hears everybody exactly once, and nobody hears themselves."""

from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from bridge.message import Attachment, MediaKind, Message, spans
from bridge.networks.acts import Delete, Say
from bridge.networks.events import Role, Said
from bridge.networks.memory import MemoryNetwork, MemoryServer
from haven.errors import TryLater
from haven.ids import ChatId, Network, RemoteUserId
from tests.bridge.lives import CHAT, Lives
from tests.bridge.test_media_shape import png
from tests.fakes.homeserver_faults import Killed

CLUB, HALL = Network("club"), ChatId("hall")
OLGA = RemoteUserId("olga")


class Both:
    """Lives with a second network, which is linked as well. Olga is operator there."""

    def __init__(self, place: Path) -> None:
        self.club = MemoryServer()
        self.lives = Lives(place, others={CLUB: self.club})

    async def link(self) -> None:
        """Link the room to both."""
        lives = self.lives
        await self.club.join(HALL, "olga", Role.OPERATOR)
        await lives.link()
        wanted = {"version": 1, "network": CLUB, "chat": HALL, "by": lives.alice.user, "proven": False}
        await lives.alice.send_state(lives.room, "chat.haven.link", f"{CLUB}:{HALL}", wanted)
        await lives.until(lambda: self.status().get("state") == "proof")
        await self.club.speak(HALL, OLGA, str(self.status()["code"]))
        await lives.until(lambda: self.status().get("state") == "linked")

    def status(self) -> dict[str, object]:
        """The second link's status."""
        content = self.lives.homeserver.rooms[self.lives.room].content("m.bridge", f"haven://{CLUB}/{HALL}")
        found = content.get("chat.haven.status", {})
        assert isinstance(found, dict)
        return found

    def heard(self) -> tuple[list[str], list[str]]:
        """What each network heard of what people said, the answers to codes left out."""
        theirs = [part.text for part in self.club.chat(HALL).heard if part.outgoing.sender is not None]
        parts = self.lives.town.chat(CHAT).heard
        return [part.text for part in parts if part.outgoing.sender is not None], theirs


def connected(server: MemoryServer) -> bool:
    """Whether the bridge hears what happens there."""
    (account,) = server.accounts
    return isinstance(account, MemoryNetwork) and account.connected


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[Both]:
    both = Both(tmp_path)
    await both.lives.begin()
    await both.lives.live()
    await both.link()
    yield both
    await both.lives.end()


async def test_each_message_reaches_all_others_once_and_never_comes_back(both: Both) -> None:
    lives = both.lives
    await lives.town.speak(CHAT, lives.oscar, "from the town")
    await both.club.speak(HALL, OLGA, "from the club")
    await lives.say("from Matrix")
    await lives.until(lambda: len(both.heard()[0]) == len(both.heard()[1]) == 2)
    await lives.say("the end")
    await lives.until(lambda: len(both.heard()[0]) == len(both.heard()[1]) == 3)
    town, club = both.heard()
    assert sorted(town) == ["<Alice> from Matrix", "<Alice> the end", "<olga (club)> from the club"]
    assert sorted(club) == ["<Alice> from Matrix", "<Alice> the end", "<oscar (memory)> from the town"]
    assert sorted(lives.said()) == ["from the club", "from the town"]


async def test_edits_reactions_and_deletions_go_on_too(both: Both) -> None:
    lives = both.lives
    message = await lives.town.speak(CHAT, lives.oscar, "helo")
    await lives.until(lambda: len(both.heard()[1]) == 1)
    first = both.club.chat(HALL).heard[-1].id
    await lives.town.edit(CHAT, lives.oscar, message, "hello")
    await lives.town.react(CHAT, lives.oscar, message, "👍")
    await lives.town.delete(CHAT, lives.oscar, message)
    await lives.until(lambda: len(both.heard()[1]) >= 4)
    acts = [part.outgoing.act for part in both.club.chat(HALL).heard if part.outgoing.sender][1:]
    assert [type(act).__name__ for act in acts[:3]] == ["Edit", "React", "Delete"]
    assert {getattr(act, "target", None) for act in acts[:3]} == {first}
    # The edit is an event of its own in the room, and taken back there, too.
    assert all(isinstance(act, Delete) for act in acts[3:])
    assert both.heard()[0] == []


@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(2, 12, 3))
async def test_killed_on_the_way_nothing_is_doubled(both: Both, at: int, *, after_effect: bool) -> None:
    lives = both.lives
    lives.fate.at, lives.fate.after_effect = lives.fate.steps + at, after_effect
    said = Said(both.club.next_id(), HALL, both.club.chat(HALL).people[OLGA], Message(spans("once")))
    with suppress(Killed, TryLater, ConnectionError):
        await both.club.tell(said)
    await lives.until(lambda: lives.dead or len(both.heard()[0]) == 1)
    await lives.live()
    await lives.until(lambda: len(both.club.accounts) == 1 and connected(both.club))
    await both.club.tell(said)
    await both.club.speak(HALL, OLGA, "the end")
    await lives.until(lambda: "<olga (club)> the end" in both.heard()[0])
    assert both.heard()[0].count("<olga (club)> once") <= 1
    assert lives.said() == ["once", "the end"]
    assert both.heard()[1] == []


async def test_a_picture_of_one_network_is_put_on_the_other_and_stored_once(both: Both) -> None:
    lives, picture = both.lives, png(64, 32)
    file = Attachment("cat.png", lives.town.files.put(picture), "image/png", len(picture), MediaKind.IMAGE)
    await lives.town.speak(CHAT, lives.oscar, Message((), attachments=(file,)))
    await lives.until(lambda: len(both.heard()[1]) == 1)
    (act,) = [part.outgoing.act for part in both.club.chat(HALL).heard if part.outgoing.sender is not None]
    assert isinstance(act, Say)
    (sent,) = act.message.attachments
    assert both.club.files.kept == {sent.url: picture}
    assert (sent.kind, sent.width, sent.height) == (MediaKind.IMAGE, 64, 32)
    assert len(lives.files.kept) == 1
    assert both.heard()[0] == []

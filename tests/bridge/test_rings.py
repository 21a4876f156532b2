"""Nothing goes round for ever: other bridges that repeat what they hear are recognised, and people who talk are not."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.rings import CHORUS, QUICKLY, STRIKES, Rings
from haven.ids import RemoteUserId, UserId
from tests.bridge.lives import BOT, CHAT, Lives
from tests.fakes.homeserver_room import Event

PREFIXES = ["<ana> ", "[irc] ana: ", "(ana) ", "ana (irc): ", "<ana> <ben> ", "«ana» "]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_words_with_a_name_before_them_go_round(prefix: str) -> None:
    rings, text, left_out = Rings(), "hello", []
    for turn in range(10):
        text = prefix + text if turn else text
        left_out.append(rings.goes_round("link", "robot" if turn else "ana", text, turn / 10))
    assert left_out == [False] * STRIKES + [True] * (10 - STRIKES)


def test_the_same_words_under_a_name_that_grows_go_round() -> None:
    rings = Rings()
    left_out = [rings.goes_round("link", f"ana{'[m]' * turn}", "hello", float(turn)) for turn in range(10)]
    assert left_out == [False] * STRIKES + [True] * (10 - STRIKES)


TALK = [
    [("ana", "hello"), ("ben", "hello"), ("ana", "hello"), ("ben", "hello"), ("eva", "hello")] * 3,
    [("ana", "yes"), ("ben", "ben says: no"), ("ana", "yes yes"), ("eva", "oh yes"), ("ben", "that is a yes")]
    * 3,
    [("ana", f"look: {n}") for n in range(40)],
    [(f"guest {n}", "happy birthday") for n in range(CHORUS)],
]


@pytest.mark.parametrize("talk", TALK)
def test_people_talk(talk: list[tuple[str, str]]) -> None:
    rings = Rings()
    assert not any(
        rings.goes_round("link", name, text, number / 2) for number, (name, text) in enumerate(talk)
    )


def test_people_may_quote_each_other_now_and_then() -> None:
    rings = Rings()
    for number in range(20):
        now = number * QUICKLY
        assert not rings.goes_round("link", "ana", f"thought {number}", now)
        assert not rings.goes_round("link", "ben", f"<ana> thought {number}", now + 5)


def test_even_what_nobody_recognises_ends() -> None:
    rings = Rings()
    left_out = [rings.goes_round("link", f"robot {n}", "hello", n / 10) for n in range(100)]
    assert sum(not one for one in left_out) <= CHORUS
    assert not rings.goes_round("other link", "ana", "hello", 10.0)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.text(max_size=20)), max_size=50))
def test_nothing_is_left_out_slowly(talk: list[tuple[str, str]]) -> None:
    rings = Rings()
    for number, (name, text) in enumerate(talk):
        assert not rings.goes_round("link", name, text, number * QUICKLY)


class Other:
    """Another bridge between the same room and the same chat: it repeats in the chat what strangers say in the room."""

    def __init__(self, lives: Lives, name: Callable[[str], str], text: Callable[[str, str], str]) -> None:
        self._lives = lives
        self._name, self._text = name, text
        self._tasks: set[asyncio.Task[object]] = set()
        self.repeated = 0

    def hears(self, event: Event) -> None:
        if event.type == "m.room.message" and event.sender not in {BOT, self._lives.alice.user}:
            self.repeated += 1
            task = asyncio.create_task(self._repeat(event.sender, str(event.content["body"])))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _repeat(self, sender: UserId, body: str) -> None:
        member = self._lives.homeserver.rooms[self._lives.room].content("m.room.member", sender)
        author = str(member["displayname"]).removesuffix(" (memory)")
        name = self._name(author)
        if RemoteUserId(name) not in self._lives.town.chat(CHAT).people:
            await self._lives.town.join(CHAT, name)
        await self._lives.town.speak(CHAT, RemoteUserId(name), self._text(author, body))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (lambda _author: "robot", lambda author, body: f"<{author}> {body}"),
        (lambda author: f"{author}[m]", lambda _author, body: body),
    ],
    ids=["with a name before it", "as a person of its own"],
)
async def test_a_ring_of_two_bridges_stands_still(
    lives: Lives, name: Callable[[str], str], text: Callable[[str, str], str]
) -> None:
    await lives.link()
    other = Other(lives, name, text)
    lives.homeserver.on_event(other.hears)
    await lives.town.speak(CHAT, lives.oscar, "hello")
    await lives.until(lambda: any("another bridge" in one for one in told(lives)))
    count = other.repeated
    await lives.say("the end")
    await lives.until(lambda: any("the end" in text for text in lives.heard()))
    assert count == other.repeated <= STRIKES + 1
    assert len([one for one in told(lives) if "another bridge" in one]) == 1


def told(lives: Lives) -> list[str]:
    timeline = lives.homeserver.rooms[lives.room].timeline
    return [str(one.content.get("body")) for one in timeline if one.sender == BOT]


async def test_a_ghost_of_another_haven_does_not_go_back_to_its_network(lives: Lives) -> None:
    await lives.link()
    theirs = lives.homeserver.client(UserId("@_haven_memory_abcdefgh:other.test"))
    others = lives.homeserver.client(UserId("@_haven_irc_abcdefgh:other.test"))
    for ghost in (theirs, others):
        await lives.alice.invite(lives.room, ghost.user)
        await ghost.join(lives.room, ("haven.test",))
        await ghost.send_message(lives.room, "m.room.message", {"msgtype": "m.text", "body": ghost.user}, "1")
    await lives.say("the end")
    await lives.until(lambda: any("the end" in text for text in lives.heard()))
    heard = [text for text in lives.heard() if "abcdefgh" in text]
    assert len(heard) == 1
    assert "irc" in heard[0]

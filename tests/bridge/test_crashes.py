"""The bridge killed at every step of a relay, before and after the step's effect: nothing is lost, nothing
comes twice.
"""

import asyncio
from pathlib import Path

import pytest

from bridge.message import Message, spans
from bridge.networks.events import Said
from bridge.networks.memory import LINES
from haven.errors import TryLater
from tests.bridge.lives import CHAT, Lives
from tests.fakes.homeserver_faults import Killed

STEPS = range(1, 19)
"""More than a relay has; a fate beyond the last step is a life without a crash."""


@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", STEPS)
async def test_messages_into_the_room(tmp_path: Path, at: int, after_effect: bool) -> None:
    lives = Lives(tmp_path)
    await lives.begin()
    await lives.live()
    await lives.link()
    lives.fate.at, lives.fate.after_effect = lives.fate.steps + at, after_effect
    texts = [f"line {number}" for number in range(4)]
    speaking = asyncio.create_task(_speak_patiently(lives, texts))
    await lives.until(lambda: lives.dead or lives.said() == texts)
    await lives.live()
    await speaking
    await lives.until(lambda: len(lives.said()) >= len(texts))
    await _settled(lives)
    assert lives.said() == texts
    await lives.end()


@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", STEPS)
async def test_messages_into_the_chat(tmp_path: Path, at: int, after_effect: bool) -> None:
    lives = Lives(tmp_path, LINES)
    await lives.begin()
    await lives.live()
    await lives.link()
    before = len(lives.heard())
    lives.fate.at, lives.fate.after_effect = lives.fate.steps + at, after_effect
    for number in range(3):
        await lives.say(f"line {number}\nmore {number}")
    texts = [text for number in range(3) for text in (f"<Alice> line {number}", f"more {number}")]
    await lives.until(lambda: lives.dead or len(lives.heard()) == before + len(texts))
    # The instant between the claim and the write is the one that is given away, see bridge/to_network.py.
    lost = await _claimed_and_not_written(lives, before) if lives.dead else 0
    assert lost in {0, 1}
    await lives.live()
    await lives.until(lambda: len(lives.heard()) >= before + len(texts) - lost)
    await _settled(lives)
    heard = lives.heard()[before:]
    assert len(heard) == len(set(heard)) == len(texts) - lost
    assert [text for text in texts if text in heard] == heard
    await lives.end()


async def _speak_patiently(lives: Lives, texts: list[str]) -> None:
    """A network that repeats, under the same id, what was not taken."""
    for text in texts:
        person = lives.town.chat(CHAT).people[lives.oscar]
        said = Said(lives.town.next_id(), CHAT, person, Message(spans(text)))
        while not await _taken(lives, said):  # noqa: ASYNC110  # it may be a new life's
            await asyncio.sleep(0.01)


async def _taken(lives: Lives, said: Said) -> bool:
    if lives.dead or not any(account.hears(CHAT) for account in lives.town.accounts):
        return False
    try:
        await lives.town.repeat(said)
    except (TryLater, Killed):
        return False
    return not lives.dead


async def _claimed_and_not_written(lives: Lives, before: int) -> int:
    """Whether the crash fell between a claim and its write: the database knows of one part more than the
    chat.
    """
    assert lives.store is not None
    database = lives.store._database
    claimed = await database.fetchval("SELECT COALESCE(SUM(claimed), 0) FROM inbox")
    waiting = await database.fetchval("SELECT COUNT(*) FROM inbox WHERE source LIKE '!%'")
    accepted = await database.fetchval("SELECT COUNT(*) FROM seen WHERE source LIKE '!%'")
    return int((accepted - waiting) * 2 + claimed - (len(lives.heard()) - before))


async def _settled(lives: Lives) -> None:
    """Let a doubled message, if there is one, arrive: wait until the inbox is empty."""
    assert lives.store is not None
    async with asyncio.timeout(20):
        while (await lives.store.counts())[0]:  # noqa: ASYNC110  # a database sets no event
            await asyncio.sleep(0.01)

"""The bridge under kill -9, a homeserver that goes away, lost answers and forged requests: nothing lost,
nothing twice.
"""

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import suppress

import aiohttp
import pytest
from ruamel.yaml import YAML

from embedded.matrix import Event
from embedded.processes import ChildFailed
from embedded.proxy import Answered, Asked, Drop
from tests.system.bridge_world import CHANNEL, World, world

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

SEED = 20261122
FORGED = 1000


@pytest.fixture(scope="module")
async def linked() -> AsyncIterator[World]:
    async with world() as everything:
        await everything.link()
        yield everything


@pytest.fixture
async def here(linked: World) -> AsyncIterator[World]:
    """The world whole again, whatever the test before has left of it: a failure is its own, not that of all that come after."""
    linked.proxy.before = linked.proxy.after = None
    if not linked.synapse.process.running:
        await linked.synapse.start()
    if not linked.bridge.process.running:
        await linked.bridge.start()
    yield linked
    linked.proxy.before = linked.proxy.after = None


def is_send(asked: Asked) -> bool:
    return asked.method == "PUT" and "/send/m.room.message/" in asked.path


async def waiting(here: World, number: int) -> None:
    """Until the bridge has accepted so many messages and not carried them over."""
    async with asyncio.timeout(30):
        while (await here.bridge.metrics())["haven_bridge_inbox_waiting"] < number:  # noqa: ASYNC110  # HTTP sets no event
            await asyncio.sleep(0.05)


class Killer:
    """Kills the bridge at seeded sends, when the request comes or when its answer is ready; holds all sends
    until let go.
    """

    def __init__(self, here: World, *, committed: bool) -> None:
        self.let_go = asyncio.Event()
        self._here = here
        self._committed = committed
        self._sends = 0
        self._deaths = sorted(random.Random(SEED).sample(range(2, 11), 3))  # a seed, no secret
        self._strikes: list[asyncio.Task[None]] = []

    @property
    def at_rest(self) -> bool:
        """Whether it has killed for the last time, and what was to die is dead."""
        return not self._deaths and all(strike.done() for strike in self._strikes)

    async def before(self, asked: Asked) -> Answered | None:
        if is_send(asked):
            await self.let_go.wait()
            if not self._committed:
                await self._strike()
        return None

    async def after(self, asked: Asked, _answer: Answered) -> Answered | None:
        if is_send(asked) and self._committed:
            await self._strike()
        return None

    async def _strike(self) -> None:
        self._sends += 1
        if self._deaths and self._sends >= self._deaths[0]:
            del self._deaths[0]
            # A task of its own: the proxy gives up a request whose asker has gone, before the asker is dead.
            self._strikes.append(asyncio.create_task(self._here.bridge.kill()))
            await asyncio.shield(self._strikes[-1])
            raise Drop


@pytest.mark.parametrize("committed", [False, True], ids=["before the homeserver has it", "after"])
async def test_killed_on_the_way_into_the_room(here: World, committed: bool) -> None:
    texts = [f"in {committed} {number}" for number in range(12)]
    killer = Killer(here, committed=committed)
    here.proxy.before, here.proxy.after = killer.before, killer.after
    for text in texts:
        await here.oscar.say(CHANNEL, text)
    await waiting(here, len(texts))
    killer.let_go.set()
    while not (killer.at_rest and here.bridge.process.running):
        if not here.bridge.process.running:
            with suppress(ChildFailed):  # it may be killed again before it is ready
                await here.bridge.start()
        await asyncio.sleep(0.05)
    assert await said_in_the_end(here, texts) == texts


async def test_killed_on_the_way_into_the_chat(here: World) -> None:
    chance = random.Random(SEED)  # a seed, no secret
    texts: list[str] = []
    for life in range(3):
        for number in range(chance.randint(1, 4)):
            texts.append(f"out {life} alive {number}")
            await here.alice.say(here.room, texts[-1])
            await here.oscar.heard(f"<Alice> {texts[-1]}")
        await here.bridge.kill()
        for number in range(3):
            texts.append(f"out {life} dead {number}")
            await here.alice.say(here.room, texts[-1])
        await here.bridge.start()
        await here.oscar.heard(f"<Alice> {texts[-1]}", timeout=60)
    heard = [line.text for line in here.oscar.received if line.text.startswith("<Alice> out ")]
    assert heard == [f"<Alice> {text}" for text in texts]


async def test_the_homeserver_is_away_while_the_chat_talks(here: World) -> None:
    await here.synapse.kill()
    texts = [f"away {number}" for number in range(20)]
    for text in texts:
        await here.oscar.say(CHANNEL, text)
    await waiting(here, len(texts))
    await here.synapse.start()
    assert await said_in_the_end(here, texts) == texts


async def test_an_answer_lost_after_the_commit_and_then_a_restart_of_the_homeserver(here: World) -> None:
    lost = asyncio.Event()

    async def lose(asked: Asked, _answer: Answered) -> Answered | None:
        if is_send(asked) and not lost.is_set():
            await here.synapse.kill()
            lost.set()
            raise Drop
        return None

    here.proxy.after = lose
    await here.oscar.say(CHANNEL, "in doubt")
    await here.oscar.say(CHANNEL, "after the doubt")
    async with asyncio.timeout(60):
        await lost.wait()
    await here.synapse.start()
    assert await said_in_the_end(here, ["in doubt", "after the doubt"]) == ["in doubt", "after the doubt"]


async def said_in_the_end(here: World, texts: list[str]) -> list[str]:
    """Which of these texts stand in the room, once all do and the bridge has nothing more to say."""
    wanted = set(texts)

    def fits(event: Event) -> bool:
        return event.body in wanted

    await here.texts(len(texts), fits)
    async with asyncio.timeout(30):
        while (await here.bridge.metrics())["haven_bridge_inbox_waiting"]:  # noqa: ASYNC110  # HTTP sets no event
            await asyncio.sleep(0.05)
    return [event.body for event in await here.history() if fits(event)]


async def test_forged_transactions_store_nothing(here: World) -> None:
    event = {
        "event_id": "$forged",
        "room_id": here.room,
        "type": "m.room.message",
        "sender": here.alice.user_id,
        "content": {"msgtype": "m.text", "body": "forged"},
    }
    token = YAML(typ="safe").load(here.bridge.registration.read_text())["hs_token"]
    before = _rows(here)
    url = f"{here.bridge.url}/_matrix/app/v1/transactions"
    async with aiohttp.ClientSession() as session:
        for number in range(FORGED):
            headers = {"Authorization": f"Bearer wrong{number}"} if number % 2 else {}
            place = f"{url}/{number}" + (f"?access_token={token}" if number % 4 == 0 else "")
            async with session.put(place, json={"events": [event]}, headers=headers) as answer:
                assert answer.status == (403 if number % 2 else 401)
    assert _rows(here) == before
    await here.alice.say(here.room, "after the forger")
    await here.oscar.heard("<Alice> after the forger")
    assert not [line for line in here.oscar.received if "forged" in line.text]


def _rows(here: World) -> int:
    with sqlite3.connect(here.bridge.directory / "bridge.db") as database:
        rows: int = database.execute("SELECT COUNT(*) FROM seen").fetchone()[0]
    database.close()
    return rows

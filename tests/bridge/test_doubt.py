"""A database that commits and does not come to say so: what is in it is done all the same, once and in order."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bridge.networks.memory import LINES
from bridge.store import Arrival, Item, Pair, Store
from haven.errors import Unreachable
from tests.bridge.lives import Lives
from tests.bridge.test_inbox import Handler, working


class Mute:
    """Stands between the writer and the database. ``silent``: how many of the next transactions are committed
    and not answered; ``away``: how many are not even heard.
    """

    def __init__(self, store: Store) -> None:
        self.silent = self.away = 0
        self._transact = store._commit._transact
        store._commit._transact = self._passed_on  # type: ignore[method-assign]  # the wire, not our code

    async def _passed_on(self, jobs: list[Any]) -> list[Any]:
        if self.away:
            self.away -= 1
            raise ConnectionResetError
        results = await self._transact(jobs)
        if self.silent:
            self.silent -= 1
            raise ConnectionResetError
        return results


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store(f"sqlite:{tmp_path}/bridge.db") as store:
        yield store


async def emptied(store: Store) -> None:
    async with asyncio.timeout(10):
        while (await store.counts())[0]:  # noqa: ASYNC110  # a database sets no event
            await asyncio.sleep(0.01)


def arrivals(*names: str) -> Sequence[Arrival]:
    return [Arrival(name, "lane", name) for name in names]


async def test_what_was_committed_in_silence_is_done_before_what_comes_later(store: Store) -> None:
    handler, mute = Handler(), Mute(store)
    async with working(store, handler) as inbox:
        mute.silent = 1
        with suppress(Unreachable):  # where it was alone in its transaction
            await inbox.add(arrivals("a"))
        await inbox.add(arrivals("b"))
        await handler.until(lambda: len(handler.done) == 2)
        await emptied(store)
    assert handler.done == ["a", "b"]


async def test_what_was_committed_in_silence_and_is_told_again_is_done_once(store: Store) -> None:
    handler, mute = Handler(), Mute(store)
    async with working(store, handler) as inbox:
        mute.silent = 1
        with suppress(Unreachable):
            await inbox.add(arrivals("a", "b"))
        assert await inbox.add(arrivals("a", "b", "c")) == 1
        await handler.until(lambda: len(handler.done) == 3)
        await emptied(store)
    assert handler.done == ["a", "b", "c"]


async def test_side_by_side_in_one_silent_transaction(store: Store) -> None:
    handler, mute = Handler(), Mute(store)
    async with working(store, handler) as inbox:
        mute.silent = 1
        added = await asyncio.gather(*(inbox.add(arrivals(name)) for name in "abc"))
        assert added == [0, 0, 0]
        await inbox.add(arrivals("d"))
        await handler.until(lambda: len(handler.done) == 4)
        await emptied(store)
    assert handler.done == ["a", "b", "c", "d"]


@pytest.mark.parametrize("fault", ["away", "silent"])
async def test_what_could_not_be_marked_as_done_is_marked_later_and_not_done_again(
    store: Store, fault: str
) -> None:
    handler, mute = Handler(), Mute(store)

    async def handle(item: Item) -> Sequence[Pair]:
        setattr(mute, fault, int(item.payload == "a"))
        return await handler(item)

    async with working(store, handle) as inbox:
        await inbox.add(arrivals("a"))
        await handler.until(lambda: handler.done == ["a"])
        await inbox.add(arrivals("a", "b"))
        await handler.until(lambda: "b" in handler.done)
        await emptied(store)
        assert not inbox._handled
    assert handler.done == ["a", "b"]
    assert mute.away == mute.silent == 0


async def test_a_claim_that_the_database_refuses_takes_back_nothing_that_went_out(tmp_path: Path) -> None:
    lives = Lives(tmp_path, LINES)
    await lives.begin()
    await lives.live()
    await lives.link()
    store, before, refused = lives.store, len(lives.heard()), list[int]()
    assert store is not None
    claim = store.claim

    async def stumble(item: Item, parts: int) -> None:
        if parts == 2 and not refused:
            refused.append(parts)
            raise Unreachable("database")
        await claim(item, parts)

    store.claim = stumble  # type: ignore[method-assign]  # the database, not our code
    await lives.say("one\ntwo\nthree")
    await lives.until(lambda: "three" in lives.heard())
    await emptied(store)
    assert lives.heard()[before:] == ["<Alice> one", "two", "three"]
    assert refused
    await lives.end()


async def test_a_database_that_is_away_at_the_start_is_waited_for(store: Store) -> None:
    await store.add(arrivals("a"))
    handler, mute = Handler(), Mute(store)
    mute.away = 1
    async with working(store, handler):
        await handler.until(lambda: handler.done == ["a"])
        await emptied(store)
    assert mute.away == 0

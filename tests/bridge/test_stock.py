"""The inbox is bounded: whoever brings more than there is room for waits with it, and nothing is lost."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.inbox import Inbox
from bridge.stock import EACH, Stock
from bridge.store import Arrival, Item, Store
from tests.bridge.lives import CHAT, Lives


def test_there_is_room_until_there_is_not_and_again_when_something_went() -> None:
    stock, full = Stock(1000), []
    stock.came(400)
    full.append(stock.full)
    stock.came(1000 - 400 - 2 * EACH)
    full.append(stock.full)
    stock.went(400)
    full.append(stock.full)
    stock.is_now(1000, 0)
    full.append(stock.full)
    assert full == [False, True, False, True]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store(f"sqlite:{tmp_path}/bridge.db") as store:
        yield store


async def test_what_was_left_counts_and_what_is_done_or_set_aside_does_not(store: Store) -> None:
    async def handle(item: Item) -> tuple[()]:
        if item.payload == "bad":
            raise KeyError
        return ()

    await store.add([Arrival("left", "a", "x" * 700)])
    inbox = Inbox(store, handle, stock=Stock(1000))
    await inbox.add([Arrival("bad", "b", "bad")])
    running = asyncio.create_task(inbox.run())
    async with asyncio.timeout(30):
        await inbox.stock.room()
        while (await store.counts()) != (0, 1):  # noqa: ASYNC110  # a database sets no event
            await asyncio.sleep(0.01)
    running.cancel()
    assert inbox.stock._waiting == 0


async def test_a_full_inbox_takes_nothing_and_loses_nothing(lives: Lives) -> None:
    await lives.link()
    assert lives.bridge is not None
    stock = lives.bridge._inbox.stock
    stock.came(10**9)
    assert stock.full
    speaking = [
        asyncio.create_task(lives.town.speak(CHAT, lives.oscar, f"in {number}")) for number in range(3)
    ]
    for number in range(3):
        await lives.say(f"out {number}")
    await lives.until(lambda: lives.refused > 3)
    assert lives.said() == []
    assert not any(task.done() for task in speaking)
    stock.went(10**9)
    await asyncio.gather(*speaking)
    await lives.until(lambda: len(lives.said()) == 3 and len(lives.heard()) == 4)
    assert lives.said() == ["in 0", "in 1", "in 2"]
    assert lives.heard()[1:] == ["<Alice> out 0", "<Alice> out 1", "<Alice> out 2"]

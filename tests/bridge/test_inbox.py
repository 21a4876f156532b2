"""The durable queue: order, once, waiting alone, setting aside, surviving."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from bridge import inbox as inbox_module
from bridge.inbox import Handle, Inbox
from bridge.store import Arrival, Item, Pair, Store
from haven.errors import RateLimited, Refused, Unreachable


class Handler:
    """Does items: remembers them, and fails those it is told to fail."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.tried: Counter[str] = Counter()
        self.fails: dict[str, type[Exception] | Exception] = {}
        self.more = asyncio.Condition()

    async def __call__(self, item: Item) -> Sequence[Pair]:
        await asyncio.sleep(0)
        async with self.more:
            self.tried[item.payload] += 1
            self.more.notify_all()
            if item.payload in self.fails:
                raise self.fails[item.payload]
            self.done.append(item.payload)
        return ()

    async def until(self, fits: Callable[[], bool]) -> None:
        async with asyncio.timeout(10), self.more:
            await self.more.wait_for(fits)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-off as always, a hundred times as fast."""
    original = inbox_module.back_off
    monkeypatch.setattr(inbox_module, "back_off", lambda tries: original(tries) / 100)


@asynccontextmanager
async def working(store: Store, handle: Handle) -> AsyncIterator[Inbox]:
    inbox = Inbox(store, handle)
    running = asyncio.create_task(inbox.run())
    yield inbox
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store(f"sqlite:{tmp_path}/bridge.db") as store:
        yield store


def arrivals(lane: str, numbers: range) -> list[Arrival]:
    return [Arrival(f"{lane} {number}", lane, f"{lane} {number}") for number in numbers]


async def test_each_lane_is_done_in_order_and_once(store: Store) -> None:
    handler = Handler()
    async with working(store, handler) as inbox:
        adding = [
            inbox.add(arrivals(lane, range(start, start + 10)))
            for start in range(0, 200, 10)
            for lane in ("a", "b")
        ]
        await asyncio.gather(*adding)
        await inbox.add(arrivals("a", range(200)))
        await handler.until(lambda: len(handler.done) == 400)
    for lane in ("a", "b"):
        assert [one for one in handler.done if one[0] == lane] == [
            f"{lane} {number}" for number in range(200)
        ]
    assert await store.counts() == (0, 0)


async def test_what_was_left_is_done_after_a_restart_before_what_is_new(store: Store) -> None:
    await store.add(arrivals("a", range(120)))
    handler = Handler()
    async with working(store, handler) as inbox:
        await inbox.add(arrivals("a", range(120, 130)))
        await handler.until(lambda: len(handler.done) == 130)
    assert handler.done == [f"a {number}" for number in range(130)]


async def test_what_is_added_before_the_queue_runs_is_done(store: Store) -> None:
    handler = Handler()
    inbox = Inbox(store, handler)
    await inbox.add(arrivals("a", range(3)))
    running = asyncio.create_task(inbox.run())
    await handler.until(lambda: len(handler.done) == 3)
    running.cancel()
    assert handler.done == ["a 0", "a 1", "a 2"]


async def test_a_lane_in_trouble_waits_alone_and_loses_nothing(store: Store) -> None:
    handler = Handler()
    handler.fails["a 0"] = Unreachable
    async with working(store, handler) as inbox:
        await inbox.add(arrivals("a", range(3)))
        await inbox.add(arrivals("b", range(3)))
        await handler.until(lambda: len(handler.done) == 3 and handler.tried["a 0"] > 7)
        assert handler.done == ["b 0", "b 1", "b 2"]
        del handler.fails["a 0"]
        await handler.until(lambda: len(handler.done) == 6)
    assert handler.done[3:] == ["a 0", "a 1", "a 2"]


async def test_waits_at_least_as_long_as_it_was_told(store: Store) -> None:
    handler = Handler()
    handler.fails["a 0"] = RateLimited(0.3)
    loop = asyncio.get_running_loop()
    async with working(store, handler) as inbox:
        begun = loop.time()
        await inbox.add(arrivals("a", range(1)))
        await handler.until(lambda: handler.tried["a 0"] == 1)
        inbox.hurry()
        await handler.until(lambda: handler.tried["a 0"] == 2)
        assert loop.time() - begun >= 0.3


async def test_hurries_when_something_came_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "back_off", lambda _: 3600.0)
    handler = Handler()
    handler.fails["a 0"] = Unreachable
    async with working(store, handler) as inbox:
        await inbox.add(arrivals("a", range(1)))
        await handler.until(lambda: handler.tried["a 0"] == 1)
        handler.fails.clear()
        while not handler.done:
            inbox.hurry()
            await asyncio.sleep(0)
    assert handler.done == ["a 0"]


@pytest.mark.parametrize(
    ("failure", "tries"),
    [
        (Refused("forbidden"), 1),
        (KeyError("secret words"), 5),
        (Unreachable("server_error"), 5),
    ],
)
async def test_what_cannot_be_done_is_set_aside_and_the_lane_goes_on(
    store: Store, failure: Exception, tries: int, caplog: pytest.LogCaptureFixture
) -> None:
    handler = Handler()
    handler.fails["a 1"] = failure
    async with working(store, handler) as inbox:
        await inbox.add(arrivals("a", range(3)))
        await handler.until(lambda: len(handler.done) == 2)
    assert handler.done == ["a 0", "a 2"]
    assert handler.tried["a 1"] == tries
    assert await store.counts() == (0, 1)
    assert "secret words" not in caplog.text

"""Timers: they ring once, in order, also in another life, and what cannot be done yet is done later."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from embedded.waiting import eventually
from haven.errors import Refused, TryLater
from plugin.store import Store
from plugin.store_timers import TimerStore
from plugin.timers import AFTER_A_BUG, AGAIN, Rings, Timer, Timers
from tests.plugin.life import FastClock


class Epoch:
    """The time of day, in ms, set by hand."""

    now = 1_000

    def __call__(self) -> int:
        return self.now


@asynccontextmanager
async def running(store: Store, epoch: Epoch, ring: Rings) -> AsyncIterator[Timers]:
    """One life of timers of the kind "egg"."""
    timers = Timers(TimerStore(store._database), FastClock(), epoch, {"egg": ring})
    task = asyncio.create_task(timers.run())
    try:
        yield timers
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(check: Callable[[], bool]) -> None:
    async def asked() -> bool:
        return check()

    await eventually(asked, "it has rung", timeout=10, interval=0.005)


async def test_they_ring_in_order_and_once_also_in_the_next_life(store: Store) -> None:
    rung: list[str] = []
    epoch = Epoch()

    async def ring(timer: Timer) -> None:
        rung.append(f"{timer.key} {timer.payload.get('for', '')}".strip())

    async with running(store, epoch, ring) as timers:
        await timers.set("egg", "late", 9_000)
        await timers.set("egg", "second", 900)
        await timers.set("egg", "first", 800, {"for": "ana"})
        await until(lambda: len(rung) == 2)
    assert sorted(rung) == ["first ana", "second"]
    epoch.now = 20_000
    async with running(store, epoch, ring) as timers:
        await timers.set("egg", "later still", 9_500)
        await until(lambda: len(rung) == 4)
    assert rung[2:] == ["late", "later still"]
    assert await timers.store.timers("egg") == ()


async def test_a_timer_is_replaced_and_cancelled(store: Store) -> None:
    rung: list[int] = []
    epoch = Epoch()

    async def ring(timer: Timer) -> None:
        rung.append(timer.at)

    timers = Timers(TimerStore(store._database), FastClock(), epoch)
    for at in (500, 600):
        await timers.set("egg", "one", at)
    await timers.set("egg", "two", 400)
    await timers.cancel("egg", "two")
    async with running(store, epoch, ring):
        await until(lambda: bool(rung))
    assert rung == [600]


@pytest.mark.parametrize(
    ("error", "after"), [(TryLater("x", after=7), 7_000), (TryLater("x"), AGAIN), (KeyError(), AFTER_A_BUG)]
)
async def test_what_cannot_be_done_is_done_later(store: Store, error: Exception, after: int) -> None:
    tried: list[Timer] = []
    epoch = Epoch()

    async def ring(timer: Timer) -> None:
        tried.append(timer)
        if len(tried) == 1:
            raise error

    async with running(store, epoch, ring) as timers:
        await timers.set("egg", "one", 500, {"for": "ana"})
        await until(lambda: bool(tried))
        await postponed(timers, 1_000 + after)
    epoch.now += after
    async with running(store, epoch, ring):
        await until(lambda: len(tried) == 2)
    assert tried[1].payload == {"for": "ana"}


async def postponed(timers: Timers, at: int) -> None:
    async def asked() -> bool:
        return [timer.at for timer in await timers.store.timers("egg")] == [at]

    await eventually(asked, "it is postponed", timeout=10, interval=0.005)


async def test_what_the_homeserver_refuses_is_not_tried_for_ever(store: Store) -> None:
    tried: list[str] = []

    async def ring(timer: Timer) -> None:
        tried.append(timer.key)
        raise Refused("homeserver_refused", code="M_FORBIDDEN")

    async with running(store, Epoch(), ring) as timers:
        await timers.set("egg", "one", 500)
        await timers.set("egg", "two", 600)
        await until(lambda: "two" in tried)
    assert await timers.store.timers("egg") in ((), (Timer("egg", "two", 600),))
    assert tried.count("one") == 1


async def test_what_was_cancelled_or_set_anew_while_it_rang_is_not_brought_back(store: Store) -> None:
    rung = asyncio.Event()
    desk = Timers(TimerStore(store._database), FastClock(), Epoch())

    async def ring(timer: Timer) -> None:
        if timer.key == "cancelled":
            await desk.cancel("egg", "cancelled")
        else:
            await desk.set("egg", "anew", 90_000)
            rung.set()
        raise TryLater("x", after=7)

    async with running(store, Epoch(), ring) as timers:
        await timers.set("egg", "cancelled", 500)
        await timers.set("egg", "anew", 600)
        await rung.wait()
        await postponed(timers, 90_000)
        assert [timer.key for timer in await timers.store.timers("egg")] == ["anew"]

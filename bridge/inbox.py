"""The durable queue: what is accepted is stored first, then done once, in order within its lane, lanes side
by side.

A lane is one link in one direction. A lane that has to wait (the other side is down, or told us to) waits
alone. What cannot be done is set aside under a reference, with its text in the database only, and the lane
goes on.
"""

import asyncio
import logging
import random
import secrets
import time
from bisect import insort
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field

from haven.errors import HavenError, RateLimited, TryLater

from .bugs import log_bug
from .places import Reached
from .stock import Stock
from .store import Arrival, Item, Pair, Store

log = logging.getLogger(__name__)

TRIES = 5
"""How often an item may fail in a way that looks like its own fault."""
PATIENCE = 24 * 3600.0
"""Seconds for which an item is tried while the other side is in trouble."""
WINDOW = 50
"""Items of one lane held in memory; the rest waits on disk."""
LONGEST_WAIT = 30.0

Handle = Callable[[Item], Awaitable[Sequence[Pair]]]
"""Does what an item says. Returns the pairs of message and event that came of it."""
Report = Callable[[Item, str], Arrival | None]
"""What is to be done about an item that is set aside under the reference that stands in the log, if anything is."""


def back_off(tries: int) -> float:
    """Seconds to wait after the ``tries``-th failure: doubling from half a second to half a minute, with
    jitter.
    """
    return min(LONGEST_WAIT, 0.5 * 2.0 ** min(tries - 1, 10)) * random.uniform(0.7, 1.0)  # noqa: S311  # no secret


def counts_as_try(error: Exception) -> bool:
    """Whether a failure may be the item's own fault: a bug of ours, or a server that stumbles over just this
    item.
    """
    return not isinstance(error, TryLater) or error.key == "server_error"


@dataclass(eq=False, slots=True)
class _Lane:
    """One lane in memory. ``complete``: nothing of it waits on disk only."""

    name: str
    complete: bool
    items: list[Item] = field(default_factory=list)
    last: int = 0
    missed: bool = False
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    told_to_wait: bool = False


class Inbox:
    """The queue. ``run`` works until cancelled; ``add`` may be called from anywhere meanwhile."""

    def __init__(
        self, store: Store, handle: Handle, report: Report | None = None, stock: Stock | None = None
    ) -> None:
        self._store = store
        self._handle = handle
        self._report = report
        self.stock = stock or Stock()
        self._lanes: dict[str, _Lane] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._loaded = False
        self._handled: set[int] = set()
        """Done, though the database still says otherwise."""

    async def add(self, arrivals: Sequence[Arrival], reached: Reached | None = None) -> int:
        """Store what is new, and how far a chat was heard with it; returns when it is committed, with how many were new."""
        try:
            items = await self._store.add(arrivals, reached)
        except TryLater:
            self._read_again(arrivals)
            raise
        if len(items) < len(arrivals):
            self._read_again(arrivals)
        self.push(items)
        return len(items)

    def push(self, items: Iterable[Item]) -> None:
        """Have what is stored already done, too."""
        for item in items:
            self.stock.came(len(item.payload))
            self._push(item)

    async def run(self) -> None:
        """Do what was left from before, and all that comes."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            for name in await self._left():
                self._open(name, complete=False)
            self._loaded = True
            tasks.create_task(self._forget(), name="inbox: forget")

    async def _left(self) -> Sequence[str]:
        """The lanes in which something was left; waits for a database that does not answer."""
        while True:
            try:
                self.stock.is_now(*await self._store.weight())
                return await self._store.lanes()
            except TryLater:
                log.warning("Could not look what was left: the database does not answer")
                await asyncio.sleep(1)

    def hurry(self) -> None:
        """Something came back: lanes that wait of their own accord try again now."""
        for lane in self._lanes.values():
            if not lane.told_to_wait:
                lane.wake.set()

    def busy(self, lane: str) -> bool:
        """Whether something of the lane waits or is being done."""
        return lane in self._lanes

    def _read_again(self, arrivals: Sequence[Arrival]) -> None:
        """What failed, or was there already, may have been committed without our noticing: then it is on disk only."""
        if self._tasks is not None:
            for name in {arrival.lane for arrival in arrivals}:
                lane = self._open(name, complete=False)
                lane.complete, lane.missed = False, True

    def _push(self, item: Item) -> None:
        if self._tasks is None:
            return  # it is on disk, where ``run`` begins
        lane = self._open(item.lane, complete=self._loaded)
        if lane.complete and len(lane.items) < WINDOW:
            insort(lane.items, item, key=lambda one: one.seq)
        else:
            lane.complete, lane.missed = False, True

    def _open(self, name: str, *, complete: bool) -> _Lane:
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = _Lane(name, complete)
            if self._tasks is not None:
                _begin(self._tasks, self._serve(lane))
        return lane

    async def _serve(self, lane: _Lane) -> None:
        while await self._next(lane):
            item = lane.items[0]
            await self._until_done(lane, item)
            lane.items.remove(item)
            lane.last = item.seq
        del self._lanes[lane.name]

    async def _next(self, lane: _Lane) -> bool:
        while not lane.items and not lane.complete:
            lane.missed = False
            try:
                found = await self._store.waiting(lane.name, lane.last, WINDOW)
            except TryLater:
                await asyncio.sleep(1)
                continue
            lane.items = [item for item in found if item.seq not in self._handled]
            lane.last = found[-1].seq if found and not lane.items else lane.last
            lane.complete = len(found) < WINDOW and not lane.missed
        return bool(lane.items)

    async def _until_done(self, lane: _Lane, item: Item) -> None:
        deadline = time.monotonic() + PATIENCE
        tries, trouble = item.tries, 0
        while True:
            try:
                pairs = await self._handle(item)
            except Exception as error:
                tries, trouble = tries + counts_as_try(error), trouble + 1
                hopeless = isinstance(error, HavenError) and not isinstance(error, TryLater)
                if hopeless or tries >= TRIES or time.monotonic() > deadline:
                    await self._give_up(item, error)
                    return
                await self._note_try(item, tries)
                await self._wait(lane, error, trouble)
            else:
                self._done(item, pairs)
                return

    def _done(self, item: Item, pairs: Sequence[Pair]) -> None:
        """Have it forgotten that the item was to be done, as often as it takes; until then it is not done again."""
        self._handled.add(item.seq)

        def look(done: "asyncio.Future[None]") -> None:
            if done.cancelled() or done.exception() is None:
                self._handled.discard(item.seq)
                self.stock.went(len(item.payload))
                return
            log.warning("Could not mark an item as done: the database does not answer")
            asyncio.get_running_loop().call_later(1, self._done, item, pairs)

        self._store.done(item, pairs).add_done_callback(look)

    async def _note_try(self, item: Item, tries: int) -> None:
        if tries > item.tries:
            try:
                await self._store.tried(item, tries)
            except TryLater:
                log.warning("Could not count a failed try: the database does not answer")

    async def _wait(self, lane: _Lane, error: Exception, trouble: int) -> None:
        after = error.after if isinstance(error, TryLater) and error.after is not None else 0.0
        lane.told_to_wait = isinstance(error, RateLimited)
        lane.wake.clear()
        try:
            async with asyncio.timeout(max(after, 0.0 if lane.told_to_wait else back_off(trouble))):
                await lane.wake.wait()
        except TimeoutError:
            pass
        finally:
            lane.told_to_wait = False

    async def _give_up(self, item: Item, error: Exception) -> None:
        if isinstance(error, HavenError):
            reference = secrets.token_hex(4)
            log.warning("Set aside item %s (%s): %s", item.seq, reference, error)
        else:
            reference = log_bug(log, f"handling item {item.seq}", error)
        report = self._report(item, reference) if self._report is not None else None
        while True:
            try:
                self.push(await self._store.set_aside(item, reference, report))
                self.stock.went(len(item.payload))
            except TryLater:
                log.warning("Could not set an item aside: the database does not answer")
                await asyncio.sleep(1)
            else:
                return

    async def _forget(self) -> None:
        while True:
            try:
                await self._store.forget_old()
                self.stock.is_now(*await self._store.weight())
            except TryLater:
                log.warning("Could not forget old events: the database does not answer")
            await asyncio.sleep(3600)


def _begin(tasks: asyncio.TaskGroup, serving: Coroutine[None, None, None]) -> None:
    """Begin to serve a lane. While all tasks are ending nothing begins any more: what the lane holds is on disk for the next start."""
    try:
        tasks.create_task(serving, name="inbox: lane")
    except RuntimeError:
        serving.close()

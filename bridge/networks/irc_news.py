"""What was heard on IRC and is not stored yet: handed over one after the other, however long storing takes."""

import asyncio
import contextlib
from collections.abc import Callable

from haven.errors import TryLater

from .events import Event, Receive

_LAST_WORDS = 5.0
"""Seconds at the end for handing over what was heard."""
BACKLOG = 10_000
"""Events not yet stored (some 20 MiB), above which we stop reading; below a tenth we go on. Servers hang up on who does not read for long."""


class News:
    """A queue of events. ``stored`` is told of each event that is on disk; ``pause`` is called with whether to stop listening for now."""

    def __init__(self, stored: Callable[[Event], None], pause: Callable[[bool], None]) -> None:
        self._queue: asyncio.Queue[Event] = asyncio.Queue()
        self._stored = stored
        self._pause = pause

    def put(self, event: Event) -> None:
        """Something happened."""
        self._queue.put_nowait(event)
        if self._queue.qsize() > BACKLOG:
            self._pause(True)

    async def hand_over(self, receive: Receive) -> None:
        """Until cancelled."""
        while True:
            event = await self._queue.get()
            while True:
                try:
                    await receive(event)
                    break
                except TryLater as error:
                    await asyncio.sleep(error.after or 1.0)
            self._stored(event)
            self._queue.task_done()
            if self._queue.qsize() < BACKLOG // 10:
                self._pause(False)

    async def all_stored(self) -> None:
        """Returns when all that happened so far is on disk."""
        await self._queue.join()

    async def last_words(self) -> None:
        """Returns when all was handed over, or after a few seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS):
                await self._queue.join()

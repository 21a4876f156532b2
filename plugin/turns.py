"""One thing at a time in each room, in the order it came; different rooms side by side."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from haven.ids import RoomId

from .faults import reference_of

log = logging.getLogger("haven.turns")

WAITING = 50
"""How much may wait in one room; what comes beyond that is dropped: whoever asks that fast is no person."""

Work = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Turns:
    """Gives each room its turn."""

    _waiting: dict[RoomId, deque[Work]] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def take(self, room: RoomId, work: Work) -> None:
        """Do this when what came before it in the room is done."""
        if room not in self._waiting:
            self._waiting[room] = deque()
            task = asyncio.create_task(self._one_by_one(room), name=f"turns {room}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if len(self._waiting[room]) < WAITING:
            self._waiting[room].append(work)

    async def stop(self) -> None:
        """Lay everything down."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._waiting.clear()

    async def _one_by_one(self, room: RoomId) -> None:
        waiting = self._waiting[room]
        while waiting:
            work = waiting.popleft()
            try:
                await work()
            except Exception as error:
                reference_of(log, error, "handling a message")
        del self._waiting[room]

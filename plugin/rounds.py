"""Rounds over what has changed: rooms are marked at once, and looked at one batch after the other; what must wait is looked at again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from haven.errors import HavenError, TryLater
from haven.ids import RoomId

from .clock import Clock
from .faults import reference_of
from .service.run import pause

log = logging.getLogger("haven.rounds")

Look = Callable[[frozenset[RoomId]], Awaitable[None]]
"""Looks at rooms that have changed. May raise `TryLater`: then they are looked at again."""


@dataclass(slots=True)
class Rounds:
    """What has changed and was not looked at yet."""

    clock: Clock
    _touched: set[RoomId] = field(default_factory=set)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def mark(self, room: RoomId) -> None:
        """Something may have changed in a room."""
        self._touched.add(room)
        self._wake.set()

    @property
    def pending(self) -> bool:
        """Whether anything was marked that nobody has begun to look at."""
        return bool(self._touched) or self._wake.is_set()

    async def run(self, look: Look) -> None:
        """Look at what has changed, until cancelled."""
        attempt = 0
        while True:
            await self._wake.wait()
            self._wake.clear()
            touched, self._touched = frozenset(self._touched), set()
            try:
                await look(touched)
                attempt = 0
            except TryLater as later:
                self._touched |= touched
                self._wake.set()
                await self.clock.wait(pause(later, attempt))
                attempt += 1


async def one_by_one(spaces: Iterable[RoomId], look: Callable[[RoomId], Awaitable[None]], what: str) -> None:
    """Look at communities; one that is in trouble, or must wait, keeps no other waiting. ``what`` is done, for the log. Raises `TryLater`."""
    waits: TryLater | None = None
    for space in spaces:
        try:
            await look(space)
        except TryLater as later:
            waits = later
        except HavenError as error:
            log.warning("%s failed in a community: %s", what, error)
        except Exception as error:
            reference_of(log, error, what)
    if waits is not None:
        raise waits

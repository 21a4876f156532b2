"""Who may ask the homeserver next: so many at a time, first come, first served; whoever is kept waiting for long does not keep the others.

A room or a file that hangs would otherwise hold one of the few places for a minute, and some of them all places.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

AT_ONCE = 16
"""Requests at the same time, at most, of those that are answered as they should."""
LONG = 2.0
"""Seconds after which a request counts as one that hangs, and gives its place to the next."""
UTMOST = 64
"""Requests at the same time, at most, those that hang included."""


class Turns:
    """The places. Used as ``async with turns.taken():``."""

    def __init__(self, at_once: int = AT_ONCE, utmost: int = UTMOST, long: float = LONG) -> None:
        self._places = asyncio.Semaphore(at_once)
        self._all = asyncio.Semaphore(utmost)
        self._long = long

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Wait for a place, and have it while inside, or until that has taken too long."""
        async with self._all:
            await self._places.acquire()
            place = _Place(self._places)
            late = asyncio.get_running_loop().call_later(self._long, place.give_back)
            try:
                yield
            finally:
                late.cancel()
                place.give_back()


@dataclass(slots=True)
class _Place:
    """One place, given back once."""

    places: asyncio.Semaphore
    held: bool = True

    def give_back(self) -> None:
        """Let the next have it."""
        if self.held:
            self.held = False
            self.places.release()

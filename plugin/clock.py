"""Time, for those who must wait or count it; tests bring a clock of their own."""

import asyncio
import time
from typing import Protocol

from haven.reconcile import Waits


class Clock(Waits, Protocol):
    """Tells seconds and lets them pass."""

    def now(self) -> float:
        """Seconds since some moment, never going back."""


class SystemClock:
    """The machine's own."""

    def now(self) -> float:
        """Seconds since some moment, never going back."""
        return time.monotonic()

    async def wait(self, seconds: float) -> None:
        """Let that many seconds pass."""
        await asyncio.sleep(seconds)


async def within(event: asyncio.Event, clock: Waits, seconds: float) -> bool:
    """Wait for an event, at most so long; whether it came. It is cleared when it did."""
    came = asyncio.ensure_future(event.wait())
    late = asyncio.ensure_future(clock.wait(seconds))
    try:
        await asyncio.wait({came, late}, return_when=asyncio.FIRST_COMPLETED)
        if not event.is_set():
            return False
        event.clear()
        return True
    finally:
        came.cancel()
        late.cancel()

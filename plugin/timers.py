"""Timers that outlive us: what has to happen at a time is stored, and happens then, or as soon as we are there again."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from haven.errors import HavenError, TryLater

from .clock import Clock, within
from .faults import reference_of

log = logging.getLogger("haven.timers")

LONGEST = 3_600.0
"""Seconds after which we look at the clock again whatever it said: machines sleep and clocks are set."""

AGAIN = 60_000
"""Milliseconds after which something that could not be done is tried again, where nobody said when."""

AFTER_A_BUG = 3_600_000
"""Milliseconds after which something is tried again that failed for a reason nobody foresaw: it must not be lost by that."""


@dataclass(frozen=True, slots=True)
class Timer:
    """Something that has to happen. ``at``: ms since the epoch; ``kind`` and ``key`` together are unique."""

    kind: str
    key: str
    at: int
    payload: Mapping[str, str] = field(default_factory=dict)


Rings = Callable[[Timer], Awaitable[None]]
"""Does what a timer is for. Doing it twice must be doing it once: after a crash it is done again."""


class KeepsTimers(Protocol):
    """Where timers outlive us. Implemented by `plugin.store_timers.TimerStore`."""

    async def set_timer(self, timer: Timer) -> None:
        """Store a timer, in place of an earlier one of its kind and key."""

    async def end_timer(self, kind: str, key: str) -> None:
        """A timer must not ring."""

    async def rang(self, timer: Timer) -> None:
        """A timer has rung; where it was set anew meanwhile it stays."""

    async def postpone(self, timer: Timer, at: int) -> None:
        """A timer rings later; where it was set anew or ended meanwhile that holds."""

    async def next_timer(self) -> Timer | None:
        """The timer that rings first."""

    async def timers(self, kind: str) -> tuple[Timer, ...]:
        """All timers of a kind, the first first."""


@dataclass(slots=True)
class Timers:
    """All timers of this bot. ``rings``: by kind; ``epoch``: ms since the epoch, now."""

    store: KeepsTimers
    clock: Clock
    epoch: Callable[[], int]
    rings: dict[str, Rings] = field(default_factory=dict)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def set(self, kind: str, key: str, at: int, payload: Mapping[str, str] | None = None) -> None:
        """Have something happen at a time, given in ms since the epoch; replaces an earlier timer of that kind and key."""
        await self.store.set_timer(Timer(kind, key, at, payload or {}))
        self._wake.set()

    async def cancel(self, kind: str, key: str) -> None:
        """Have it not happen."""
        await self.store.end_timer(kind, key)

    async def run(self) -> None:
        """Ring when it is time, until cancelled."""
        while True:
            timer = await self.store.next_timer()
            left = LONGEST if timer is None else (timer.at - self.epoch()) / 1_000
            if timer is not None and left <= 0:
                await self._ring(timer)
            else:
                await within(self._wake, self.clock, min(left, LONGEST))

    async def _ring(self, timer: Timer) -> None:
        try:
            ring = self.rings.get(timer.kind)
            if ring is not None:
                await ring(timer)
            await self.store.rang(timer)
        except TryLater as later:
            after = AGAIN if later.after is None else round(later.after * 1_000)
            await self.store.postpone(timer, self.epoch() + after)
        except HavenError as error:
            log.warning("a timer of kind %s could not be kept: %s", timer.kind, error)
            await self.store.rang(timer)
        except Exception as error:
            reference_of(log, error, f"a timer of kind {timer.kind}")
            await self.store.postpone(timer, self.epoch() + AFTER_A_BUG)


def spelled(payload: Mapping[str, str]) -> str:
    """A payload as text."""
    return json.dumps(dict(payload), sort_keys=True)


def payload_of(text: str) -> dict[str, str]:
    """A payload out of text."""
    return {str(key): str(value) for key, value in json.loads(text).items()}

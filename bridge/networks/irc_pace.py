"""How fast we may write: a bucket of tokens, one a line, so that no server takes us for a flood."""

import asyncio
from collections.abc import Callable


class Pace:
    """At most ``burst`` lines at once and ``rate`` a second in the long run; who comes first is served first.

    ``clock`` gives seconds that never go back.
    """

    def __init__(self, burst: int, rate: float, clock: Callable[[], float]) -> None:
        self._burst = float(burst)
        self._rate = rate
        self._clock = clock
        self._tokens = float(burst)
        self._seen = clock()
        self._turn = asyncio.Lock()

    async def wait(self) -> None:
        """Return when the next line may go; the line then counts as written."""
        async with self._turn:
            missing = self._take()
            if missing > 0:
                await asyncio.sleep(missing / self._rate)

    def _take(self) -> float:
        """Take a token, on credit if need be, and say how much of it is missing."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._seen) * self._rate)
        self._seen = now
        self._tokens -= 1.0
        return -self._tokens


class Backoff:
    """How long to wait before the next try: doubles from ``least`` to ``most`` seconds, spread by ``spread`` (0 to 1) against herds."""

    def __init__(self, least: float, most: float, spread: Callable[[], float]) -> None:
        self._least = least
        self._most = most
        self._spread = spread
        self._tries = 0

    def next(self) -> float:
        """Seconds to wait now: half to all of the step that is due."""
        step = min(self._most, self._least * 2.0 ** min(self._tries, 30))
        self._tries += 1
        return step * (0.5 + 0.5 * self._spread())

    def reset(self) -> None:
        """The last try went well."""
        self._tries = 0

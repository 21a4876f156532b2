"""What can go wrong between a face and the fake homeserver: failures, lost answers, rate limits, sudden death; and a log."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from haven.errors import HavenError, RateLimited
from haven.ids import UserId

READS: Final = frozenset(
    {
        "joined_rooms",
        "room_state",
        "state_content",
        "hierarchy",
        "reactions",
        "posted",
        "recent",
        "is_listed",
        "resolve",
        "history",
        "event_reports",
        "room_versions",
        "aliases",
        "state_before",
    }
)
"""The ports that change nothing."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request: whose, through which port, on which room, and the event type or user it names."""

    user: UserId
    port: str
    room: str = ""
    about: str = ""

    @property
    def writes(self) -> bool:
        """Whether it may change anything."""
        return self.port not in READS


Hook = Callable[[Request], Awaitable[None] | None]
"""Called around a request; may raise, or wait."""


class Killed(BaseException):
    """The process that asked died here. Its client answers nothing any more; a new one is a new process."""


@dataclass
class Bucket:
    """A token bucket: ``rate`` writes a second, ``burst`` at once, on a clock that tells seconds."""

    rate: float
    burst: float
    clock: Callable[[], float]
    _left: float = field(init=False)
    _since: float = field(init=False)

    def __post_init__(self) -> None:
        self._left, self._since = self.burst, self.clock()

    def take(self) -> None:
        """Take a token or raise `RateLimited` with the time until there is one."""
        now = self.clock()
        self._left = min(self.burst, self._left + (now - self._since) * self.rate)
        self._since = now
        # A billionth is forgiven: who waits exactly as long as told must not fail on the rounding of floats.
        if self._left < 1 - 1e-9:
            raise RateLimited((1 - self._left) / self.rate)
        self._left -= 1


class Faults:
    """Everything a test can do to requests, and the list of those there were."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.before: list[Hook] = []
        self.after: list[Hook] = []

    def count(self, *ports: str, user: UserId | None = None) -> int:
        """How many requests there were through these ports (through any when none is named)."""
        found = (one for one in self.requests if user in {None, one.user})
        counts = Counter(one.port for one in found)
        return sum(counts[port] for port in ports) if ports else counts.total()

    def writes(self, user: UserId | None = None) -> int:
        """How many requests there were that may have changed something."""
        return sum(one.writes for one in self.requests if user in {None, one.user})

    def fail_next(self, times: int, error: HavenError, *, port: str = "", lose_answer: bool = False) -> None:
        """Fail the next requests (through one port, or all); with ``lose_answer`` each still has its effect."""
        hooks = self.after if lose_answer else self.before
        left = times

        def fail(request: Request) -> None:
            nonlocal left
            if left and port in {"", request.port}:
                left -= 1
                raise error

        hooks.append(fail)

    def kill(self, at: int, *, user: UserId | None = None, after_effect: bool = False) -> None:
        """Kill the asker (any, or one) at its ``at``-th request from now (1 is the next), before or after the effect."""
        hooks = self.after if after_effect else self.before
        left = at

        def die(request: Request) -> None:
            nonlocal left
            if user in {None, request.user}:
                left -= 1
                if left == 0:
                    raise Killed

        hooks.append(die)

    def limit(self, rate: float, burst: float, clock: Callable[[], float]) -> None:
        """Limit each user to ``rate`` writes a second and ``burst`` at once, like Synapse's ``rc_message``."""
        buckets: dict[UserId, Bucket] = {}

        def slow_down(request: Request) -> None:
            if request.writes:
                buckets.setdefault(request.user, Bucket(rate, burst, clock)).take()

        self.before.append(slow_down)

    def forgive(self) -> None:
        """Take every fault, limit and hook away; the log stays."""
        self.before.clear()
        self.after.clear()

    @asynccontextmanager
    async def around(self, request: Request) -> AsyncIterator[None]:
        """A request with all that may befall it. Others get their turn before and after, as over a real wire."""
        await asyncio.sleep(0)
        self.requests.append(request)
        await _run(self.before, request)
        yield
        await _run(self.after, request)
        await asyncio.sleep(0)


async def survives(work: Awaitable[object]) -> bool:
    """Whether the work came to its end; false when it, or a task of it, was killed. Its own errors are raised."""
    alive = True
    try:
        await work
    except* Killed:
        alive = False
    return alive


async def _run(hooks: list[Hook], request: Request) -> None:
    for hook in tuple(hooks):
        waiting = hook(request)
        if waiting is not None:
            await waiting

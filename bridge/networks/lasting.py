"""What lasts from one connection to the next: connecting again and again, and handing over what happened, one after the other."""

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Awaitable, Callable

from haven.errors import GiveUp, TryLater

from .events import Connection, ConnectionState, Event, Receive
from .irc_pace import Backoff

log = logging.getLogger(__name__)

SETTLED = 60.0
"""Seconds of a connection after which back-off begins anew."""
BACKLOG = 10_000
"""Events not yet stored (some 20 MiB), above which reading should stop; below a tenth it goes on."""
_LAST_WORDS = 5.0
"""Seconds at the end for handing over what was heard."""


class Lasting:
    """Keeps a network connected. ``once`` is one connection, from its beginning to its end; ``stored`` hears of each event that was handed over."""

    def __init__(
        self,
        once: Callable[[], Awaitable[None]],
        stored: Callable[[Event], None],
        least: float,
        most: float,
    ) -> None:
        self._once = once
        self._stored = stored
        self._backoff = Backoff(least, most, secrets.SystemRandom().random)
        self._news: asyncio.Queue[Event] = asyncio.Queue()
        self._state: Connection | None = None
        self._was_in = False

    @property
    def waiting(self) -> int:
        """How many events are not stored yet."""
        return self._news.qsize()

    async def stored_all(self) -> None:
        """Returns when all that was said so far is stored."""
        await self._news.join()

    def say(self, event: Event) -> None:
        """Have an event handed over, after those before it."""
        self._news.put_nowait(event)

    def say_state(self, state: ConnectionState, reason: str | None = None) -> None:
        """Say how the network is reached, where it is news."""
        self._was_in = self._was_in or state is ConnectionState.CONNECTED
        said = Connection(state, reason)
        if said != self._state:
            self._state = said
            self.say(said)

    async def run(self, receive: Receive) -> None:
        """Stay connected until cancelled, or until the network does not want us."""
        async with asyncio.TaskGroup() as tasks:
            pump = tasks.create_task(self._pump(receive))
            try:
                await self._stay_connected()
            finally:
                # Also when we are told to stop: what was heard has been heard.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LAST_WORDS):
                        await self._news.join()
                pump.cancel()

    async def _pump(self, receive: Receive) -> None:
        while True:
            event = await self._news.get()
            while True:
                try:
                    await receive(event)
                    break
                except TryLater as error:
                    await asyncio.sleep(error.after or 1.0)
            self._stored(event)
            self._news.task_done()

    async def _stay_connected(self) -> None:
        """Connect again and again. A refusal is final only if we were never let in: later it may be the network's own trouble."""
        while True:
            self.say_state(ConnectionState.CONNECTING)
            started, reason = time.monotonic(), "connection_lost"
            try:
                await self._once()
                if time.monotonic() - started > SETTLED:
                    self._backoff.reset()
            except GiveUp as error:
                reason = str(error.values.get("reason", error.key))
                if not self._was_in:
                    self.say_state(ConnectionState.LOGGED_OUT, reason)
                    return
            except TryLater as error:
                log.info("The server cannot be reached: %s", error)
                reason = error.key
            self.say_state(ConnectionState.LOST, reason)
            await asyncio.sleep(self._backoff.next())

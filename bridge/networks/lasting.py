"""What lasts from one connection to the next: connecting again and again, and handing over what happened, one after the other."""

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable

from haven.errors import GiveUp, TryLater

from .events import Connection, ConnectionState, Event, Receive
from .irc_news import News
from .irc_pace import Backoff

log = logging.getLogger(__name__)

SETTLED = 60.0
"""Seconds of a connection after which back-off begins anew."""


class Lasting:
    """Keeps a network connected. ``once`` is one connection, from its beginning to its end; ``stored`` and ``pause``: see `News`."""

    def __init__(
        self,
        once: Callable[[], Awaitable[None]],
        stored: Callable[[Event], None],
        pause: Callable[[bool], None],
        *,
        least: float,
        most: float,
    ) -> None:
        self._once = once
        self._backoff = Backoff(least, most, secrets.SystemRandom().random)
        self._news = News(stored, pause)
        self._state: Connection | None = None
        self._was_in = False

    async def stored_all(self) -> None:
        """Returns when all that was said so far is stored."""
        await self._news.all_stored()

    def say(self, event: Event) -> None:
        """Have an event handed over, after those before it."""
        self._news.put(event)

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
            pump = tasks.create_task(self._news.hand_over(receive))
            try:
                await self._stay_connected()
            finally:
                await self._news.last_words()
                pump.cancel()

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

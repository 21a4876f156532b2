"""On which terms files are carried: how large, of which types, how long it may take, and one at a time where it is the same."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar
from weakref import WeakValueDictionary

from haven.errors import GiveUp, HavenError, Invalid, Refused

from .homeserver_media import MediaRepository
from .media_body import Measured
from .media_settings import MIB, MediaSettings
from .media_trouble import Troubles
from .networks.media import Body

T = TypeVar("T")
AT_ONCE = 16
"""Files on their way at the same time: each holds a few hundred KiB."""
ASKED_FOR = 3600.0
"""Seconds for which the homeserver's limit is taken for granted."""


class Terms:
    """The terms. ``clock`` in seconds."""

    def __init__(
        self,
        settings: MediaSettings,
        repository: MediaRepository,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._repository = repository
        self._clock = clock
        self._troubles = Troubles(clock)
        self._places = asyncio.Semaphore(AT_ONCE)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._most: int | None = None
        self._asked = float("-inf")

    def check(self, size: int | None, media_type: str, most: int | None = None) -> None:
        """Raises ``GiveUp`` (``media_larger``, ``media_type``) for what is not carried. ``most``: bytes, where less than ours."""
        largest = self._settings.largest if most is None else min(most, self._settings.largest)
        if size is not None and size > largest:
            raise Invalid("media_larger", most=f"{largest / MIB:.3g}")  # in MiB
        if not self._settings.allows(media_type):
            raise Refused("media_type")

    def bounded(self, body: Body, size: int | None) -> Measured:
        """``body``, held to its size or at least to our limit."""
        return Measured(body, size, self._settings.largest)

    async def check_for_homeserver(self, size: int | None, media_type: str) -> None:
        """The same with the homeserver's own limit, asked for now and then: to send it more could only be seen as a broken connection."""
        if self._asked + ASKED_FOR < self._clock():
            self._most = await self._repository.largest()
            self._asked = self._clock()
        self.check(size, media_type, self._most)

    async def carried(self, key: str, carry: Callable[[], Awaitable[T]]) -> T:
        """What ``carry`` gives. Of one ``key`` one at a time, so that the second finds what the first has stored.

        Raises ``GiveUp`` (``media_slow``) where it takes too long, and ``TryLater`` no longer than a room may wait.
        """
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock, self._places:
            try:
                async with asyncio.timeout(self._settings.seconds):
                    result = await carry()
            except TimeoutError:
                raise GiveUp("media_slow") from None
            except HavenError as error:
                verdict = self._troubles.weigh(key, error)
                if verdict is error:
                    raise
                raise verdict from error
        self._troubles.over(key)
        return result

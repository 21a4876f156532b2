"""How long a file may be in trouble before its message goes on without it."""

import time
from collections import OrderedDict
from collections.abc import Callable

from haven.errors import GiveUp, HavenError, RateLimited, TryLater, Unreachable

PATIENCE = 30.0
"""Seconds for which a room waits for a file that somebody is in trouble with."""
FORGOTTEN = 600.0
"""Seconds after which trouble is new trouble."""
MOST = 1000
"""Files in trouble that are remembered."""


class Troubles:
    """Since when which file is in trouble. ``clock`` in seconds.

    A message waits for its file, so that what is down for a moment costs nothing; but not for ever: other messages wait behind it. Nothing
    is lost where all is down, for then the message cannot be sent either, and its file is tried again with it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._since: OrderedDict[str, float] = OrderedDict()
        self._clock = clock

    def weigh(self, key: str, error: HavenError) -> HavenError:
        """What to raise for ``error``: ``TryLater`` as long as there is patience, then ``GiveUp``."""
        if not isinstance(error, TryLater) or isinstance(error, RateLimited) or error.key == "database":
            return error
        waited = self._clock() - self._since.get(key, float("-inf"))
        if waited > FORGOTTEN:
            self._since[key], waited = self._clock(), 0.0
        if len(self._since) > MOST:
            self._since.popitem(last=False)
        # Under a key of its own, lest it counts as a fault of the message's.
        why = error.key if error.key.startswith("media_") else "media_unreachable"
        return GiveUp(why) if waited >= PATIENCE else Unreachable(why, min(error.after or 0.0, PATIENCE))

    def over(self, key: str) -> None:
        """The file got through."""
        self._since.pop(key, None)

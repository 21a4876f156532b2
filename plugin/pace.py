"""When it is time to say again how far something is."""

from collections.abc import Callable
from dataclasses import dataclass

EVERY = 3.0
"""Seconds between two edits of a progress message."""

SELDOM = 60.0
"""The same while the homeserver slows us down: then each edit takes the place of something that has to be done."""


@dataclass(slots=True)
class Pace:
    """Counts the seconds since something was last said. ``busy``: whether the homeserver slows us down. ``due``: when it is time, at the earliest."""

    now: Callable[[], float]
    busy: Callable[[], bool]
    due: float = float("-inf")
    said: float = float("-inf")

    def next(self) -> bool:
        """Whether it is time; if so, it is not for a while."""
        now = self.now()
        if now < self.due or now < self.said + (SELDOM if self.busy() else EVERY):
            return False
        self.said = now
        return True

    def put_off(self, seconds: float) -> None:
        """Nothing is to be said for that long."""
        self.due = self.now() + seconds

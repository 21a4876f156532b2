"""How much waits in the inbox, so that it never fills the disk: whoever brings more than there is room for has to wait with it."""

import asyncio
import logging

log = logging.getLogger(__name__)

MOST = 256 * 1024 * 1024
"""Characters that may wait in the inbox. About as much as all members of a large community write in a month."""
EACH = 300
"""Characters that an item needs besides its payload."""


class Stock:
    """Counts what waits. Taking what is new is never refused here: whoever takes it asks ``full``, or waits for ``room``."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._waiting = 0
        self._room = asyncio.Event()
        self._room.set()

    @property
    def full(self) -> bool:
        """Whether there is no room for more."""
        return not self._room.is_set()

    async def room(self) -> None:
        """Wait until there is room."""
        await self._room.wait()

    def came(self, payload: int, items: int = 1) -> None:
        """So many items came, with so many characters in all."""
        self._change(payload + items * EACH)

    def is_now(self, payload: int, items: int) -> None:
        """What the database says."""
        self._waiting = 0
        self.came(payload, items)

    def went(self, payload: int) -> None:
        """An item is done, or set aside."""
        self._change(-(payload + EACH))

    def _change(self, by: int) -> None:
        self._waiting = max(0, self._waiting + by)
        if self._waiting >= self._most:
            if not self.full:
                log.warning("The inbox is full: nothing more is taken before something is carried")
            self._room.clear()
        else:
            self._room.set()

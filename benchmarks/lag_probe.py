"""A plugin of its own that tells how late the event loop of its maubot is. Uploaded by `benchmarks.lag`; nothing of the product.

It shares the loop with whatever else runs in that maubot, so it sees when somebody does not let go of it.
"""

import asyncio
import time

from aiohttp.web import Request, Response, json_response
from maubot.plugin_base import Plugin

EVERY = 0.005
"""Seconds between two looks."""
NOTED = 0.010
"""Seconds of lateness from which on a look is told of by itself."""


class LagProbe(Plugin):
    """Looks at the clock every few milliseconds; GET of its page tells what it saw since the last time, and forgets it."""

    _task: asyncio.Task[None] | None = None
    _looks: int = 0
    _late: list[tuple[float, float]]

    async def start(self) -> None:
        """See maubot."""
        if self.webapp is None:
            raise RuntimeError("maubot.yaml must ask for a web app")
        self._late = []
        self.webapp.add_get("/late", self.late)
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """See maubot."""
        if self._task is not None:
            self._task.cancel()

    async def _watch(self) -> None:
        while True:
            begun, worked = time.perf_counter(), time.process_time()
            await asyncio.sleep(EVERY)
            late = time.perf_counter() - begun - EVERY
            self._looks += 1
            if late >= NOTED:
                self._late.append((late, time.process_time() - worked))

    async def late(self, _request: Request) -> Response:
        """How often it looked, and for each look that was late: by how many seconds, and how long its process was at work then."""
        told = {"looks": self._looks, "late": self._late}
        self._looks, self._late = 0, []
        return json_response(told)

"""Waits for a calm moment before something is measured, where others use the machine as well; gives up waiting after a while."""

import asyncio
import time
from pathlib import Path

BUSY = 0.15
"""The share of all processors that may be at work in a calm moment (what we have started waits for work then)."""
LOOK = 0.5
"""Seconds to look at the processors."""
PATIENCE = 45.0
"""Seconds to wait for calm before measuring all the same."""

_STAT = Path("/proc/stat")


def ticks(stat: str) -> tuple[int, int]:
    """How long the processors have worked and how long they have been there, in ticks (proc(5), stat): time stolen by other guests is work."""
    user, nice, system, idle, waiting, *others = (int(field) for field in stat.split("\n", 1)[0].split()[1:9])
    working = user + nice + system + sum(others)
    return working, working + idle + waiting


def _now() -> tuple[int, int]:
    return ticks(_STAT.read_text())


async def calm() -> bool:
    """Waits until little happens here; False when that did not come."""
    deadline = time.monotonic() + PATIENCE
    while True:
        working, there = _now()
        await asyncio.sleep(LOOK)
        later_working, later_there = _now()
        if later_working - working <= BUSY * (later_there - there):
            return True
        if time.monotonic() > deadline:
            return False

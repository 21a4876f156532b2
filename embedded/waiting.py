"""Waiting for a condition instead of sleeping for luck."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds that something which should happen soon is waited for; generous, since machines are slow at times."""


class NeverHappened(Exception):
    """What was waited for did not come about in time."""


async def eventually(
    check: Callable[[], Awaitable[T]], what: str, timeout: float = PATIENCE, interval: float = 0.05
) -> T:
    """Asks `check` again and again until it answers something true, and gives that answer.

    `what` completes the sentence "... did not happen: ". An exception of `check` is not an answer: it goes to the caller.
    """
    deadline = asyncio.get_running_loop().time() + timeout
    while True:
        answer = await check()
        if answer:
            return answer
        if asyncio.get_running_loop().time() > deadline:
            raise NeverHappened(f"within {timeout:.0f} s did not happen: {what}")
        await asyncio.sleep(interval)

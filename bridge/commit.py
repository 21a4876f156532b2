"""Group commit: many small jobs of the database, one transaction for all that wait.

A commit costs a flush of the disk whether it holds one row or a hundred. So all work goes through one
writer, in the order it was asked for, and whoever asks waits until the transaction that held their work is
on disk. Reads go the same way: they see all that was asked for before them.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from mautrix.util.async_db import Connection, Database, Scheme

from haven.errors import Unreachable

from .sqlite import SqliteTrips

T = TypeVar("T")
Job = Callable[[Connection], Awaitable[T]]
"""Some queries. May run twice where a neighbour in the same transaction failed, so it keeps no state of its
own; awaits nothing but its connection."""

log = logging.getLogger(__name__)
MOST = 500
"""Jobs in one transaction, at most."""
LINGER = 0.1
"""Seconds for which work that nobody waits for may wait for company."""


@dataclass(frozen=True, slots=True)
class _Asked:
    job: Job[Any]
    done: asyncio.Future[Any]


class GroupCommit:
    """The one writer of a database. ``run`` must be running for ``ask`` to be answered."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asked: deque[_Asked] = deque()
        self._wanted = asyncio.Event()
        self._soon: asyncio.TimerHandle | None = None
        self._stopping = False
        self._trips = SqliteTrips(database.url.path) if database.scheme is Scheme.SQLITE else None

    async def ask(self, job: Job[T]) -> T:
        """Do ``job`` and commit it. Raises ``Unreachable`` (key ``database``) when the database does not
        answer or refuses.
        """
        done = self.enqueue(job)
        self._wanted.set()
        return await done

    def enqueue(self, job: Job[T]) -> asyncio.Future[T]:
        """The same for whoever does not wait: the place in the order is taken now; the commit is the next one
        that somebody asks for, or one of its own when ``LINGER`` seconds have passed.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._asked.append(_Asked(job, done))
        if self._soon is None:
            self._soon = loop.call_later(LINGER, self._wanted.set)
        return done

    async def run(self) -> None:
        """Serve until ``stop``; what was asked for before it is still done."""
        try:
            await self._serve()
        finally:
            if self._trips is not None:
                await self._trips.close()

    async def _serve(self) -> None:
        while self._asked or not self._stopping:
            await self._wanted.wait()
            self._wanted.clear()
            if self._soon is not None:
                self._soon.cancel()
                self._soon = None
            while batch := self._batch():
                await self._commit(batch)

    def stop(self) -> None:
        """End ``run`` after all that was asked for so far."""
        self._stopping = True
        self._wanted.set()

    def _batch(self) -> list[_Asked]:
        batch: list[_Asked] = []
        while self._asked and len(batch) < MOST:
            asked = self._asked.popleft()
            if not asked.done.cancelled():
                batch.append(asked)
        return batch

    async def _commit(self, batch: list[_Asked]) -> None:
        try:
            results = await self._transact([asked.job for asked in batch])
        except Exception as error:
            if len(batch) == 1:
                _fail(batch[0], error)
                return
            # One job spoils the transaction for all; alone, each gets its own answer.
            for asked in batch:
                await self._commit([asked])
        else:
            for asked, result in zip(batch, results, strict=True):
                with suppress(asyncio.InvalidStateError):
                    asked.done.set_result(result)

    async def _transact(self, jobs: list[Job[Any]]) -> list[Any]:
        if self._trips is not None:
            return await self._trips.transact(jobs)
        # mautrix annotates its context managers with what they yield.
        acquire = cast("Callable[[], AbstractAsyncContextManager[Connection]]", self._database.acquire)
        async with acquire() as connection:
            transaction = cast("Callable[[], AbstractAsyncContextManager[None]]", connection.transaction)
            async with transaction():
                return [await job(connection) for job in jobs]


def _fail(asked: _Asked, error: Exception) -> None:
    log.error("The database refused a job: %s", type(error).__name__)
    with suppress(asyncio.InvalidStateError):
        failure = Unreachable("database")
        failure.__cause__ = error
        asked.done.set_exception(failure)

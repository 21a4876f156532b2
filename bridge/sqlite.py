"""One trip to SQLite for each transaction: all its queries run in one go in the thread that owns the connection.

A library that hops into a thread and back for each query spends more on the hops than SQLite on the queries. A job is a coroutine that
awaits nothing but its connection; here the connection never has to wait, so that the whole job runs through in the thread.
"""

import asyncio
import re
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, TypeVar, cast

from mautrix.util.async_db import Connection

T = TypeVar("T")
PRAGMAS = (
    # FULL: accepted means on disk, also when the power goes; the group commit keeps it cheap.
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    # What is deleted is overwritten: words that were carried, and people who were erased.
    "PRAGMA secure_delete = ON",
    "PRAGMA busy_timeout = 5000",
)
_PLACE = re.compile(r"\$(\d+)")


@lru_cache(maxsize=256)
def _sqlite(query: str) -> str:
    """``$1`` as SQLite has it."""
    return _PLACE.sub(r"?\1", query)


class Straight:
    """A connection with the methods of mautrix's, none of which ever waits."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def execute(self, query: str, *values: object) -> None:
        """Do it."""
        self._connection.execute(_sqlite(query), values)

    async def executemany(self, query: str, rows: Iterable[Sequence[object]]) -> None:
        """Do it with each row of values."""
        self._connection.executemany(_sqlite(query), rows)

    async def fetch(self, query: str, *values: object) -> list[sqlite3.Row]:
        """All rows."""
        return self._connection.execute(_sqlite(query), values).fetchall()

    async def fetchrow(self, query: str, *values: object) -> sqlite3.Row | None:
        """The first row."""
        row: sqlite3.Row | None = self._connection.execute(_sqlite(query), values).fetchone()
        return row

    async def fetchval(self, query: str, *values: object) -> Any:  # whatever stands there
        """The first value of the first row."""
        row = await self.fetchrow(query, *values)
        return None if row is None else row[0]


class SqliteTrips:
    """A connection to the file at ``path`` and its thread. Opened with the first trip; ``close`` it at the end."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite")
        self._connection: sqlite3.Connection | None = None

    async def transact(self, jobs: Sequence[Callable[[Connection], Awaitable[T]]]) -> list[T]:
        """All jobs in one transaction. Raises what SQLite or a job raises; then nothing of it was done."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._transact, jobs)

    async def close(self) -> None:
        """Close the connection and end the thread."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    def _transact(self, jobs: Sequence[Callable[[Connection], Awaitable[T]]]) -> list[T]:
        connection = self._connection = self._connection or self._open()
        straight = cast("Connection", Straight(connection))
        connection.execute("BEGIN IMMEDIATE")
        try:
            results = [_run_through(job(straight)) for job in jobs]
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return results

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, cached_statements=256)
        connection.row_factory = sqlite3.Row
        for pragma in PRAGMAS:
            connection.execute(pragma)
        return connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _run_through(job: Awaitable[T]) -> T:
    steps = job.__await__()
    try:
        next(steps)
    except StopIteration as done:
        return cast("T", done.value)
    steps.close()
    raise RuntimeError("A job of the database waited for something else")

"""Finds all that the database keeps of a person, gives it as plain values, or deletes it in one transaction."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from mautrix.util.async_db import Connection

from haven.ids import Network, RemoteUserId, UserId

from ..store import Store
from .inventory import EXPIRING
from .jobs import Subject, names, said_by, without

Row: TypeAlias = Mapping[str, Any]
Found: TypeAlias = Mapping[str, Sequence[Row]]
"""Rows by table; no table without rows."""

AT_ONCE = 500


class Records:
    """What is kept of people. All methods raise ``Unreachable`` (key ``database``) as the store does."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def subject(self, user: UserId) -> Subject:
        """Who a Matrix id is: a ghost's person, or the user."""

        async def job(connection: Connection) -> Subject:
            rows = await connection.fetch("SELECT network, remote FROM person WHERE ghost = $1", user)
            behind = [(Network(row["network"]), RemoteUserId(row["remote"])) for row in rows]
            return Subject(user, *behind[0]) if behind else Subject(user)

        return await self._store.ask(job)

    async def of(self, subject: Subject) -> Found:
        """All that is kept of them. Of what others said and name them in, only that it is there, and when it came."""

        async def job(connection: Connection) -> Found:
            theirs, naming = await _items(connection, subject)
            found = {
                "inbox": [_readable(row) for row in theirs],
                "inbox_of_others": [{"seq": row["seq"], "arrived": row["arrived"]} for row, _ in naming],
                "mark": await _marks(connection, theirs),
                **{name: await _rows(connection, query, values) for name, query, values in _wanted(subject)},
            }
            return {name: rows for name, rows in found.items() if rows}

        return await self._store.ask(job)

    async def erase(self, subject: Subject) -> int:
        """Delete all of it; how many rows were deleted, or do not name them any more. Committed on return."""

        async def job(connection: Connection) -> int:
            theirs, naming = await _items(connection, subject)
            marks = await _marks(connection, theirs)
            changed = len(theirs) + len(naming) + len(marks)
            for name, query, values in _wanted(subject):
                changed += len(await _rows(connection, query, values))
                await connection.execute(_gone(name, query), *values)
            await connection.executemany(
                "DELETE FROM mark WHERE source = $1", [(row["source"],) for row in marks]
            )
            await connection.executemany(
                "DELETE FROM inbox WHERE seq = $1", [(row["seq"],) for row in theirs]
            )
            await connection.executemany(
                "UPDATE inbox SET payload = $2 WHERE seq = $1",
                [(row["seq"], json.dumps(without(job, subject))) for row, job in naming],
            )
            return changed

        return await self._store.ask(job)


def _wanted(subject: Subject) -> Iterable[tuple[str, str, tuple[str, ...]]]:
    """Where somebody stands in a column of their own: table, query, values."""
    yield "message_map", "SELECT * FROM message_map WHERE sender = $1", (subject.user,)
    yield "standing", "SELECT * FROM standing WHERE remote = $1", (subject.user,)
    if subject.network is not None and subject.remote is not None:
        behind = (subject.network, subject.remote)
        yield "standing_there", "SELECT * FROM standing WHERE network = $1 AND remote = $2", behind
    yield "expiring", "SELECT * FROM expiring WHERE sender = $1", (subject.user,)
    yield "person", "SELECT * FROM person WHERE ghost = $1", (subject.user,)


def _gone(table: str, query: str) -> str:
    """What makes the rows that ``query`` finds theirs no more: what is to disappear must still do so, by the bridge's own hand."""
    if table == EXPIRING.name:
        return query.replace("SELECT * FROM expiring", "UPDATE expiring SET sender = ''", 1)
    return query.replace("SELECT *", "DELETE", 1)


async def _rows(connection: Connection, query: str, values: Iterable[str]) -> list[dict[str, Any]]:
    return [dict(row) for row in await connection.fetch(query, *values)]


async def _items(
    connection: Connection, subject: Subject
) -> tuple[list[dict[str, Any]], list[tuple[dict[str, Any], dict[str, Any]]]]:
    """The items that they said, and, with their payloads, those of others that name them."""
    theirs: list[dict[str, Any]] = []
    naming: list[tuple[dict[str, Any], dict[str, Any]]] = []
    last = -1
    rows: list[dict[str, Any]] = [{}]
    while rows:
        rows = await _rows_after(connection, last)
        for row in rows:
            last, job = row["seq"], _job(row["payload"])
            if said_by(job, subject):
                theirs.append(row)
            elif names(job, subject):
                naming.append((row, job))
    return theirs, naming


async def _rows_after(connection: Connection, last: int) -> list[dict[str, Any]]:
    query = "SELECT seq, lane, source, payload, arrived, tries, claimed, aside FROM inbox WHERE seq > $1 ORDER BY seq LIMIT $2"
    return [dict(row) for row in await connection.fetch(query, last, AT_ONCE)]


async def _marks(connection: Connection, theirs: Iterable[Row]) -> list[dict[str, Any]]:
    marks = []
    for row in theirs:
        marks += await _rows(connection, "SELECT * FROM mark WHERE source = $1", (row["source"],))
    return marks


def _readable(row: Row) -> dict[str, Any]:
    return {**row, "payload": _job(row["payload"])}


def _job(payload: str) -> dict[str, Any]:
    try:
        job = json.loads(payload)
    except ValueError:
        return {}
    return job if isinstance(job, dict) else {}

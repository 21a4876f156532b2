"""Finds, rewrites and deletes in the plugin's database what is kept of one person, and scrubs what was deleted from its file."""

import json
import re
from collections.abc import Mapping
from typing import Any

from mautrix.util.async_db import Database, Scheme

from haven.ids import UserId

from .personal.inventory import Table

Row = Mapping[str, Any]


class PersonalStore:
    """The rows of somebody, in the tables of the inventory."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rows(self, table: Table, who: UserId) -> tuple[Row, ...]:
        """The rows of a table in which somebody stands."""
        wanted = " OR ".join(f"{column} LIKE $1 ESCAPE '!'" for column in table.people)
        found = await self._database.fetch(
            f"SELECT * FROM {table.name} WHERE {wanted}",  # noqa: S608 - names of the inventory
            f"%{_pattern(who)}%",
        )
        rows = (dict(row) for row in found)
        return tuple(row for row in rows if any(stands_in(str(row[each]), who) for each in table.people))

    async def rewrite(self, table: Table, row: Row, changed: Mapping[str, object]) -> None:
        """Replace columns of a row."""
        given = [*changed.values(), *(row[column] for column in table.key)]
        put = ", ".join(f"{column}=${number}" for number, column in enumerate(changed, 1))
        where = _key(table, len(changed))
        await self._database.execute(f"UPDATE {table.name} SET {put} WHERE {where}", *given)  # noqa: S608 - as above

    async def delete(self, table: Table, row: Row) -> None:
        """Delete a row."""
        given = [row[column] for column in table.key]
        await self._database.execute(f"DELETE FROM {table.name} WHERE {_key(table, 0)}", *given)  # noqa: S608 - as above

    async def scrub(self) -> None:
        """Have nothing of what was deleted left in the file of the database. PostgreSQL sees to that by itself (autovacuum)."""
        if self._database.scheme is Scheme.SQLITE:
            await self._database.execute("VACUUM")
            await self._database.fetch("PRAGMA wal_checkpoint(TRUNCATE)")


def _key(table: Table, after: int) -> str:
    return " AND ".join(f"{column}=${number}" for number, column in enumerate(table.key, after + 1))


def _pattern(who: UserId) -> str:
    """What an id looks like in any column, as a pattern: some signs are written differently in JSON, so they are left open."""
    spelled = re.sub(r"([!%_])", r"!\1", who)
    return re.sub(r'[\\"]', "%", spelled)


def _whole(who: UserId) -> re.Pattern[str]:
    """An id as it stands in a text: not as the beginning of a longer one, though a sentence may end after it, and a time follow."""
    spelled = "|".join({re.escape(who), re.escape(json.dumps(who)[1:-1])})
    return re.compile(
        rf"(?<![A-Za-z0-9])(?:{spelled})(?![A-Za-z0-9_-]|:[A-Za-z0-9]|\.(?![0-9]{{9,}}$)[A-Za-z0-9])"
    )


def stands_in(text: str, who: UserId) -> bool:
    """Whether somebody's id stands in a text or in JSON."""
    return _whole(who).search(text) is not None


def without(text: str, who: UserId, nobody: str) -> str:
    """A text in which somebody's id is replaced."""
    return _whole(who).sub(lambda _: nobody, text)

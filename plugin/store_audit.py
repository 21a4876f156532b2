"""Where the audit log outlives us, in the plugin's database."""

from collections.abc import Mapping
from typing import Any

from mautrix.util.async_db import Database

from haven.ids import RoomId, UserId

from .audit import Deed, Door
from .timers import payload_of, spelled

TOLD = "told"
"""What stands with a deed that was told; "" before, and meanwhile the name of the message that tells it."""


class AuditStore:
    """See `plugin.audit.KeepsDeeds`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_deed(self, deed: Deed) -> bool:
        """See `plugin.audit.KeepsDeeds`."""
        kept = await self._database.fetchval(
            "INSERT INTO deed (id, space, who, what, door, at, details, why)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING id",
            deed.id,
            deed.space,
            deed.who,
            deed.what,
            str(deed.door),
            deed.at,
            spelled(deed.values),
            deed.why,
        )
        return kept is not None

    async def deeds(self, space: RoomId, last: int) -> tuple[Deed, ...]:
        """See `plugin.audit.KeepsDeeds`."""
        rows = await self._database.fetch(
            "SELECT * FROM deed WHERE space=$1 ORDER BY at DESC, id DESC LIMIT $2", space, last
        )
        return tuple(read_deed(row) for row in rows)

    async def untold(self, space: RoomId, most: int) -> tuple[str, tuple[Deed, ...]]:
        """See `plugin.audit.KeepsDeeds`."""
        name = await self._database.fetchval(
            "SELECT told FROM deed WHERE space=$1 AND told <> '' AND told <> $2 LIMIT 1", space, TOLD
        )
        if name is None:
            waiting = await self._database.fetch(
                "SELECT id FROM deed WHERE space=$1 AND told='' ORDER BY at, id LIMIT $2", space, most
            )
            name = waiting[0]["id"] if waiting else ""
            for row in waiting:
                await self._database.execute("UPDATE deed SET told=$2 WHERE id=$1", row["id"], name)
        rows = await self._database.fetch(
            "SELECT * FROM deed WHERE told=$1 AND told <> '' ORDER BY at, id", name
        )
        return name, tuple(read_deed(row) for row in rows)

    async def told(self, name: str) -> None:
        """See `plugin.audit.KeepsDeeds`."""
        await self._database.execute("UPDATE deed SET told=$2 WHERE told=$1", name, TOLD)

    async def spaces_untold(self) -> tuple[RoomId, ...]:
        """See `plugin.audit.KeepsDeeds`."""
        rows = await self._database.fetch("SELECT DISTINCT space FROM deed WHERE told <> $1", TOLD)
        return tuple(RoomId(row["space"]) for row in rows)


def read_deed(row: Mapping[str, Any]) -> Deed:
    """A deed out of its row."""
    return Deed(
        row["id"],
        RoomId(row["space"]),
        UserId(row["who"]),
        row["what"],
        Door(row["door"]),
        row["at"],
        payload_of(row["details"]),
        row["why"],
    )

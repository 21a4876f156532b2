"""Where the audit log outlives us, in the plugin's database."""

from mautrix.util.async_db import Database

from haven.ids import RoomId, UserId

from .audit import Deed, Door
from .timers import payload_of, spelled


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
        return tuple(
            Deed(
                row["id"],
                RoomId(row["space"]),
                UserId(row["who"]),
                row["what"],
                Door(row["door"]),
                row["at"],
                payload_of(row["details"]),
                row["why"],
            )
            for row in rows
        )

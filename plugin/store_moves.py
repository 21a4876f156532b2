"""Takes along what the plugin's database says of a room that was upgraded."""

from mautrix.util.async_db import Database

from haven.ids import RoomId

_LISTS = (("concern", "said"), ("held", "who"), ("arrival", "who"))
"""Tables with one row for each of something in a space: where both have one, that of the new space is the younger."""


class MoveStore:
    """Moves rows from an old room to the new one. Doing it twice is doing it once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def space_moved(self, old: RoomId, new: RoomId) -> None:
        """Whatever is kept of a community is kept of the new space from now on."""
        execute = self._database.execute
        for table, what in _LISTS:
            await execute(
                f"DELETE FROM {table} WHERE space=$1"  # noqa: S608 - names of ours
                f" AND {what} IN (SELECT {what} FROM {table} WHERE space=$2)",
                old,
                new,
            )
        await execute(
            "DELETE FROM card WHERE space=$1 AND decided='' AND EXISTS (SELECT 1 FROM card AS other"
            " WHERE other.space=$2 AND other.decided='' AND other.kind=card.kind AND other.about=card.about)",
            old,
            new,
        )
        for table in (*(table for table, _ in _LISTS), "card", "deed", "invite"):
            await execute(f"UPDATE {table} SET space=$2 WHERE space=$1", old, new)  # noqa: S608 - names of ours
        await self._timers_moved(old, new)

    async def desk_moved(self, old: RoomId, new: RoomId) -> None:
        """Open cards that stood in an old admins' room are to be shown in the new one."""
        await self._database.execute(
            "UPDATE card SET room=$2, event='' WHERE room=$1 AND decided=''", old, new
        )

    async def _timers_moved(self, old: RoomId, new: RoomId) -> None:
        """Timers are named after the space they are about. One that the new space has already stays."""
        for row in await self._database.fetch("SELECT kind, name, at, payload FROM timer"):
            name, payload = row["name"].replace(old, new), row["payload"].replace(old, new)
            if (name, payload) == (row["name"], row["payload"]):
                continue
            await self._database.execute(
                "INSERT INTO timer (kind, name, at, payload) VALUES ($1, $2, $3, $4)"
                " ON CONFLICT (kind, name) DO UPDATE SET payload=excluded.payload",
                row["kind"],
                name,
                row["at"],
                payload,
            )
            if name != row["name"]:
                await self._database.execute(
                    "DELETE FROM timer WHERE kind=$1 AND name=$2", row["kind"], row["name"]
                )

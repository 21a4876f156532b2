"""Where it outlives us who was what in each community, in the plugin's database."""

from collections.abc import Mapping

from mautrix.util.async_db import Database

from haven.ids import RoomId, UserId


class RoleStore:
    """See `plugin.by_hand.RemembersRoles`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def held(self, space: RoomId) -> Mapping[UserId, str]:
        """See `plugin.by_hand.RemembersRoles`."""
        rows = await self._database.fetch("SELECT who, role FROM held WHERE space=$1", space)
        return {UserId(row["who"]): row["role"] for row in rows}

    async def hold(self, space: RoomId, user: UserId, role: str) -> None:
        """See `plugin.by_hand.RemembersRoles`."""
        await self._database.execute(
            "INSERT INTO held (space, who, role) VALUES ($1, $2, $3)"
            " ON CONFLICT (space, who) DO UPDATE SET role=excluded.role",
            space,
            user,
            role,
        )

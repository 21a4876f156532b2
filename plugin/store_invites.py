"""Where invites and who came by them outlive us, in the plugin's database. Codes are not kept, only their digests."""

from collections.abc import Mapping
from typing import Any

from mautrix.util.async_db import Database

from haven.ids import RoomId, UserId

from .entrance.invite import Invite

_INVITES = "SELECT invite.*, (SELECT COUNT(*) FROM redemption WHERE redemption.invite = invite.id) AS used FROM invite"


class InviteStore:
    """Invites, digests and redemptions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, invite: Invite, digest: str) -> None:
        """Keep an invite with one more digest that opens it; the same invite again keeps what it was made with."""
        await self._database.execute(
            "INSERT INTO invite (id, space, name, made_by, made, uses, expires, approval, revoked)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0) ON CONFLICT DO NOTHING",
            invite.id,
            invite.space,
            invite.name,
            invite.by,
            invite.made,
            invite.limit,
            invite.expires,
            int(invite.approval),
        )
        await self._database.execute(
            "INSERT INTO invite_code (digest, invite) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            digest,
            invite.id,
        )

    async def by_digest(self, digest: str) -> Invite | None:
        """The invite that a code opens."""
        row = await self._database.fetchrow(
            f"{_INVITES} WHERE id = (SELECT invite FROM invite_code WHERE digest=$1)",  # noqa: S608 - a constant
            digest,
        )
        return None if row is None else _read(row)

    async def of_space(self, space: RoomId) -> tuple[Invite, ...]:
        """All invites to a community, the oldest first."""
        rows = await self._database.fetch(f"{_INVITES} WHERE space=$1 ORDER BY made, id", space)
        return tuple(_read(row) for row in rows)

    async def revoke(self, invite: str, now: int) -> None:
        """An invite opens nothing from now on."""
        await self._database.execute("UPDATE invite SET revoked=$2 WHERE id=$1 AND revoked=0", invite, now)

    async def redeem(self, invite: str, who: UserId, now: int) -> None:
        """Somebody comes by an invite; counted once."""
        await self._database.execute(
            "INSERT INTO redemption (invite, who, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            invite,
            who,
            now,
        )

    async def release(self, invite: str, who: UserId) -> None:
        """Somebody did not come after all: the use is free again."""
        await self._database.execute("DELETE FROM redemption WHERE invite=$1 AND who=$2", invite, who)

    async def redeemed(self, invite: str, who: UserId) -> bool:
        """Whether somebody came by an invite."""
        return bool(
            await self._database.fetchval(
                "SELECT COUNT(*) FROM redemption WHERE invite=$1 AND who=$2", invite, who
            )
        )

    async def came_by(self, invite: str) -> tuple[UserId, ...]:
        """Who came by an invite and has not left since, in the order they came."""
        rows = await self._database.fetch(
            "SELECT who FROM redemption WHERE invite=$1 AND who LIKE '@%' ORDER BY at, who", invite
        )
        return tuple(UserId(row["who"]) for row in rows)

    async def forget(self, space: RoomId, who: UserId, nobody: str) -> None:
        """Somebody is gone: their uses still count, under a name that means ``nobody``."""
        await self._database.execute(
            "UPDATE redemption SET who=$3 WHERE who=$2 AND invite IN (SELECT id FROM invite WHERE space=$1)",
            space,
            who,
            nobody,
        )


def _read(row: Mapping[str, Any]) -> Invite:
    return Invite(
        id=row["id"],
        space=RoomId(row["space"]),
        name=row["name"],
        by=UserId(row["made_by"]),
        made=row["made"],
        limit=row["uses"],
        expires=row["expires"],
        approval=bool(row["approval"]),
        revoked=row["revoked"],
        used=row["used"],
    )

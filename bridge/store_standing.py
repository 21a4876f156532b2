"""What both sides of a link last agreed on about people, in the database."""

from mautrix.util.async_db import Connection

from haven.ids import RemoteUserId

from .links import Linked
from .standing import Standing
from .store import Store


class Standings:
    """The agreements of all links."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of(self, link: Linked) -> Standing:
        """What the two sides of a link agreed on."""

        async def job(connection: Connection) -> Standing:
            rows = await connection.fetch(
                "SELECT about, remote, value FROM standing WHERE network = $1 AND chat = $2 AND room = $3",
                *_ends(link),
            )
            return {(row["about"], RemoteUserId(row["remote"])): row["value"] for row in rows}

        return await self._store.ask(job)

    async def keep(self, link: Linked, before: Standing, now: Standing) -> None:
        """Replace what was agreed on; nothing is written where it is the same."""
        gone = [key for key in before if key not in now]
        new = [(key, value) for key, value in now.items() if before.get(key) != value]
        if not gone and not new:
            return

        async def job(connection: Connection) -> None:
            await connection.executemany(
                "DELETE FROM standing WHERE network = $1 AND chat = $2 AND room = $3 AND about = $4 AND remote = $5",
                [(*_ends(link), *key) for key in (*gone, *(key for key, _ in new))],
            )
            await connection.executemany(
                "INSERT INTO standing (network, chat, room, about, remote, value)"
                " VALUES ($1, $2, $3, $4, $5, $6)",
                [(*_ends(link), *key, value) for key, value in new],
            )

        await self._store.ask(job)

    async def forget(self, link: Linked) -> None:
        """The link has ended: what was agreed on is worth nothing any more."""

        async def job(connection: Connection) -> None:
            await connection.execute(
                "DELETE FROM standing WHERE network = $1 AND chat = $2 AND room = $3", *_ends(link)
            )

        await self._store.ask(job)


def _ends(link: Linked) -> tuple[str, str, str]:
    return link.network, link.chat, link.room

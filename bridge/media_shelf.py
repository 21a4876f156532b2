"""Remembers which file is where already, so that it is stored once: in the bridge's database."""

from collections.abc import Callable

from mautrix.util.async_db import Connection

from .store import Store, now_ms

DAY = 24 * 3600 * 1000
KEPT = 60 * DAY
"""Milliseconds after which a place is forgotten; the file is then stored again when it comes again."""


class Shelf:
    """Places by key. ``clock``: milliseconds since 1970. All methods raise ``Unreachable`` (key ``database``) as the store does."""

    def __init__(self, store: Store, clock: Callable[[], int] = now_ms) -> None:
        self._store = store
        self._clock = clock

    async def find(self, key: str, within: int = KEPT) -> str | None:
        """What was put under ``key`` in the last ``within`` milliseconds."""

        async def job(connection: Connection) -> str | None:
            since = self._clock() - within
            place = await connection.fetchval("SELECT place FROM file WHERE key = $1 AND at > $2", key, since)
            return None if place is None else str(place)

        return await self._store.ask(job)

    async def put(self, place: str, *keys: str) -> None:
        """Put ``place`` under each of ``keys``; what is too old goes."""

        async def job(connection: Connection) -> None:
            now = self._clock()
            await connection.execute("DELETE FROM file WHERE at < $1", now - KEPT)
            await connection.executemany(
                "INSERT INTO file (key, place, at) VALUES ($1, $2, $3)"
                " ON CONFLICT (key) DO UPDATE SET place = excluded.place, at = excluded.at",
                [(key, place, now) for key in keys],
            )

        await self._store.ask(job)

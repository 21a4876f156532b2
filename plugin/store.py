"""What the plugin remembers beside the rooms: jobs, rooms being made, what admins were told, and commands already taken.

Losing it loses what is under way and nothing else. SQLite or PostgreSQL, as maubot has it.
"""

import json
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from mautrix.util.async_db import Database

from haven.ids import EventId, RoomId, UserId

from .creation import Begun
from .events import Incoming
from .service.work import Job, Report, read, written

logging.getLogger("aiosqlite").setLevel(logging.INFO)
# At DEBUG it tells every value it stores, and the usual configuration of maubot writes DEBUG into its log.

KEPT = 8 * 24 * 3600 * 1000
"""Milliseconds for which jobs that are done, and commands, are recognised when they come again."""


LIVES = 3
"""In how many lives a command is begun: one that ends the process each time must not do so for ever."""


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Store:
    """The plugin's tables in the database that maubot gives it."""

    def __init__(self, database: Database, clock: Callable[[], int] = now_ms) -> None:
        self._database = database
        self._clock = clock

    # --- jobs -----------------------------------------------------------------------------------------------

    async def add_job(self, job: Job) -> bool:
        """Store a job; false where one of its id was stored before, done or not."""
        return await self._is_new(
            "INSERT INTO job (id, work, room, language, made) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT DO NOTHING RETURNING id",
            job.id,
            written(job.work),
            job.report.room,
            job.report.language,
            self._clock(),
        )

    async def set_message(self, job: str, message: EventId) -> None:
        """Remember the message that tells how a job goes."""
        await self._database.execute("UPDATE job SET message=$2 WHERE id=$1", job, message)

    async def end_job(self, job: str) -> None:
        """A job needs nothing more; what it was is forgotten."""
        await self._database.execute("UPDATE job SET done=$2, work='' WHERE id=$1", job, self._clock())

    async def open_jobs(self) -> tuple[Job, ...]:
        """The jobs that are not done, the oldest first."""
        rows = await self._database.fetch(
            "SELECT id, work, room, language, message, made FROM job WHERE done=0 ORDER BY made, id"
        )
        return tuple(
            Job(
                id=row["id"],
                work=read(row["work"]),
                report=Report(RoomId(row["room"]), EventId(row["id"]), row["language"]),
                message=EventId(row["message"]),
                made=row["made"],
            )
            for row in rows
        )

    # --- rooms being made -----------------------------------------------------------------------------------

    async def begin_room(self, begun: Begun) -> None:
        """See `plugin.creation.RemembersRooms`."""
        await self._database.execute(
            "INSERT INTO begun_room (slot, invite) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            begun.slot,
            "\n".join(begun.invite),
        )

    async def end_room(self, slot: str) -> None:
        """See `plugin.creation.RemembersRooms`."""
        await self._database.execute("DELETE FROM begun_room WHERE slot=$1", slot)

    async def begun_rooms(self) -> tuple[Begun, ...]:
        """See `plugin.creation.RemembersRooms`."""
        rows = await self._database.fetch("SELECT slot, invite FROM begun_room ORDER BY slot")
        return tuple(
            Begun(row["slot"], tuple(UserId(user) for user in row["invite"].splitlines())) for row in rows
        )

    # --- what admins were told ------------------------------------------------------------------------------

    async def said(self, space: RoomId) -> frozenset[str]:
        """What the admins of a community have been told."""
        rows = await self._database.fetch("SELECT said FROM concern WHERE space=$1", space)
        return frozenset(row["said"] for row in rows)

    async def set_said(self, space: RoomId, said: Iterable[str]) -> None:
        """Replace what the admins have been told by what is still so."""
        before, after = await self.said(space), frozenset(said)
        for each in before - after:
            await self._database.execute("DELETE FROM concern WHERE space=$1 AND said=$2", space, each)
        for each in after - before:
            await self._database.execute("INSERT INTO concern (space, said) VALUES ($1, $2)", space, each)

    # --- commands -------------------------------------------------------------------------------------------

    async def hears(self, message: Incoming) -> bool:
        """Take a command; false where it was taken before. Its text is kept until it is `answered`."""
        return await self._is_new(
            "INSERT INTO heard (event, at, message) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING event",
            message.event,
            self._clock(),
            json.dumps(asdict(message)),
        )

    async def answered(self, event: EventId) -> None:
        """A command needs nothing more; what it said is forgotten."""
        await self._database.execute("UPDATE heard SET message='' WHERE event=$1", event)

    async def unanswered(self) -> tuple[Incoming, ...]:
        """The commands that an earlier life took and did not come to the end of; each is given in a few lives at most."""
        await self._database.execute("UPDATE heard SET message='' WHERE tries >= $1", LIVES)
        await self._database.execute("UPDATE heard SET tries = tries + 1 WHERE message <> ''")
        rows = await self._database.fetch("SELECT message FROM heard WHERE message <> '' ORDER BY at, event")
        return tuple(_incoming(json.loads(row["message"])) for row in rows)

    async def recall(self, name: str) -> str:
        """See `plugin.catchup.RemembersPlaces`."""
        return str(await self._database.fetchval("SELECT value FROM memory WHERE name=$1", name) or "")

    async def keep(self, name: str, value: str) -> None:
        """See `plugin.catchup.RemembersPlaces`."""
        await self._database.execute(
            "INSERT INTO memory (name, value) VALUES ($1, $2)"
            " ON CONFLICT (name) DO UPDATE SET value=excluded.value",
            name,
            value,
        )

    async def tidy(self) -> None:
        """Forget what is long past."""
        before = self._clock() - KEPT
        await self._database.execute("DELETE FROM heard WHERE at < $1", before)
        await self._database.execute("DELETE FROM job WHERE done > 0 AND done < $1", before)

    async def _is_new(self, insertion: str, *values: object) -> bool:
        return await self._database.fetchval(insertion, *values) is not None


def _incoming(kept: dict[str, Any]) -> Incoming:
    return Incoming(**{**kept, "mentions": tuple(kept["mentions"])})

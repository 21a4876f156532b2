"""What the plugin remembers beside the rooms: jobs, rooms being made, what admins were told, and commands already taken.

Losing it loses what is under way and nothing else. SQLite or PostgreSQL, as maubot has it.
"""

import time
from collections.abc import Callable, Iterable

from mautrix.util.async_db import Database

from haven.ids import EventId, RoomId, UserId

from .creation import Begun
from .service.work import Job, Report, read, written

KEPT = 8 * 24 * 3600 * 1000
"""Milliseconds for which jobs that are done, and commands, are recognised when they come again."""


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
        """A job needs nothing more."""
        await self._database.execute("UPDATE job SET done=$2 WHERE id=$1", job, self._clock())

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

    async def hears(self, event: EventId) -> bool:
        """Whether a command comes for the first time; from now on it does not."""
        return await self._is_new(
            "INSERT INTO heard (event, at) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING event",
            event,
            self._clock(),
        )

    async def tidy(self) -> None:
        """Forget what is long past."""
        before = self._clock() - KEPT
        await self._database.execute("DELETE FROM heard WHERE at < $1", before)
        await self._database.execute("DELETE FROM job WHERE done > 0 AND done < $1", before)

    async def _is_new(self, insertion: str, *values: object) -> bool:
        return await self._database.fetchval(insertion, *values) is not None

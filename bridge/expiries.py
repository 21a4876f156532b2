"""What disappears on a network disappears in its rooms: takes events back when their time has come.

When is kept in the database until it is done, so a restart forgets nothing. A homeserver that knows ``org.matrix.self_destruct_after``
(MSC2228) does the same by itself, and what a room's retention has removed is gone already: to take it back once more changes nothing.
"""

import asyncio
import base64
import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mautrix.util.async_db import Connection

from haven.errors import GiveUp, RateLimited, TryLater
from haven.ids import EventId, RoomId, UserId

from .homeserver import AppserviceHomeserver
from .store import Pair, Store, now_ms

log = logging.getLogger(__name__)

MOST = 50
"""Events taken back in one round."""
SOON, LONGEST = 5.0, 3600.0
"""Seconds until another try, and until we look again where nothing is due."""


def due_at(at: int, seconds: int) -> int:
    """The time ``seconds`` after ``at``, in milliseconds since 1970; never more than JSON and databases can hold, whatever a network says."""
    return max(0, min(at + seconds * 1000, 2**53 - 1))


@dataclass(frozen=True, slots=True)
class Due:
    """An event to be taken back; ``due``: when, in milliseconds since 1970. ``sender`` is "" where they had themselves forgotten."""

    room: RoomId
    event: EventId
    sender: UserId
    due: int


class Expiries:
    """All that is to disappear. ``run`` works until cancelled. ``clock``: milliseconds since 1970."""

    def __init__(
        self, homeserver: AppserviceHomeserver, store: Store, clock: Callable[[], int] = now_ms
    ) -> None:
        self._homeserver = homeserver
        self._store = store
        self._clock = clock
        self._wake = asyncio.Event()

    async def keep(self, pairs: Sequence[Pair], at: int | None, seconds: int) -> None:
        """Have these events disappear ``seconds`` after ``at`` (milliseconds since 1970; ``None``: now)."""
        due = due_at(self._clock() if at is None else at, seconds)
        await self._put([Due(pair.room, pair.event, pair.sender, due) for pair in pairs])

    async def follow(self, pairs: Sequence[Pair], event: EventId) -> None:
        """Have these events disappear together with another, if that is to."""

        async def job(connection: Connection) -> int | None:
            query = "SELECT due FROM expiring WHERE room = $1 AND event = $2"
            found = await connection.fetchval(query, pairs[0].room, event)
            return None if found is None else int(found)

        due = await self._store.ask(job) if pairs else None
        if due is not None:
            await self._put([Due(pair.room, pair.event, pair.sender, due) for pair in pairs])

    async def run(self) -> None:
        """Take back what is due, until cancelled."""
        while True:
            self._wake.clear()
            try:
                left = await self.round()
            except TryLater as error:
                left = error.after or SOON
            try:
                async with asyncio.timeout(min(left, LONGEST)):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def round(self) -> float:
        """Take back what is due now; gives the seconds until something is again."""
        for due in await self._next():
            if due.due > self._clock():
                return (due.due - self._clock()) / 1000
            try:
                await self._take_back(due)
            except RateLimited:
                raise
            except TryLater as error:
                log.info("What was to disappear is taken back later: %s", error)
                await self._put_off(due)
            else:
                await self._forget(due)
        return 0.0 if await self._next() else LONGEST

    async def _take_back(self, due: Due) -> None:
        """As whoever sent it; as ourselves where they have left, or are forgotten."""
        transaction = base64.b32encode(hashlib.sha256(f"gone {due.room} {due.event}".encode()).digest()[:20])
        sender = [self._homeserver.as_user(due.sender)] if due.sender else []
        for user in (*sender, self._homeserver):
            try:
                await user.redact(due.room, due.event, "", transaction.decode())
            except GiveUp as error:
                log.info("What was to disappear could not be taken back: %s", error)
            else:
                return

    # --- what is kept ---------------------------------------------------------------------------------------

    async def _put(self, dues: Sequence[Due]) -> None:
        rows = [(due.room, due.event, due.sender, due.due) for due in dues]

        async def job(connection: Connection) -> None:
            await connection.executemany(
                "INSERT INTO expiring (room, event, sender, due) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                rows,
            )

        await self._store.ask(job)
        self._wake.set()

    async def _next(self) -> tuple[Due, ...]:
        async def job(connection: Connection) -> tuple[Due, ...]:
            query = f"SELECT room, event, sender, due FROM expiring ORDER BY due LIMIT {MOST}"  # noqa: S608  # a number
            return tuple(
                Due(RoomId(row["room"]), EventId(row["event"]), UserId(row["sender"]), row["due"])
                for row in await connection.fetch(query)
            )

        return await self._store.ask(job)

    async def _put_off(self, due: Due) -> None:
        """Try it again after some seconds, behind the others: what one room does not let go keeps no other's."""

        async def job(connection: Connection) -> None:
            query = "UPDATE expiring SET due = $3 WHERE room = $1 AND event = $2"
            await connection.execute(query, due.room, due.event, self._clock() + int(SOON * 1000))

        await self._store.ask(job)

    async def _forget(self, due: Due) -> None:
        async def job(connection: Connection) -> None:
            await connection.execute(
                "DELETE FROM expiring WHERE room = $1 AND event = $2", due.room, due.event
            )

        await self._store.ask(job)

"""Where timers outlive us, in the plugin's database."""

from collections.abc import Mapping
from typing import Any

from mautrix.util.async_db import Database

from .timers import Timer, payload_of, spelled


class TimerStore:
    """See `plugin.timers.KeepsTimers`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def set_timer(self, timer: Timer) -> None:
        """See `plugin.timers.KeepsTimers`."""
        await self._database.execute(
            "INSERT INTO timer (kind, name, at, payload) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (kind, name) DO UPDATE SET at=excluded.at, payload=excluded.payload",
            timer.kind,
            timer.key,
            timer.at,
            spelled(timer.payload),
        )

    async def end_timer(self, kind: str, key: str) -> None:
        """See `plugin.timers.KeepsTimers`."""
        await self._database.execute("DELETE FROM timer WHERE kind=$1 AND name=$2", kind, key)

    async def rang(self, timer: Timer) -> None:
        """See `plugin.timers.KeepsTimers`."""
        await self._database.execute(
            "DELETE FROM timer WHERE kind=$1 AND name=$2 AND at=$3", timer.kind, timer.key, timer.at
        )

    async def postpone(self, timer: Timer, at: int) -> None:
        """See `plugin.timers.KeepsTimers`."""
        await self._database.execute(
            "UPDATE timer SET at=$4 WHERE kind=$1 AND name=$2 AND at=$3",
            timer.kind,
            timer.key,
            timer.at,
            at,
        )

    async def next_timer(self) -> Timer | None:
        """See `plugin.timers.KeepsTimers`."""
        row = await self._database.fetchrow("SELECT * FROM timer ORDER BY at, kind, name LIMIT 1")
        return None if row is None else _read(row)

    async def timers(self, kind: str) -> tuple[Timer, ...]:
        """See `plugin.timers.KeepsTimers`."""
        rows = await self._database.fetch("SELECT * FROM timer WHERE kind=$1 ORDER BY at, name", kind)
        return tuple(_read(row) for row in rows)


def _read(row: Mapping[str, Any]) -> Timer:
    return Timer(row["kind"], row["name"], row["at"], payload_of(row["payload"]))

"""Where cards outlive us, in the plugin's database."""

import time
from collections.abc import Mapping
from typing import Any

from mautrix.util.async_db import Database

from haven.ids import EventId, RoomId

from .cards import Card
from .timers import payload_of, spelled


class CardStore:
    """See `plugin.cards.KeepsCards`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_card(self, card: Card) -> Card:
        """See `plugin.cards.KeepsCards`."""
        row = await self._database.fetchrow(
            "INSERT INTO card (id, kind, space, about, payload, room, event, expires, decided, made)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', $9) ON CONFLICT DO NOTHING RETURNING *",
            card.id,
            card.kind,
            card.space,
            card.key,
            spelled(card.payload),
            card.room,
            card.event,
            card.expires,
            time.time_ns() // 1_000_000,
        )
        if row is None:
            row = await self._database.fetchrow(
                "SELECT * FROM card WHERE kind=$1 AND space=$2 AND about=$3 AND decided=''",
                card.kind,
                card.space,
                card.key,
            )
        return card if row is None else read_card(row)

    async def set_card(self, card: Card) -> None:
        """See `plugin.cards.KeepsCards`."""
        await self._database.execute(
            "UPDATE card SET event=$2, decided=$3, payload=$4 WHERE id=$1",
            card.id,
            card.event,
            card.decided,
            spelled(card.payload),
        )

    async def card_at(self, room: RoomId, event: EventId) -> Card | None:
        """See `plugin.cards.KeepsCards`."""
        row = await self._database.fetchrow("SELECT * FROM card WHERE room=$1 AND event=$2", room, event)
        return None if row is None else read_card(row)

    async def card(self, card: str) -> Card | None:
        """See `plugin.cards.KeepsCards`."""
        row = await self._database.fetchrow("SELECT * FROM card WHERE id=$1", card)
        return None if row is None else read_card(row)

    async def was_asked(self, kind: str, space: RoomId, key: str) -> bool:
        """See `plugin.cards.KeepsCards`."""
        query = "SELECT 1 FROM card WHERE kind=$1 AND space=$2 AND about=$3"
        return await self._database.fetchval(query, kind, space, key) is not None

    async def open_cards(self, kind: str = "", space: RoomId | None = None) -> tuple[Card, ...]:
        """See `plugin.cards.KeepsCards`."""
        rows = await self._database.fetch(
            "SELECT * FROM card WHERE decided='' AND ($1='' OR kind=$1) AND ($2='' OR space=$2) ORDER BY made, id",
            kind,
            space or "",
        )
        return tuple(read_card(row) for row in rows)


def read_card(row: Mapping[str, Any]) -> Card:
    """A card out of its row."""
    return Card(
        id=row["id"],
        kind=row["kind"],
        space=RoomId(row["space"]),
        key=row["about"],
        payload=payload_of(row["payload"]),
        room=RoomId(row["room"]),
        event=EventId(row["event"]),
        expires=row["expires"],
        decided=row["decided"],
    )

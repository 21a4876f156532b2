"""What was set aside, in the bridge's database: the cards that show it to admins, the marks that show it to its sender.

There is one card for all that was set aside of a lane; it is closed when they are tried again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mautrix.util.async_db import Connection

from haven.ids import EventId, RoomId

from .store import Arrival, Item, Store, now_ms


@dataclass(frozen=True, slots=True)
class Card:
    """The event in an admins' room that shows what was set aside of ``lane``."""

    lane: str
    room: RoomId
    event: EventId


@dataclass(frozen=True, slots=True)
class Mark:
    """The event that marks a message as not carried. ``source``: the item's."""

    source: str
    room: RoomId
    event: EventId


class Aside:
    """All methods raise ``Unreachable`` (key ``database``) as the store does."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def number(self, lane: str) -> int:
        """How many items of the lane are set aside."""

        async def job(connection: Connection) -> int:
            query = "SELECT COUNT(*) FROM inbox WHERE lane = $1 AND aside IS NOT NULL"
            return int(await connection.fetchval(query, lane))

        return await self._store.ask(job)

    async def take_again(self, lane: str, last: Arrival) -> tuple[Item, ...]:
        """Put all that was set aside of the lane at its end, in order, and ``last`` behind it; the card is closed.

        The items that are to be done now; none where nothing was set aside.
        """

        async def job(connection: Connection) -> tuple[Item, ...]:
            rows = await connection.fetch(
                "SELECT seq, source, payload, claimed FROM inbox WHERE lane = $1 AND aside IS NOT NULL ORDER BY seq",
                lane,
            )
            await connection.execute("DELETE FROM card WHERE lane = $1", lane)
            items = [
                Item(self._store.next_seq(), lane, row["payload"], 0, row["claimed"], row["source"])
                for row in rows
            ]
            await connection.executemany(
                "UPDATE inbox SET seq = $2, aside = NULL, tries = 0 WHERE seq = $1",
                [(row["seq"], item.seq) for row, item in zip(rows, items, strict=True)],
            )
            return (*items, *(await self._store.insert(connection, [last] if items else [])))

        return await self._store.ask(job)

    # --- cards ----------------------------------------------------------------------------------------------

    async def card(self, lane: str) -> Card | None:
        """The open card of the lane."""
        return await self._card("lane = $1", lane)

    async def card_at(self, room: RoomId, event: EventId) -> Card | None:
        """The open card that is this event."""
        return await self._card("room = $1 AND event = $2", room, event)

    async def _card(self, where: str, *values: str) -> Card | None:
        async def job(connection: Connection) -> Card | None:
            row = await connection.fetchrow(f"SELECT lane, room, event FROM card WHERE {where}", *values)  # noqa: S608  # one of two texts above
            return None if row is None else Card(row["lane"], RoomId(row["room"]), EventId(row["event"]))

        return await self._store.ask(job)

    async def keep_card(self, card: Card) -> None:
        """The card of a lane, in place of the one it had."""
        await self._do(
            "INSERT INTO card (lane, room, event, at) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (lane) DO UPDATE SET room = excluded.room, event = excluded.event, at = excluded.at",
            (card.lane, card.room, card.event, now_ms()),
        )

    # --- marks ----------------------------------------------------------------------------------------------

    async def mark_of(self, source: str) -> bool:
        """Whether the item's message is marked."""

        async def job(connection: Connection) -> bool:
            return await connection.fetchval("SELECT 1 FROM mark WHERE source = $1", source) is not None

        return await self._store.ask(job)

    async def keep_mark(self, lane: str, mark: Mark) -> None:
        """The message of an item of the lane is marked."""
        await self._do(
            "INSERT INTO mark (source, lane, room, event, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            (mark.source, lane, mark.room, mark.event, now_ms()),
        )

    async def settled(self, lane: str) -> tuple[Mark, ...]:
        """The marks of messages of the lane that were carried after all."""

        async def job(connection: Connection) -> tuple[Mark, ...]:
            rows = await connection.fetch(
                "SELECT source, room, event FROM mark WHERE lane = $1"
                " AND NOT EXISTS (SELECT 1 FROM inbox WHERE inbox.source = mark.source)",
                lane,
            )
            return tuple(Mark(row["source"], RoomId(row["room"]), EventId(row["event"])) for row in rows)

        return await self._store.ask(job)

    async def forget_mark(self, mark: Mark) -> None:
        """The mark is taken away."""
        await self._do("DELETE FROM mark WHERE source = $1", (mark.source,))

    async def _do(self, query: str, values: Sequence[str | int]) -> None:
        async def job(connection: Connection) -> None:
            await connection.execute(query, *values)

        await self._store.ask(job)

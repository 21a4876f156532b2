"""What the bridge remembers, in SQLite or PostgreSQL: the inbox, what was seen, which event is which
message, who is who.

All methods raise ``Unreachable`` (key ``database``) when the database cannot be reached; after a normal
return the change is on disk.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from typing import Self, TypeVar

from mautrix.util.async_db import Connection, Database

from haven.errors import Misconfigured, Unreachable
from haven.ids import ChatId, EventId, Network, RemoteMessageId, RemoteUserId, RoomId, UserId

from .commit import GroupCommit, Job
from .migrations import upgrades
from .networks.base import Place
from .networks.events import Person
from .places import Reached, place_of, reach

T = TypeVar("T")
SEEN_FOR = 8 * 24 * 3600 * 1000
"""Milliseconds for which an event is recognised when it comes again."""


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something to do that is not stored yet. ``source`` identifies it for ever; items of one ``lane`` are
    done in order.
    """

    source: str
    lane: str
    payload: str


@dataclass(frozen=True, slots=True)
class Item:
    """Something stored and to be done. ``claimed``: parts that went out already; ``tries``: how often it
    failed; ``arrived``: when it was stored, in milliseconds since 1970 (0: unknown).
    """

    seq: int
    lane: str
    payload: str
    tries: int = 0
    claimed: int = 0
    source: str = ""
    arrived: int = 0


ITEM = tuple(field.name for field in fields(Item))
"""The columns of the inbox that make an item."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One part of a remote message and the event that is the same thing in Matrix. ``sender`` is the
    event's.
    """

    network: Network
    chat: ChatId
    message: RemoteMessageId
    part: int
    room: RoomId
    event: EventId
    sender: UserId


@dataclass(frozen=True, slots=True)
class Known:
    """A remote person who has a ghost, and the name the ghost was last given. ``picture``: what the network calls the picture;
    ``avatar``: where it is on Matrix.
    """

    ghost: UserId
    network: Network
    remote: RemoteUserId
    name: str
    picture: str = ""
    avatar: str = ""

    @property
    def person(self) -> Person:
        """Who it is, as last seen; the role is said by the network alone."""
        return Person(self.remote, self.name, picture=self.picture)


def _database(url: str) -> Database:
    try:
        return Database.create(
            url,
            upgrade_table=upgrades,
            db_args={"min_size": 1, "max_size": 1},
            owner_name="haven-bridge",
        )
    except RuntimeError as error:  # so says mautrix where asyncpg is missing
        raise Misconfigured("database_library", setting="database") from error


def _try_file(url: str) -> None:
    """Raises ``sqlite3.Error`` where a file is no database that can be opened: aiosqlite would leave its thread behind."""
    scheme, _, path = url.partition(":")
    if scheme == "sqlite":
        with closing(sqlite3.connect(path)) as file:
            file.execute("PRAGMA schema_version")


class Store:
    """The bridge's database. ``start`` before anything else, ``stop`` at the end.

    Raises ``Misconfigured`` where nothing here speaks with such a database.
    """

    def __init__(self, url: str, clock: Callable[[], int] = now_ms) -> None:
        self._url = url
        self._database = _database(url)
        self._commit = GroupCommit(self._database)
        self._clock = clock
        self._writer: asyncio.Task[None] | None = None
        self._next_seq = 1

    async def start(self) -> None:
        """Connect, bring the tables up to date, serve. Raises ``Misconfigured`` where the database cannot be
        used as it is given, ``Unreachable`` where it does not answer.
        """
        try:
            _try_file(self._url)
            await self._database.start()
        except OSError as error:
            raise Unreachable("database") from error
        except Exception as error:  # the libraries of databases have no error in common
            await self._database.stop()
            why = type(error).__name__
            raise Misconfigured("database_unfit", setting="database", why=why) from error
        self._writer = asyncio.create_task(self._commit.run(), name="store")
        self._next_seq = 1 + await self._number("SELECT COALESCE(MAX(seq), 0) FROM inbox")

    async def stop(self) -> None:
        """Finish what was asked for, then close."""
        if self._writer is not None:
            self._commit.stop()
            await self._writer
        await self._database.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    # --- inbox ----------------------------------------------------------------------------------------------

    async def add(self, arrivals: Sequence[Arrival], reached: Reached | None = None) -> tuple[Item, ...]:
        """Store what was not seen before, in order; returns the items that are new. Where there are any, the chat
        they came from was heard as far as ``reached``.
        """

        async def job(connection: Connection) -> tuple[Item, ...]:
            items = await self.insert(connection, arrivals)
            if items and reached is not None:
                await reach(connection, reached)
            return items

        return await self._commit.ask(job) if arrivals else ()

    async def insert(self, connection: Connection, arrivals: Sequence[Arrival]) -> tuple[Item, ...]:
        """A job's part: what `add` does."""
        now = self._clock()
        first: dict[str, Arrival] = {}
        for arrival in arrivals:
            first.setdefault(arrival.source, arrival)
        fresh = await self._fresh(connection, list(first), now)
        items = tuple(
            Item(self.next_seq(), arrival.lane, arrival.payload, source=source, arrived=now)
            for source, arrival in first.items()
            if source in fresh
        )
        await connection.executemany(
            "INSERT INTO inbox (seq, lane, source, payload, arrived) VALUES ($1, $2, $3, $4, $5)",
            [(item.seq, item.lane, item.source, item.payload, now) for item in items],
        )
        return items

    def next_seq(self) -> int:
        """The number of a new item, over all that there were."""
        self._next_seq += 1
        return self._next_seq - 1

    async def place(self, network: Network, chat: ChatId) -> Place | None:
        """How far the chat was heard; ``None`` where it never was."""
        return await self._commit.ask(lambda connection: place_of(connection, network, chat))

    async def forget_place(self, network: Network, chat: ChatId) -> None:
        """The chat is left: what is said there from now on is nobody's here."""
        await self._execute("DELETE FROM place WHERE network = $1 AND chat = $2", network, chat)

    @staticmethod
    async def _fresh(connection: Connection, sources: list[str], now: int) -> set[str]:
        """Those that are seen for the first time; from now on they were seen."""
        fresh: set[str] = set()
        for start in range(0, len(sources), 500):
            some = sources[start : start + 500]
            places = ", ".join(f"(${place}, $1)" for place in range(2, len(some) + 2))
            query = f"INSERT INTO seen (source, at) VALUES {places} ON CONFLICT DO NOTHING RETURNING source"  # noqa: S608  # only placeholders
            fresh.update(row["source"] for row in await connection.fetch(query, now, *some))
        return fresh

    async def lanes(self) -> tuple[str, ...]:
        """The lanes that have something to do."""

        async def job(connection: Connection) -> tuple[str, ...]:
            rows = await connection.fetch("SELECT DISTINCT lane FROM inbox WHERE aside IS NULL")
            return tuple(row["lane"] for row in rows)

        return await self._commit.ask(job)

    async def waiting(self, lane: str, after: int, most: int) -> tuple[Item, ...]:
        """The next items of a lane with ``seq`` over ``after``, at most ``most``."""

        async def job(connection: Connection) -> tuple[Item, ...]:
            rows = await connection.fetch(
                f"SELECT {', '.join(ITEM)} FROM inbox"  # noqa: S608  # names of columns
                " WHERE lane = $1 AND seq > $2 AND aside IS NULL ORDER BY seq LIMIT $3",
                lane,
                after,
                most,
            )
            return tuple(Item(*(row[name] for name in ITEM)) for row in rows)

        return await self._commit.ask(job)

    def done(self, item: Item, pairs: Sequence[Pair] = ()) -> "asyncio.Future[None]":
        """The item is done; ``pairs`` came of it. Both in one transaction, in the order asked for."""

        async def job(connection: Connection) -> None:
            await self._remember(connection, pairs)
            await connection.execute("DELETE FROM inbox WHERE seq = $1", item.seq)

        return self._commit.enqueue(job)

    async def claim(self, item: Item, parts: int) -> None:
        """So many parts of the item have gone out, or go out this instant."""
        await self._execute("UPDATE inbox SET claimed = $2 WHERE seq = $1", item.seq, parts)

    async def tried(self, item: Item, tries: int) -> None:
        """The item failed, for the ``tries``-th time."""
        await self._execute("UPDATE inbox SET tries = $2 WHERE seq = $1", item.seq, tries)

    async def set_aside(self, item: Item, reference: str, report: Arrival | None = None) -> tuple[Item, ...]:
        """The item failed for good; it is kept, and its lane goes on. ``report`` is stored with it: what is new to be done."""

        async def job(connection: Connection) -> tuple[Item, ...]:
            await connection.execute("UPDATE inbox SET aside = $2 WHERE seq = $1", item.seq, reference)
            return await self.insert(connection, [report] if report else [])

        return await self._commit.ask(job)

    async def counts(self) -> tuple[int, int]:
        """How many items wait, and how many were set aside."""
        waiting = await self._number("SELECT COUNT(*) FROM inbox WHERE aside IS NULL")
        return waiting, await self._number("SELECT COUNT(*) FROM inbox WHERE aside IS NOT NULL")

    async def weight(self) -> tuple[int, int]:
        """How many characters wait in how many items."""
        query = "SELECT COALESCE(SUM(LENGTH(payload)), 0) FROM inbox WHERE aside IS NULL"
        return await self._number(query), (await self.counts())[0]

    async def forget_old(self) -> None:
        """Forget what was seen more than eight days ago: it is not told again after so long. And what was set
        aside, since it holds what people said.
        """
        before = self._clock() - SEEN_FOR
        await self._execute("DELETE FROM seen WHERE at < $1", before)
        await self._execute("DELETE FROM inbox WHERE aside IS NOT NULL AND arrived < $1", before)
        await self._execute("DELETE FROM card WHERE at < $1", before)
        await self._execute("DELETE FROM mark WHERE at < $1", before)

    # --- which event is which message -----------------------------------------------------------------------

    async def remember(self, pairs: Sequence[Pair]) -> None:
        """Remember pairs; those known already stay as they are."""
        await self._commit.ask(lambda connection: self._remember(connection, pairs))

    async def _remember(self, connection: Connection, pairs: Sequence[Pair]) -> None:
        if not pairs:
            return
        now = self._clock()
        await connection.executemany(
            "INSERT INTO message_map (network, chat, message, part, room, event, sender, at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
            [(p.network, p.chat, p.message, p.part, p.room, p.event, p.sender, now) for p in pairs],
        )

    async def events_of(
        self, network: Network, chat: ChatId, message: RemoteMessageId, room: RoomId
    ) -> tuple[Pair, ...]:
        """The events in ``room`` that a remote message became, by part."""
        return await self._pairs(
            "network = $1 AND chat = $2 AND message = $3 AND room = $4", network, chat, message, room
        )

    async def messages_of(
        self, room: RoomId, event: EventId, network: Network, chat: ChatId
    ) -> tuple[Pair, ...]:
        """The remote messages in ``chat`` that an event became or came from, by part."""
        return await self._pairs(
            "room = $1 AND event = $2 AND network = $3 AND chat = $4", room, event, network, chat
        )

    async def _pairs(self, where: str, *values: str) -> tuple[Pair, ...]:
        async def job(connection: Connection) -> tuple[Pair, ...]:
            rows = await connection.fetch(f"SELECT * FROM message_map WHERE {where} ORDER BY part", *values)  # noqa: S608  # `where` is one of two texts above
            return tuple(
                Pair(
                    Network(row["network"]),
                    ChatId(row["chat"]),
                    RemoteMessageId(row["message"]),
                    row["part"],
                    RoomId(row["room"]),
                    EventId(row["event"]),
                    UserId(row["sender"]),
                )
                for row in rows
            )

        return await self._commit.ask(job)

    # --- who is who -----------------------------------------------------------------------------------------

    async def people(self) -> tuple[Known, ...]:
        """Everybody who has a ghost."""

        async def job(connection: Connection) -> tuple[Known, ...]:
            rows = await connection.fetch("SELECT ghost, network, remote, name, picture, avatar FROM person")
            return tuple(Known(*row) for row in rows)

        return await self._commit.ask(job)

    async def keep_person(self, known: Known) -> None:
        """Remember a person, or what changed about them; the ghost stays theirs."""
        await self._execute(
            "INSERT INTO person (ghost, network, remote, name, picture, avatar) VALUES ($1, $2, $3, $4, $5, $6)"
            " ON CONFLICT (ghost) DO UPDATE SET remote = excluded.remote, name = excluded.name,"
            " picture = excluded.picture, avatar = excluded.avatar",
            *(known.ghost, known.network, known.remote, known.name, known.picture, known.avatar),
        )

    # --- small things ---------------------------------------------------------------------------------------

    async def recall(self, key: str) -> str | None:
        """What was kept under ``key``."""

        async def job(connection: Connection) -> str | None:
            value = await connection.fetchval("SELECT value FROM memory WHERE key = $1", key)
            return None if value is None else str(value)

        return await self._commit.ask(job)

    async def keep(self, key: str, value: str) -> None:
        """Keep ``value`` under ``key``."""
        await self._execute(
            "INSERT INTO memory (key, value) VALUES ($1, $2)"
            " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            key,
            value,
        )

    async def ask(self, job: Job[T]) -> T:
        """Do and commit some queries, for a part that has a table of its own."""
        return await self._commit.ask(job)

    async def _execute(self, query: str, *values: str | int) -> None:
        async def job(connection: Connection) -> None:
            await connection.execute(query, *values)

        await self._commit.ask(job)

    async def _number(self, query: str) -> int:
        async def job(connection: Connection) -> int:
            return int(await connection.fetchval(query))

        return await self._commit.ask(job)

"""The tables of the bridge's database, SQLite and PostgreSQL alike, and how older ones become today's."""

from mautrix.util.async_db import Connection, UpgradeTable

upgrades = UpgradeTable(version_table_name="haven_bridge_version", database_name="haven-bridge")

TABLES = (
    # What is accepted and not yet done. `claimed`: how many parts went out; `aside`: the log reference of
    # what failed for good.
    """CREATE TABLE inbox (
        seq       BIGINT PRIMARY KEY,
        lane      TEXT   NOT NULL,
        source    TEXT   NOT NULL UNIQUE,
        payload   TEXT   NOT NULL,
        arrived   BIGINT NOT NULL,
        tries     INTEGER NOT NULL DEFAULT 0,
        claimed   INTEGER NOT NULL DEFAULT 0,
        aside     TEXT
    )""",
    "CREATE INDEX inbox_lane ON inbox (lane, seq)",
    # What was ever accepted, for a week at least: the same event is never taken twice.
    "CREATE TABLE seen (source TEXT PRIMARY KEY, at BIGINT NOT NULL)",
    "CREATE INDEX seen_at ON seen (at)",
    # Which event is which message.
    """CREATE TABLE message_map (
        network TEXT    NOT NULL,
        chat    TEXT    NOT NULL,
        message TEXT    NOT NULL,
        part    INTEGER NOT NULL,
        room    TEXT    NOT NULL,
        event   TEXT    NOT NULL,
        sender  TEXT    NOT NULL,
        at      BIGINT  NOT NULL,
        PRIMARY KEY (network, chat, message, part, room)
    )""",
    "CREATE UNIQUE INDEX message_map_event ON message_map (room, event, network, chat, part)",
    # Who is behind a ghost.
    """CREATE TABLE person (
        ghost   TEXT NOT NULL PRIMARY KEY,
        network TEXT NOT NULL,
        remote  TEXT NOT NULL,
        name    TEXT NOT NULL,
        UNIQUE (network, remote)
    )""",
    # Small things to remember, such as the topic that both sides of a link last agreed on.
    "CREATE TABLE memory (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
)


async def first(connection: Connection) -> None:
    """Version 1."""
    for table in TABLES:
        await connection.execute(table)


async def second(connection: Connection) -> None:
    """Version 2: how far each chat was heard; ``at`` in milliseconds since 1970."""
    await connection.execute(
        """CREATE TABLE place (
            network TEXT   NOT NULL,
            chat    TEXT   NOT NULL,
            message TEXT   NOT NULL,
            at      BIGINT NOT NULL,
            PRIMARY KEY (network, chat)
        )"""
    )


async def third(connection: Connection) -> None:
    """Version 3: which file is where already; ``key`` is a keyed hash, ``at`` in milliseconds since 1970."""
    await connection.execute(
        "CREATE TABLE file (key TEXT PRIMARY KEY, place TEXT NOT NULL, at BIGINT NOT NULL)"
    )
    await connection.execute("CREATE INDEX file_at ON file (at)")


upgrades.register(first, description="The first tables")
upgrades.register(second, description="How far each chat was heard")
upgrades.register(third, description="Which file is where already")


async def fourth(connection: Connection) -> None:
    """Version 4: the pictures of ghosts, and what both sides of a link last agreed on about people."""
    await connection.execute("ALTER TABLE person ADD COLUMN picture TEXT NOT NULL DEFAULT ''")
    await connection.execute("ALTER TABLE person ADD COLUMN avatar TEXT NOT NULL DEFAULT ''")
    # `about`: role, ban, or out; `value`: the role, "yes", or the event that put them out.
    await connection.execute(
        """CREATE TABLE standing (
            network TEXT NOT NULL,
            chat    TEXT NOT NULL,
            room    TEXT NOT NULL,
            about   TEXT NOT NULL,
            remote  TEXT NOT NULL,
            value   TEXT NOT NULL,
            PRIMARY KEY (network, chat, room, about, remote)
        )"""
    )


upgrades.register(fourth, description="People's pictures and standing")


async def fifth(connection: Connection) -> None:
    """Version 5: the cards of lanes of which something was set aside, and the marks of the messages; ``at`` in milliseconds since 1970."""
    await connection.execute(
        "CREATE TABLE card (lane TEXT PRIMARY KEY, room TEXT NOT NULL, event TEXT NOT NULL, at BIGINT NOT NULL)"
    )
    await connection.execute(
        """CREATE TABLE mark (
            source TEXT PRIMARY KEY,
            lane   TEXT   NOT NULL,
            room   TEXT   NOT NULL,
            event  TEXT   NOT NULL,
            at     BIGINT NOT NULL
        )"""
    )
    await connection.execute("CREATE INDEX mark_lane ON mark (lane)")


upgrades.register(fifth, description="Cards and marks of what was set aside")


async def sixth(connection: Connection) -> None:
    """Version 6: which events are to disappear; ``due`` in milliseconds since 1970."""
    await connection.execute(
        """CREATE TABLE expiring (
            room   TEXT   NOT NULL,
            event  TEXT   NOT NULL,
            sender TEXT   NOT NULL,
            due    BIGINT NOT NULL,
            PRIMARY KEY (room, event)
        )"""
    )
    await connection.execute("CREATE INDEX expiring_due ON expiring (due)")


upgrades.register(sixth, description="Which events are to disappear")

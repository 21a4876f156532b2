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


upgrades.register(first, description="The first tables")
upgrades.register(second, description="How far each chat was heard")

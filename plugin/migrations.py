"""The tables of the plugin's database, SQLite and PostgreSQL alike, and how older ones become today's."""

from mautrix.util.async_db import Connection, UpgradeTable

upgrades = UpgradeTable(version_table_name="haven_version", database_name="haven")

TABLES = (
    # What is being made, or was until a week ago. `id`: the command's event; `work`: JSON; `message`: the progress message, "" until
    # there is one; `made` and `done`: milliseconds, `done` 0 until then.
    """CREATE TABLE job (
        id       TEXT   NOT NULL PRIMARY KEY,
        work     TEXT   NOT NULL,
        room     TEXT   NOT NULL,
        language TEXT   NOT NULL,
        message  TEXT   NOT NULL DEFAULT '',
        made     BIGINT NOT NULL,
        done     BIGINT NOT NULL DEFAULT 0
    )""",
    # Rooms that were asked for and of which no answer came yet. `invite`: user ids, one a line.
    "CREATE TABLE begun_room (slot TEXT NOT NULL PRIMARY KEY, invite TEXT NOT NULL)",
    # What the admins of a community have been told and what is still so.
    "CREATE TABLE concern (space TEXT NOT NULL, said TEXT NOT NULL, PRIMARY KEY (space, said))",
    # Commands that were taken, for a week: the same event is never carried out twice. `message`: JSON, "" as soon as it is answered;
    # `tries`: in how many lives it was begun.
    """CREATE TABLE heard (
        event   TEXT    NOT NULL PRIMARY KEY,
        at      BIGINT  NOT NULL,
        message TEXT    NOT NULL,
        tries   INTEGER NOT NULL DEFAULT 1
    )""",
    "CREATE INDEX heard_at ON heard (at)",
)


async def first(connection: Connection) -> None:
    """Version 1."""
    for table in TABLES:
        await connection.execute(table)


upgrades.register(first, description="The first tables")

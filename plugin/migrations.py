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


DESK = (
    # Questions to the admins, and what became of them. `about`: one open card of a kind about it in a space; `payload`: JSON;
    # `event`: "" until it is shown; `expires`: milliseconds, 0 for never; `decided`: "" while it is open.
    """CREATE TABLE card (
        id      TEXT   NOT NULL PRIMARY KEY,
        kind    TEXT   NOT NULL,
        space   TEXT   NOT NULL,
        about   TEXT   NOT NULL,
        payload TEXT   NOT NULL,
        room    TEXT   NOT NULL,
        event   TEXT   NOT NULL,
        expires BIGINT NOT NULL,
        decided TEXT   NOT NULL,
        made    BIGINT NOT NULL
    )""",
    "CREATE UNIQUE INDEX card_open ON card (kind, space, about) WHERE decided = ''",
    "CREATE INDEX card_event ON card (room, event)",
    # What has to happen at a time, in milliseconds.
    """CREATE TABLE timer (
        kind    TEXT   NOT NULL,
        name    TEXT   NOT NULL,
        at      BIGINT NOT NULL,
        payload TEXT   NOT NULL,
        PRIMARY KEY (kind, name)
    )""",
    "CREATE INDEX timer_at ON timer (at)",
    # The audit log. `details`: JSON.
    """CREATE TABLE deed (
        id      TEXT   NOT NULL PRIMARY KEY,
        space   TEXT   NOT NULL,
        who     TEXT   NOT NULL,
        what    TEXT   NOT NULL,
        door    TEXT   NOT NULL,
        at      BIGINT NOT NULL,
        details TEXT   NOT NULL,
        why     TEXT   NOT NULL
    )""",
    "CREATE INDEX deed_at ON deed (space, at)",
)


async def first(connection: Connection) -> None:
    """Version 1."""
    for table in TABLES:
        await connection.execute(table)


upgrades.register(first, description="The first tables")


async def second(connection: Connection) -> None:
    """Version 2."""
    for table in DESK:
        await connection.execute(table)


upgrades.register(second, description="Cards, timers and the audit log")

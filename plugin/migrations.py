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


OUTBOX = (
    # Deeds wait until they are told. `told`: "" until then, the name of the message meanwhile, "told" afterwards.
    "ALTER TABLE deed ADD COLUMN told TEXT NOT NULL DEFAULT ''",
    "UPDATE deed SET told='told'",
    "CREATE INDEX deed_told ON deed (told)",
    # Who was what when we last looked, to notice what was changed by hand. `role`: of the whole community.
    "CREATE TABLE held (space TEXT NOT NULL, who TEXT NOT NULL, role TEXT NOT NULL, PRIMARY KEY (space, who))",
)


async def third(connection: Connection) -> None:
    """Version 3."""
    for table in OUTBOX:
        await connection.execute(table)


upgrades.register(third, description="What of the audit log was told, and who was what")


ENTRANCE = (
    # Ways into a community. `uses`, `expires`, `revoked`: 0 for none; times in milliseconds.
    """CREATE TABLE invite (
        id       TEXT    NOT NULL PRIMARY KEY,
        space    TEXT    NOT NULL,
        name     TEXT    NOT NULL,
        made_by  TEXT    NOT NULL,
        made     BIGINT  NOT NULL,
        uses     INTEGER NOT NULL,
        expires  BIGINT  NOT NULL,
        approval INTEGER NOT NULL,
        revoked  BIGINT  NOT NULL
    )""",
    "CREATE INDEX invite_space ON invite (space)",
    # What opens an invite: SHA-256 of a code. A second one stands here where a crash came between making and telling.
    "CREATE TABLE invite_code (digest TEXT NOT NULL PRIMARY KEY, invite TEXT NOT NULL)",
    # Who came by an invite; who has left since stands here under a name that means nobody.
    """CREATE TABLE redemption (
        invite TEXT   NOT NULL,
        who    TEXT   NOT NULL,
        at     BIGINT NOT NULL,
        PRIMARY KEY (invite, who)
    )""",
    # Who is in a community as far as we have noticed. `greeted`, `gone`: milliseconds, 0 until then; `own`: 1 where they left by
    # their own wish. A row with an empty `who` says that the community was looked at before.
    """CREATE TABLE arrival (
        space   TEXT    NOT NULL,
        who     TEXT    NOT NULL,
        came    BIGINT  NOT NULL,
        greeted BIGINT  NOT NULL,
        gone    BIGINT  NOT NULL,
        own     INTEGER NOT NULL,
        PRIMARY KEY (space, who)
    )""",
    "CREATE INDEX arrival_greeted ON arrival (space, greeted, gone)",
    "CREATE INDEX card_about ON card (kind, space, about, made)",
)


async def fourth(connection: Connection) -> None:
    """Version 4."""
    for table in ENTRANCE:
        await connection.execute(table)


upgrades.register(fourth, description="Invites, and who came and went")


async def fifth(connection: Connection) -> None:
    """Version 5: small things that are kept by a name."""
    await connection.execute("CREATE TABLE memory (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)")


upgrades.register(fifth, description="How far we have come in what is said")


async def sixth(connection: Connection) -> None:
    """Version 6: of what is done and decided nothing is kept but that it was."""
    await connection.execute("UPDATE job SET work='' WHERE done > 0")
    await connection.execute("UPDATE card SET payload='{}' WHERE decided <> ''")


upgrades.register(sixth, description="What is done and decided is forgotten")

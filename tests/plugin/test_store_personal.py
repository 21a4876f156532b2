"""Finding somebody in the database, rewriting and deleting, over SQLite and, where one can be started, PostgreSQL."""

import json

import pytest
from mautrix.util.async_db import Database

from haven.ids import RoomId, UserId
from plugin.audit import Deed, Door
from plugin.personal.inventory import DEED, HELD, TABLES
from plugin.store_audit import AuditStore
from plugin.store_personal import PersonalStore, stands_in, without
from plugin.store_roles import RoleStore
from tests.plugin.test_store import database  # noqa: F401 - a fixture

SPACE = RoomId("!space")
STRANGE = [
    "@ana:haven.test",
    "@a%_!b:haven.test",
    '@quo"te:haven.test',
    "@back\\slash:haven.test",
    "@under_score:[2001:db8::1]:8448",
    "@=/+-.:haven.test",
]


@pytest.mark.parametrize("who", STRANGE)
async def test_whoever_it_is_is_found_rewritten_and_deleted_and_nobody_else(
    database: Database,  # noqa: F811 - the fixture
    who: str,
) -> None:
    user, other = UserId(who), UserId("@an:haven.test")
    deeds, roles, store = AuditStore(database), RoleStore(database), PersonalStore(database)
    for name, by in (("one", user), ("two", other)):
        await deeds.add_deed(Deed(name, SPACE, by, "opened", Door.COMMAND, 1))
    await deeds.add_deed(Deed("three", SPACE, other, "muted", Door.COMMAND, 1, {"whom": who}))
    for each in (user, other):
        await roles.hold(SPACE, each, "admin")
    found = await store.rows(DEED, user)
    assert {row["id"] for row in found} == {"one", "three"}
    for row in found:
        details = dict.fromkeys(json.loads(row["details"]), "x")
        await store.rewrite(DEED, row, {"who": "x", "details": json.dumps(details)})
    assert await store.rows(DEED, user) == ()
    (row,) = await store.rows(HELD, user)
    await store.delete(HELD, row)
    assert list(await roles.held(SPACE)) == [other]


async def test_every_table_with_people_can_be_asked(database: Database) -> None:  # noqa: F811 - the fixture
    store = PersonalStore(database)
    for table in TABLES:
        if table.people:
            assert await store.rows(table, UserId("@ana:haven.test")) == ()
    await store.scrub()


STANDS = [
    ("@ana:haven.test", True),
    ("because of @ana:haven.test.", True),
    ("@ana:haven.test, @eva:haven.test", True),
    ("left.!space.@ana:haven.test.1700000000000", True),
    ('{"whom": "@ana:haven.test"}', True),
    ("@ana:haven.test.example", False),
    ("@ana:haven.test:8448", False),
    ("@ana:haven.testing", False),
    ("@mariana:haven.test", False),
    ("xx@ana:haven.test", False),
    ("@ana:haven.test.7", False),
]


@pytest.mark.parametrize(("text", "stands"), STANDS)
def test_an_id_is_told_from_a_longer_one(text: str, stands: bool) -> None:
    who = UserId("@ana:haven.test")
    assert stands_in(text, who) is stands
    assert (without(text, who, "…") != text) is stands

"""The inventory says what becomes of everything: each column of the real schema, each kind of card and timer, each memory."""

from plugin.commands.my_data import COUNTED
from plugin.personal.inventory import CARDS, MEMORIES, TABLES, TIMERS, Erased
from plugin.store import Store
from tests.plugin.catalogues import sources
from tests.plugin.commands.stage import Stage

OURS = {"haven_version", "sqlite_sequence"}
"""Tables that hold nothing but how far the others have come."""


async def columns(store: Store) -> dict[str, frozenset[str]]:
    """The tables there are after all migrations, with their columns."""
    database = store._database
    tables = await database.fetch("SELECT name FROM sqlite_master WHERE type='table'")
    found = {}
    for table in sorted(row["name"] for row in tables):
        rows = await database.fetch(f"PRAGMA table_info({table})")
        found[table] = frozenset(row["name"] for row in rows)
    return {table: names for table, names in found.items() if table not in OURS}


async def test_every_column_of_the_schema_stands_in_the_inventory(store: Store) -> None:
    assert {table.name: table.columns for table in TABLES} == await columns(store), (
        "say in plugin/personal/inventory.py what becomes of the new column when somebody has their data erased"
    )


async def test_every_row_can_be_found_again(store: Store) -> None:
    for table in TABLES:
        rows = await store._database.fetch(f"PRAGMA table_info({table.name})")
        assert {row["name"] for row in rows if row["pk"]} == set(table.key), table.name


def test_where_somebody_may_stand_something_becomes_of_it() -> None:
    for table in TABLES:
        assert bool(table.people) == (table.erased is not Erased.NOTHING), table.name
        assert set(table.json) <= set(table.people), table.name
        assert set(table.times) <= set(table.others), table.name
        assert set(table.withheld) <= table.columns, table.name


def test_the_preview_speaks_of_every_table_but_those_that_say_no_more_than_the_rooms() -> None:
    assert {table.name for table in TABLES if table.people} - {"held", "arrival"} == set(COUNTED)


async def test_every_kind_of_card_and_timer_stands_in_it(stage: Stage) -> None:
    desk = stage.services.desk
    assert set(desk.cards.dealers) == set(CARDS)
    assert set(desk.timers.rings) == set(TIMERS)


def test_every_memory_stands_in_it() -> None:
    text = "\n".join(path.read_text() for path in sources())
    assert text.count("memory.keep(") == len(MEMORIES), "say in the inventory whether somebody stands in it"

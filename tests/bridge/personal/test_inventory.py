"""The inventory says what becomes of everything: each column of the real schema, each memory, each kind of item."""

import re
from pathlib import Path

from bridge.personal.inventory import JOBS, MEMORIES, TABLES, Erased
from bridge.store import Store
from embedded.places import ROOT

OURS = {"haven_bridge_version", "database_owner", "sqlite_sequence"}
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


async def test_every_column_of_the_schema_stands_in_the_inventory(tmp_path: Path) -> None:
    async with Store(f"sqlite:{tmp_path}/bridge.db") as store:
        assert {table.name: table.columns for table in TABLES} == await columns(store), (
            "say in bridge/personal/inventory.py what becomes of the new column when somebody is erased"
        )


def test_where_somebody_may_stand_something_becomes_of_it() -> None:
    for table in TABLES:
        assert bool(table.people) == (table.erased is not Erased.NOTHING), table.name


def sources() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "bridge").rglob("*.py"))


def test_every_memory_stands_in_it() -> None:
    kept = re.findall(r"(?:store\.keep\(|return )f\"(\w+) ", sources())
    assert set(kept) == set(MEMORIES), "say in the inventory whether somebody stands in it"
    every = sources().count("store.keep(")
    by_key = sources().count("store.keep(_key(")
    assert every == len(re.findall(r"store\.keep\(f\"\w+ ", sources())) + by_key, (
        "give a memory a name that begins with a word"
    )


def test_every_kind_of_item_stands_in_it() -> None:
    assert set(re.findall(r"\"to\": \"(\w+)\"", sources())) == set(JOBS)

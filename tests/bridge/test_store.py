"""The bridge's database on SQLite, and on PostgreSQL where it is installed."""

from pathlib import Path

import pytest

from bridge.store import Store
from haven.errors import Misconfigured
from tests.contracts.store import StoreContract
from tests.databases import new_database


class TestSQLite(StoreContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:{tmp_path}/bridge.db"


class TestPostgreSQL(StoreContract):
    @pytest.fixture
    async def url(self, postgres: str) -> str:
        return await new_database(postgres)


async def refused(url: str) -> tuple[str, object]:
    """What is said of a database that cannot be used, and of which setting."""
    with pytest.raises(Misconfigured) as wrong:
        async with Store(url):
            pass
    return wrong.value.key, wrong.value.values["setting"]


async def test_a_file_that_is_something_else_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "bridge.db").write_bytes(b"no database of any kind" * 99)
    assert await refused(f"sqlite:{tmp_path}/bridge.db") == ("database_unfit", "database")


async def test_a_database_of_a_newer_bridge_is_a_wrong_setting(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path}/bridge.db"
    async with Store(url) as store:
        await store._execute("UPDATE haven_bridge_version SET version = 99")
    assert await refused(url) == ("database_unfit", "database")


async def test_a_file_that_cannot_be_opened_is_a_wrong_setting(tmp_path: Path) -> None:
    assert await refused(f"sqlite:{tmp_path}/nowhere/bridge.db") == ("database_unfit", "database")


async def test_a_database_that_the_server_does_not_have_is_a_wrong_setting(postgres: str) -> None:
    assert await refused(f"{postgres}/nowhere") == ("database_unfit", "database")


async def test_a_kind_of_database_without_its_library_is_a_wrong_setting() -> None:
    assert await refused("unheard://host/database") == ("database_library", "database")

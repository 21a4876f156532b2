"""What the bridge remembers of files, on SQLite, and on PostgreSQL where it is installed."""

from pathlib import Path

import pytest

from bridge.media_shelf import DAY, KEPT, Shelf
from bridge.store import Store
from tests.contracts.store import Clock
from tests.databases import new_database


class ShelfContract:
    """A subclass gives ``url``: an empty database."""

    @pytest.fixture
    def url(self) -> str:
        raise AssertionError

    async def test_finds_what_was_put_also_after_a_restart(self, url: str) -> None:
        clock = Clock()
        async with Store(url) as store:
            await Shelf(store, clock).put("mxc://a/1", "by address", "by bytes")
        async with Store(url) as store:
            shelf = Shelf(store, clock)
            assert await shelf.find("by address") == await shelf.find("by bytes") == "mxc://a/1"
            assert await shelf.find("other") is None
            await shelf.put("mxc://a/2", "by address")
            assert await shelf.find("by address") == "mxc://a/2"

    async def test_forgets_what_is_old(self, url: str) -> None:
        clock = Clock()
        async with Store(url) as store:
            shelf = Shelf(store, clock)
            await shelf.put("mxc://a/1", "old")
            clock.now += DAY
            assert await shelf.find("old", DAY) is None
            assert await shelf.find("old") == "mxc://a/1"
            clock.now += KEPT
            assert await shelf.find("old") is None
            await shelf.put("mxc://a/2", "new")
            clock.now -= KEPT
            assert await shelf.find("old") is None, "it is not only passed over, but gone"


class TestSQLite(ShelfContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:{tmp_path}/bridge.db"


class TestPostgreSQL(ShelfContract):
    @pytest.fixture
    async def url(self, postgres: str) -> str:
        return await new_database(postgres)

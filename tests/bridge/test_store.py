"""The bridge's database on SQLite, and on PostgreSQL where it is installed."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.store import Store
from haven.errors import Misconfigured
from tests.contracts.store import StoreContract

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


class TestSQLite(StoreContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:{tmp_path}/bridge.db"


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """A PostgreSQL server of our own in a private directory, as an ordinary user, on loopback."""
    if not BINARIES:
        pytest.skip("PostgreSQL's server is not installed")
    place = Path(tempfile.mkdtemp(prefix="haven-pg-"))
    place.chmod(0o777)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    as_user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
    programs, data = BINARIES[-1], place / "data"
    run = [*as_user, str(programs / "initdb"), "-D", str(data), "-U", "haven", "-A", "trust", "--no-sync"]
    subprocess.run(run, check=True, capture_output=True, cwd=place)
    options = f"-p {port} -k {place} -c listen_addresses=127.0.0.1 -c fsync=off"
    control = [*as_user, str(programs / "pg_ctl"), "-D", str(data), "-w", "-l", str(place / "log")]
    subprocess.run([*control, "-o", options, "start"], check=True, stdout=subprocess.DEVNULL, cwd=place)
    yield f"postgres://haven@127.0.0.1:{port}"
    subprocess.run([*control, "-m", "immediate", "stop"], check=True, stdout=subprocess.DEVNULL, cwd=place)
    shutil.rmtree(place, ignore_errors=True)


class TestPostgreSQL(StoreContract):
    @pytest.fixture
    async def url(self, postgres: str, request: pytest.FixtureRequest) -> str:
        import asyncpg

        name = f"test_{abs(hash(request.node.name)):x}"
        connection = await asyncpg.connect(f"{postgres}/postgres")
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()
        return f"{postgres}/{name}"


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

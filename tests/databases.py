"""PostgreSQL for tests: a server of our own in a private directory, and a database of its own for whoever asks."""

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from embedded.ports import HOST, free_port

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@contextmanager
def postgres_server() -> Iterator[str]:
    """A server on loopback, run by an ordinary user; gives its address. Skips the test where PostgreSQL is not installed."""
    if not BINARIES:
        pytest.skip("PostgreSQL's server is not installed")
    place = Path(tempfile.mkdtemp(prefix="haven-pg-"))
    place.chmod(0o777)
    port = free_port()
    as_user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
    programs, data = BINARIES[-1], place / "data"
    run = [*as_user, str(programs / "initdb"), "-D", str(data), "-U", "haven", "-A", "trust", "--no-sync"]
    subprocess.run(run, check=True, capture_output=True, cwd=place)
    options = f"-p {port} -k {place} -c listen_addresses={HOST} -c fsync=off"
    control = [*as_user, str(programs / "pg_ctl"), "-D", str(data), "-w", "-l", str(place / "log")]
    subprocess.run([*control, "-o", options, "start"], check=True, stdout=subprocess.DEVNULL, cwd=place)
    yield f"postgres://haven@{HOST}:{port}"
    subprocess.run([*control, "-m", "immediate", "stop"], check=True, stdout=subprocess.DEVNULL, cwd=place)
    shutil.rmtree(place, ignore_errors=True)


async def new_database(server: str) -> str:
    """Makes an empty database on a server, and gives its address."""
    name = f"haven_{secrets.token_hex(6)}"
    connection = await asyncpg.connect(f"{server}/postgres")
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return f"{server}/{name}"

"""Tests of the group commit: everything in order, few transactions, nothing left behind."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from mautrix.util.async_db import Connection, Database

from bridge.commit import GroupCommit, Job
from haven.errors import Unreachable


class CountingCommit(GroupCommit):
    """Remembers how many jobs each transaction had."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.sizes: list[int] = []

    async def _transact(self, jobs: list[Job[Any]]) -> list[Any]:
        self.sizes.append(len(jobs))
        return await super()._transact(jobs)


@pytest.fixture
async def commit(tmp_path: Path) -> AsyncIterator[CountingCommit]:
    database = Database.create(f"sqlite:{tmp_path}/commit.db")
    await database.start()
    commit = CountingCommit(database)
    writer = asyncio.create_task(commit.run())
    await commit.ask(_statement("CREATE TABLE said (word TEXT)"))
    commit.sizes.clear()
    yield commit
    commit.stop()
    await writer
    await database.stop()


def _statement(sql: str, *values: str) -> Job[None]:
    async def job(connection: Connection) -> None:
        await connection.execute(sql, *values)

    return job


def _say(word: str) -> Job[None]:
    return _statement("INSERT INTO said VALUES ($1)", word)


async def _said(connection: Connection) -> list[str]:
    return [row["word"] for row in await connection.fetch("SELECT word FROM said ORDER BY rowid")]


async def test_work_that_nobody_waits_for_shares_the_next_commit(commit: CountingCommit) -> None:
    first = commit.enqueue(_say("one"))
    second = commit.enqueue(_say("two"))
    assert await commit.ask(_said) == ["one", "two"]
    assert first.done()
    assert second.done()
    assert commit.sizes == [3]


async def test_work_that_nobody_waits_for_is_done_all_the_same(commit: CountingCommit) -> None:
    async with asyncio.timeout(10):
        await commit.enqueue(_say("one"))
        await commit.enqueue(_say("two"))
    assert commit.sizes == [1, 1]


async def test_stopping_does_what_is_left(tmp_path: Path) -> None:
    database = Database.create(f"sqlite:{tmp_path}/left.db")
    await database.start()
    commit = GroupCommit(database)
    made = commit.enqueue(_statement("CREATE TABLE said (word TEXT)"))
    said = commit.enqueue(_say("one"))
    commit.stop()
    await commit.run()
    await database.stop()
    assert made.done()
    assert said.exception() is None


async def test_who_gave_up_waiting_is_left_out(commit: CountingCommit) -> None:
    commit.enqueue(_say("one")).cancel()
    assert await commit.ask(_said) == []


async def test_one_that_fails_spoils_it_for_nobody_else(commit: CountingCommit) -> None:
    good = commit.enqueue(_say("one"))
    bad = commit.enqueue(_statement("NONSENSE"))
    assert await commit.ask(_said) == ["one"]
    assert good.exception() is None
    assert bad.exception() is not None


async def test_a_job_that_waits_for_something_else_is_refused_and_undone(commit: CountingCommit) -> None:
    async def waits(connection: Connection) -> None:
        await connection.execute("INSERT INTO said VALUES ('half')")
        await asyncio.sleep(0)

    with pytest.raises(Unreachable):
        await commit.ask(waits)
    assert await commit.ask(_said) == []


async def test_a_whole_transaction_runs_in_the_thread_of_the_connection(commit: CountingCommit) -> None:
    async def where(_connection: Connection) -> str:
        return threading.current_thread().name

    first, second = commit.enqueue(where), commit.enqueue(where)
    third = await commit.ask(where)
    assert await first == await second == third != threading.current_thread().name

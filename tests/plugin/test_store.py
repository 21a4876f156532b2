"""What the plugin remembers, over SQLite and, where one can be started, PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from mautrix.util.async_db import Database

from haven.founding import Founding, WishedGroup
from haven.ids import EventId, RoomId, UserId
from haven.model import JoinPolicy, Settings, Visibility
from plugin.creation import Begun
from plugin.events import Incoming
from plugin.migrations import upgrades
from plugin.service.work import FoundingJob, GroupJob, Job, Work
from plugin.store import KEPT, Store
from tests.databases import new_database
from tests.plugin.life import GROUPS, TITLES, report

ANA, SPACE = UserId("@ana:x"), RoomId("!space")
FOUNDING = FoundingJob(
    Founding("w", "Fathers", ANA, TITLES, "All", GROUPS, Settings(join=JoinPolicy.OPEN, language="es"))
)
ADDED = GroupJob(SPACE, "slot", WishedGroup("Praha", Visibility.HIDDEN, "čau", suggested=True), ANA)


class Days:
    """A clock that is set by hand, in ms."""

    now = 1_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def days() -> Days:
    return Days()


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest, own_data: Path) -> AsyncIterator[Database]:
    url = f"sqlite:{own_data}/store.db"
    if request.param == "postgres":
        url = await new_database(request.getfixturevalue("postgres"))
    database = Database.create(url, upgrade_table=upgrades)
    await database.start()
    yield database
    await database.stop()


@pytest.fixture
def store(database: Database, days: Days) -> Store:
    return Store(database, days)


def job(work: Work, event: str) -> Job:
    return Job(event, work, report(event))


async def test_jobs_are_kept_until_they_are_done(store: Store, days: Days) -> None:
    assert await store.add_job(job(FOUNDING, "$one"))
    days.now += 1
    assert await store.add_job(job(ADDED, "$two"))
    await store.set_message("$two", EventId("$said"))
    one, two = await store.open_jobs()
    assert (one.work, one.report, one.message, one.made) == (FOUNDING, report("$one"), "", 1_000)
    assert (two.work, two.message) == (ADDED, "$said")
    await store.end_job("$one")
    assert [each.id for each in await store.open_jobs()] == ["$two"]


async def test_a_job_is_stored_once_also_after_it_is_done(store: Store, days: Days) -> None:
    assert await store.add_job(job(FOUNDING, "$one"))
    assert not await store.add_job(job(ADDED, "$one"))
    await store.end_job("$one")
    assert not await store.add_job(job(FOUNDING, "$one"))
    await store.tidy()
    assert not await store.add_job(job(FOUNDING, "$one"))
    days.now += KEPT + 1
    await store.tidy()
    assert await store.add_job(job(FOUNDING, "$one"))


async def test_rooms_begun_are_kept_until_they_end(store: Store) -> None:
    await store.begin_room(Begun("b", (ANA, UserId("@eva:x"))))
    await store.begin_room(Begun("a", ()))
    await store.begin_room(Begun("a", (ANA,)))
    assert await store.begun_rooms() == (Begun("a", ()), Begun("b", (ANA, UserId("@eva:x"))))
    await store.end_room("a")
    await store.end_room("nothing")
    assert [begun.slot for begun in await store.begun_rooms()] == ["b"]


async def test_what_was_said_is_replaced(store: Store) -> None:
    await store.set_said(SPACE, ["a", "b"])
    await store.set_said(SPACE, ["b", "c", "c"])
    await store.set_said(RoomId("!other"), ["x"])
    assert await store.said(SPACE) == {"b", "c"}
    await store.set_said(SPACE, [])
    assert await store.said(SPACE) == frozenset()


async def test_a_command_is_heard_once_and_its_words_are_forgotten_when_it_is_answered(
    store: Store, days: Days, database: Database
) -> None:
    command = Incoming(SPACE, EventId("$c"), ANA, "!c list", mentions=(ANA,))
    assert await store.hears(command)
    assert not await store.hears(command)
    assert await store.unanswered() == (command,)
    await store.answered(command.event)
    assert await store.unanswered() == ()
    assert not [row for row in await database.fetch("SELECT * FROM heard") if "list" in row["message"]]
    days.now += KEPT + 1
    await store.tidy()
    assert await store.hears(command)

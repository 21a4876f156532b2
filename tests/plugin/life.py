"""The plugin's engine over the homeserver in memory: one life of a process after the other, on time that runs fast."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from mautrix.util.async_db import Database

from embedded.waiting import eventually
from haven.errors import HavenError
from haven.founding import Founding, Titles, WishedGroup
from haven.ids import EventId, RoomId, UserId
from haven.model import Community, Visibility
from haven.reconcile import Outcome
from plugin.concerns import Concern
from plugin.config import Settings
from plugin.engine import Engine, build
from plugin.events import Incoming, Left, Nudge
from plugin.migrations import upgrades
from plugin.service.work import Job, Report
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.homeserver_client import FakeClient
from tests.fakes.homeserver_faults import Killed
from tests.fakes.homeserver_room import Event

SPEED = 100
"""Seconds of the engine in one of ours."""

TITLES = Titles(announcements="Announcements", general="General", admins="Admins")
GROUPS = (
    WishedGroup("Madrid"),
    WishedGroup("Brno", Visibility.REQUEST),
    WishedGroup("Quiet", Visibility.HIDDEN),
)


class FastClock:
    """Time a hundred times as fast."""

    def now(self) -> float:
        """Seconds since some moment."""
        return time.monotonic() * SPEED

    async def wait(self, seconds: float) -> None:
        """Let that many seconds pass."""
        await asyncio.sleep(seconds / SPEED)


@dataclass
class Told:
    """Hears what the engine tells people."""

    news: list[tuple[str, Job]] = field(default_factory=list)
    warnings: list[tuple[RoomId, tuple[Concern, ...]]] = field(default_factory=list)
    errors: list[HavenError | None] = field(default_factory=list)

    async def job_started(self, job: Job) -> EventId:
        """See `plugin.service.telling.Tells`."""
        self.news.append(("started", job))
        return EventId(f"$about-{job.id}")

    async def job_progress(self, job: Job, done: int, total: int) -> None:
        """See `plugin.service.telling.Tells`."""
        self.news.append(("progress", job))

    async def job_finished(self, job: Job, outcome: Outcome) -> None:
        """See `plugin.service.telling.Tells`."""
        self.news.append(("finished", job))

    async def job_failed(self, job: Job, error: HavenError | None, reference: str) -> None:
        """See `plugin.service.telling.Tells`."""
        self.errors.append(error)
        self.news.append(("failed", job))

    async def warn(
        self, room: RoomId, language: str, concerns: tuple[Concern, ...], transaction: str
    ) -> None:
        """See `plugin.concerns.Warns`."""
        self.warnings.append((room, concerns))

    def said(self) -> list[str]:
        """What was said of jobs, in order."""
        return [what for what, _ in self.news]


@asynccontextmanager
async def stored(path: str) -> AsyncIterator[Store]:
    """A store in a new file."""
    database = Database.create(f"sqlite:{path}", upgrade_table=upgrades)
    await database.start()
    try:
        yield Store(database)
    finally:
        await database.stop()


@dataclass
class Life:
    """One life of the engine, as long as `living` says; the wire brings it every event of its rooms."""

    engine: Engine
    client: FakeClient
    server: FakeHomeserver
    told: Told
    deaf: bool = False
    """While set, no event reaches the engine."""

    async def community(self) -> Community:
        """The only community there is."""
        (community,) = (await self.engine.communities.intent()).communities.values()
        return community

    async def done(self) -> None:
        """Wait until nothing is left to be made, what an earlier life left included."""

        async def empty() -> bool:
            return not await self.engine.store.open_jobs()

        await eventually(empty, "all jobs are done", timeout=20, interval=0.005)

    async def settled(self, check: Callable[[], bool], what: str) -> None:
        """Wait until it is so."""

        async def asked() -> bool:
            return check()

        await eventually(asked, what, timeout=20, interval=0.005)


@asynccontextmanager
async def living(
    server: FakeHomeserver,
    store: Store,
    *,
    settings: Settings | None = None,
    told: Told | None = None,
    bot: str = "bot",
    watching: bool = True,
    answer: Callable[[Incoming], Awaitable[None]] | None = None,
    changed: Callable[[RoomId], Awaitable[None]] | None = None,
) -> AsyncIterator[Life]:
    """Start the engine and stop it at the end. ``watching`` off: it sees and makes, but keeps nothing in step by itself."""
    client, told = server.person(bot), told or Told()
    engine = build(client, settings or Settings(), store, told, FastClock())

    engine.answer = answer or engine.answer
    engine.watch.changed = changed or engine.watch.changed
    life = Life(engine, client, server, told)

    def wire(event: Event) -> None:
        gone = event.type == "m.room.member" and event.content["membership"] != "join"
        if life.deaf or event.key is None:
            return
        engine.take(
            Left(event.room) if gone and event.key == client.user else Nudge(event.room, event.as_state())
        )

    server.on_event(wire, client.user)
    task = asyncio.create_task(engine.run() if watching else _seen(engine))
    try:
        opened = asyncio.create_task(engine.watch.ready.wait())
        await asyncio.wait({opened, task}, return_when=asyncio.FIRST_COMPLETED)
        opened.cancel()
        yield life
    finally:
        server._listeners.remove((client.user, wire))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await engine.jobs.stop()


async def _seen(engine: Engine) -> None:
    await engine.watch.open()


def report(event: str = "$command") -> Report:
    """Where to tell, for a command."""
    return Report(RoomId("!dm:haven.test"), EventId(event), "en")


def founding(server: FakeHomeserver, name: str = "Fathers", wish: str = "w1", owner: str = "ana") -> Founding:
    """A wish for a community with three groups."""
    return Founding(wish, name, UserId(f"@{owner}:{server.name}"), TITLES, "For all of us", GROUPS)


async def found(life: Life, wish: Founding, event: str = "$command") -> None:
    """Have a community made and wait for it; raises `Killed` where that killed the engine's client."""
    await life.engine.jobs.found(wish, report(event))
    await life.engine.jobs.idle()
    if life.client._dead:
        raise Killed

"""Durable jobs: what takes many requests is stored before the first of them and taken up again after a crash."""

import asyncio
from collections.abc import Callable, Container
from dataclasses import dataclass, field

from haven.errors import Missing
from haven.founding import Founding, WishedGroup, founded, with_added_group
from haven.ids import RoomId, UserId
from haven.reconcile import Outcome, Progress

from ..clock import Clock
from .communities import Communities
from .run import Carries, Finished, Run, Settle
from .telling import KeepsJobs, Tells
from .work import FoundingJob, GroupJob, Job, Report, UpgradeJob, Work

__all__ = ["Job", "Jobs", "KeepsJobs", "Report", "Tells"]


def _never() -> bool:
    return False


async def _settled(slots: Container[str]) -> None:
    """Nothing is ever in question."""


async def _unable(work: UpgradeJob, report: Report, progress: Progress) -> Outcome:
    """Nobody knows how."""
    raise Missing("group_gone")


async def _unheard(job: Job, outcome: Outcome) -> None:
    """Nobody wants to know."""


@dataclass(slots=True)
class Jobs:
    """What is being made. ``busy``: whether the homeserver slows us down, so that nothing is sent that nobody needs."""

    communities: Communities
    store: KeepsJobs
    tells: Tells
    clock: Clock
    busy: Callable[[], bool] = _never
    settle: Settle = _settled
    finished: Finished = _unheard
    upgrade: Carries = _unable
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def found(self, founding: Founding, report: Report) -> None:
        """Make a community. Returns once the job is stored; the same command (``report.event``) again does nothing.

        Make ``founding.id`` of the command's event, so that a repeated delivery means the same rooms.
        """
        await self._add(FoundingJob(founding), report)

    async def add_group(
        self, space: RoomId, slot: str, wished: WishedGroup, by: UserId, report: Report
    ) -> None:
        """Add a group. Returns once the job is stored; the same command again does nothing.

        ``slot``: unique, made of the command's event. Raises `Invalid` where the community cannot have the group, `Missing` where
        there is no such community, `TryLater`. Rights are for the caller to check, with what `Communities.fresh` gives.
        """
        there = self.communities.must(await self.communities.rooms.observe(), space)
        with_added_group(there, slot, wished, by)
        await self._add(GroupJob(space, slot, wished, by), report)

    async def bring(self, work: UpgradeJob, report: Report) -> None:
        """Bring a room into another version. Returns once the job is stored; the same command again does nothing."""
        await self._add(work, report)

    async def making(self, space: RoomId) -> bool:
        """Whether a community, or a group of it, is still being made."""
        key = self.communities.key(space)
        works = [job.work for job in await self.store.open_jobs()]
        founding = (founded(work.founding).slot for work in works if isinstance(work, FoundingJob))
        adding = (self.communities.key(work.space) for work in works if isinstance(work, GroupJob))
        return key in {*founding, *adding}

    async def resume(self) -> None:
        """Take up what an earlier life left; what this one has begun already goes on as it is."""
        for job in await self.store.open_jobs():
            if job.id not in self._tasks:
                self._start(job)

    async def stop(self) -> None:
        """Lay everything down; it is taken up again at the next start."""
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def idle(self) -> None:
        """Wait until nothing is being made."""
        while self._tasks:
            await asyncio.wait(self._tasks.values())

    async def _add(self, work: Work, report: Report) -> None:
        job = Job(report.event, work, report)
        if await self.store.add_job(job):
            self._start(job)

    def _start(self, job: Job) -> None:
        run = Run(
            job,
            self.communities,
            self.store,
            self.tells,
            self.clock,
            self.busy,
            self.settle,
            self.finished,
            self.upgrade,
        )
        task = asyncio.create_task(run.to_its_end(), name=f"job {job.id}")
        self._tasks[job.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(job.id, None))

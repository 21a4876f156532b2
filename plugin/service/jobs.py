"""Durable jobs: what takes many requests is stored before the first of them and taken up again after a crash."""

from dataclasses import dataclass
from typing import Protocol

from haven.errors import HavenError
from haven.founding import Founding, WishedGroup
from haven.ids import EventId, RoomId, UserId
from haven.reconcile import Outcome


@dataclass(frozen=True, slots=True)
class Report:
    """Where to tell how a job goes: the command's room, event and language."""

    room: RoomId
    event: EventId
    language: str


@dataclass(frozen=True, slots=True)
class FoundingJob:
    """A community to be made."""

    founding: Founding


@dataclass(frozen=True, slots=True)
class GroupJob:
    """A group to be added to the community of ``space``."""

    space: RoomId
    slot: str
    wished: WishedGroup
    by: UserId


Work = FoundingJob | GroupJob


@dataclass(frozen=True, slots=True)
class Job:
    """Something to be done until it is done. ``id``: unique. ``message``: the progress message; "" until there is one."""

    id: str
    work: Work
    report: Report
    message: EventId = EventId("")


class Tells(Protocol):
    """Tells people how a job goes. Implemented by `plugin.replies.Replies`.

    All of them may raise `HavenError`; the engine retries ``job_started``, ``job_finished`` and ``job_failed`` on `TryLater`, so each
    uses a transaction id made of the job's id: told twice is told once.
    """

    async def job_started(self, job: Job) -> EventId:
        """Say that work has begun, as a reply to the command. Gives the event that is edited from now on."""

    async def job_progress(self, job: Job, done: int, total: int) -> None:
        """Edit ``job.message``: so many changes of so many are made. Called at most every three seconds; may get lost."""

    async def job_finished(self, job: Job, outcome: Outcome) -> None:
        """Edit ``job.message``: all is done. ``outcome.community`` has the rooms."""

    async def job_failed(
        self, job: Job, outcome: Outcome | None, error: HavenError | None, reference: str
    ) -> None:
        """Edit ``job.message``: it cannot be done. ``error``: why, if we foresaw it; else ``reference`` finds it in the log."""


class Jobs:
    """What is being made."""

    async def found(self, founding: Founding, report: Report) -> None:
        """Make a community. Returns once the job is stored; the same command (``report.event``) again does nothing.

        Make ``founding.id`` of the command's event, so that a repeated delivery means the same rooms.
        """
        raise NotImplementedError

    async def add_group(
        self, space: RoomId, slot: str, wished: WishedGroup, by: UserId, report: Report
    ) -> None:
        """Add a group. Returns once the job is stored; the same command again does nothing.

        ``slot``: unique, made of the command's event. Raises `Invalid` where the community cannot have the group, `Missing` where
        there is no such community. Rights are for the caller to check.
        """
        raise NotImplementedError

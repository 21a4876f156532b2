"""What a job needs from its surroundings: somebody to tell people how it goes, and a place where it outlives us."""

from typing import Protocol

from haven.errors import HavenError
from haven.ids import EventId
from haven.reconcile import Outcome

from .work import Job


class Tells(Protocol):
    """Tells people how a job goes. Implemented by `plugin.replies.Replies`.

    All of them may raise `HavenError`; `TryLater` is waited out but for progress, so use transaction ids made of the job's
    id: told twice is told once.
    """

    async def job_started(self, job: Job) -> EventId:
        """Say that work has begun, as a reply to the command. Gives the event that is edited from now on."""

    async def job_progress(self, job: Job, done: int, total: int) -> None:
        """Edit ``job.message``: so many changes of so many are made. Called at most every three seconds; may get lost."""

    async def job_finished(self, job: Job, outcome: Outcome) -> None:
        """Edit ``job.message`` ("": reply): all is done. ``outcome.community`` has the rooms."""

    async def job_failed(self, job: Job, error: HavenError | None, reference: str) -> None:
        """Edit ``job.message`` ("": reply): it cannot be done. ``error``: why, if foreseen; else ``reference`` finds it in the log."""


class KeepsJobs(Protocol):
    """Where jobs outlive us."""

    async def add_job(self, job: Job) -> bool:
        """Store a job; false where one of its id was stored before, done or not."""

    async def set_message(self, job: str, message: EventId) -> None:
        """Remember the message that tells how a job goes."""

    async def end_job(self, job: str) -> None:
        """A job needs nothing more."""

    async def open_jobs(self) -> tuple[Job, ...]:
        """The jobs that are not done, the oldest first."""

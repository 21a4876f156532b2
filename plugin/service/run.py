"""One job from its start, or from wherever an earlier life left it, to its end."""

import logging
import random
from collections.abc import Awaitable, Callable, Container
from dataclasses import dataclass, field, replace
from itertools import count

from haven.changes import CreateRoom
from haven.desired import is_placeholder, located
from haven.errors import GiveUp, HavenError, TryLater
from haven.founding import founded, with_added_group
from haven.ids import EventId
from haven.model import Community
from haven.reconcile import Outcome, Progress
from haven.snapshot import World

from ..clock import Clock
from ..faults import reference_of
from ..pace import Pace
from .communities import Communities
from .telling import KeepsJobs, Tells
from .work import FoundingJob, GroupJob, Job, Report, UpgradeJob

log = logging.getLogger("haven.jobs")

FIRST, LONGEST = 2.0, 300.0
"""Seconds before the second try, and before any: they double in between."""

GIVEN_UP_AFTER = 24 * 3600.0
"""Seconds that a job is tried for, in one life."""


Settle = Callable[[Container[str]], Awaitable[None]]
"""Looks for the rooms of these slots of whose making we did not hear (`plugin.creation.Creation.settle`). May raise `TryLater`."""

Carries = Callable[[UpgradeJob, Report, Progress], Awaitable[Outcome]]
"""Brings a room into another version (`plugin.service.upgrades.Upgrades.carry_out`)."""

Finished = Callable[[Job, Outcome], Awaitable[None]]
"""Told what a job has made, before people are; after a crash it may be told again."""


@dataclass(slots=True)
class Run:
    """A job being done. ``busy``: whether the homeserver slows us down."""

    job: Job
    communities: Communities
    store: KeepsJobs
    tells: Tells
    clock: Clock
    busy: Callable[[], bool]
    settle: Settle
    finished: Finished
    upgrade: Carries
    _pace: Pace = field(init=False)

    def __post_init__(self) -> None:
        self._pace = Pace(self.clock.now, self.busy)

    async def to_its_end(self) -> None:
        """Do it, and tell how it went. Raises nothing that was foreseen, and logs the rest."""
        try:
            outcome = await self._started()
            await self.finished(self.job, outcome)
            await self._said(lambda: self.tells.job_finished(self.job, outcome))
        except HavenError as error:
            await self._failed(error, "")
        except Exception as error:
            await self._failed(None, reference_of(log, error, "a job"))
        await self.store.end_job(self.job.id)

    async def _failed(self, error: HavenError | None, reference: str) -> None:
        await self._said(lambda: self.tells.job_failed(self.job, error, reference))

    async def _started(self) -> Outcome:
        if not self.job.message:
            message = await self._said(lambda: self.tells.job_started(self.job))
            self.job = replace(self.job, message=message or EventId(""))
            await self.store.set_message(self.job.id, self.job.message)
        return await self._carried_out()

    async def _carried_out(self) -> Outcome:
        until, attempt, missing = self.clock.now() + GIVEN_UP_AFTER, 0, 0
        while True:
            try:
                outcome = await self._attempt()
                trouble = _trouble(outcome)
                before, missing = missing, _missing(outcome.community)
                attempt = 0 if outcome.done or missing < before else attempt
            except TryLater as later:
                trouble = later
            else:
                if trouble is None:
                    return await self._located(outcome)
            if self.clock.now() > until:
                raise trouble
            await self.clock.wait(pause(trouble, attempt))
            attempt += 1

    async def _attempt(self) -> Outcome:
        """Once over everything, after rooms whose making is in question have been looked for."""
        work = self.job.work
        if isinstance(work, FoundingJob):
            wished = founded(work.founding)
            await self.settle({wished.slot, *(group.slot for group in wished.groups)})
            return await self.communities.carry_out(wished.slot, self._founding, self._progress)
        if isinstance(work, UpgradeJob):
            return await self.upgrade(work, self.job.report, self._progress)
        await self.settle({work.slot})
        slot = self.communities.key(work.space)
        return await self.communities.carry_out(slot, self._with_group, self._progress)

    def _founding(self, world: World) -> Community:
        """What is wished for, in the state it has reached: what people have changed by hand meanwhile stays."""
        work = self.job.work
        assert isinstance(work, FoundingJob)  # noqa: S101 - tells mypy what `_attempt` has seen
        wished = located(founded(work.founding), world, self.communities.loop.actors)
        there = self.communities.one_of(world, wished.space)
        return wished if there is None else completed(there, wished)

    def _with_group(self, world: World) -> Community:
        work = self.job.work
        assert isinstance(work, GroupJob)  # noqa: S101 - tells mypy what `_attempt` has seen
        return with_added_group(self.communities.must(world, work.space), work.slot, work.wished, work.by)

    async def _located(self, outcome: Outcome) -> Outcome:
        world = await self.communities.rooms.observe()
        return replace(outcome, community=located(outcome.community, world, self.communities.loop.actors))

    async def _progress(self, done: int, total: int) -> None:
        """Tell how far it is, now and then."""
        if done == total or not self.job.message or not self._pace.next():
            return
        try:
            await self.tells.job_progress(self.job, done, total)
        except HavenError as error:
            log.info("progress of a job was not told: %s", error)

    async def _said(self, say: Callable[[], Awaitable[EventId | None]]) -> EventId | None:
        """Say it, however long that takes; nothing where it cannot be said at all."""
        for attempt in count():
            try:
                return await say()
            except TryLater as later:
                await self.clock.wait(pause(later, attempt))
            except GiveUp as error:
                log.info("news of a job could not be told: %s", error)
                return None
        raise AssertionError("count() has no end")


def _missing(community: Community) -> int:
    """How many rooms are still to be made."""
    return sum(
        is_placeholder(room) for room in (community.space, *(group.room for group in community.groups))
    )


def completed(there: Community, wished: Community) -> Community:
    """A community that is partly there, with the groups it lacks, in the order they are wished for."""
    present = {group.slot: group for group in there.groups if group.slot}
    own = tuple(present.get(group.slot, group) for group in wished.groups)
    slots = {group.slot for group in own}
    return replace(there, groups=(*own, *(group for group in there.groups if group.slot not in slots)))


def _trouble(outcome: Outcome) -> TryLater | None:
    """Why it must be tried again, if it must. Raises what makes it hopeless.

    What the homeserver refuses in a room that was there before is for the keeper to report: the job is done without it.
    """
    if outcome.refused:
        raise outcome.refused
    for failure in outcome.failures:
        essential = isinstance(failure.change, CreateRoom) or failure.change.room == outcome.community.space
        if essential and isinstance(failure.error, GiveUp):
            raise failure.error
    later = [failure.error for failure in outcome.failures if isinstance(failure.error, TryLater)]
    if later:
        return later[0]
    return TryLater("unfinished") if outcome.left else None


def pause(trouble: TryLater, attempt: int) -> float:
    """Seconds to wait: what we were told, or longer each time, a little at random so that not all come at once."""
    own = min(LONGEST, FIRST * 2**attempt) * random.uniform(0.75, 1.25)  # noqa: S311 - no secret
    return own if trouble.after is None else trouble.after

"""`plan`, `repair`: what differs from what is meant, and setting it right."""

from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

from haven.errors import HavenError
from haven.guards import Bounds
from haven.ids import EventId
from haven.model import Community, Group
from haven.permissions import Right
from haven.reconcile import Outcome

from ..outcomes import of_plan, troubles
from ..wording import Answer, Line, answer, line, of_error
from .asked import Asked, Within
from .grammar import Command, Option

PLAN = Command("plan")
REPAIR = Command("repair", options=(Option("insist"),))
EVERY = 3.0
"""Seconds between two edits of a progress message."""


async def plan(asked: Asked, community: Community) -> Answer:
    """What would be done to bring the rooms in step."""
    planned = await asked.services.communities.plan(community.space)
    touched = {about.room for about in (*planned.changes, *planned.obstacles)}
    groups = [group for group in community.groups if group.room in touched]
    return Answer(of_plan(planned), asked.sight(community).place_for(groups))


async def repair(asked: Asked, community: Community) -> Answer | None:
    """Bring the rooms in step, told by one message that is edited."""
    started = await asked.replies.answer(asked.message, asked.language, answer(line("repair.started")))
    progress = _Progress(asked, started)
    bounds = Bounds(asked.services.settings.removals, insisted=asked.request.switched("insist"))
    try:
        outcome = await asked.services.communities.repair(community.space, bounds, progress.told)
    except HavenError as error:
        await progress.show(of_error(error))
        return None
    if bounds.insisted:
        await asked.note("insisted", outcome.community, n=str(len(outcome.done)))
    wrong = troubles(outcome)
    place = asked.sight(outcome.community).place_for(_troubled(outcome))
    await progress.show(_done(outcome), *(() if place else wrong))
    return Answer(wrong, place) if place and wrong else None


def _done(outcome: Outcome) -> Line:
    if outcome.done:
        return line("repair.done", n=len(outcome.done))
    return line("plan.empty") if outcome.in_step else line("repair.nothing_done")


def _troubled(outcome: Outcome) -> tuple[Group, ...]:
    rooms = {failure.change.room for failure in outcome.failures}
    rooms |= {obstacle.room for obstacle in outcome.obstacles}
    return tuple(group for group in outcome.community.groups if group.room in rooms)


@dataclass(slots=True)
class _Progress:
    """The message that says how far we are."""

    asked: Asked
    message: EventId
    since: float = field(default_factory=monotonic)

    async def told(self, done: int, total: int) -> None:
        """See `haven.reconcile.Progress`. Not every step is worth a message, and none is worth waiting for."""
        if monotonic() - self.since < EVERY:
            return
        self.since = monotonic()
        with suppress(HavenError):
            words = self.asked.replies.wording(self.asked.language)
            told = words.words((line("job.progress", done=done, total=total),))
            await self.asked.services.messages.edit(self.asked.message.room, self.message, told)

    async def show(self, *lines: Line) -> None:
        """Say how it ended."""
        await self.asked.replies.change(self.asked.message.room, self.message, self.asked.language, lines)


ENTRIES = (Within(PLAN, Right.PLAN, plan), Within(REPAIR, Right.REPAIR, repair))

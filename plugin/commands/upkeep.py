"""`plan`, `repair`: what differs from what is meant, and setting it right."""

from haven.guards import Bounds
from haven.model import Community, Group
from haven.permissions import Right
from haven.reconcile import Outcome

from ..outcomes import of_plan, troubles
from ..wording import Answer, Line, line
from .asked import Asked, Within
from .grammar import Command, Option

PLAN = Command("plan")
REPAIR = Command("repair", options=(Option("insist"),))


async def plan(asked: Asked, community: Community) -> Answer:
    """What would be done to bring the rooms in step."""
    planned = await asked.services.communities.plan(community.space)
    touched = {about.room for about in (*planned.changes, *planned.obstacles)}
    groups = [group for group in community.groups if group.room in touched]
    return Answer(of_plan(planned), asked.sight(community).place_for(groups))


async def repair(asked: Asked, community: Community) -> Answer | None:
    """Bring the rooms in step, told by one message that is edited."""
    await asked.progress.begin(line("repair.started"))
    bounds = Bounds(asked.services.settings.removals, insisted=asked.request.switched("insist"))
    outcome = await asked.services.communities.repair(community.space, bounds, asked.progress.told)
    if bounds.insisted:
        await asked.note("insisted", outcome.community, n=str(len(outcome.done)))
    wrong = troubles(outcome)
    place = asked.sight(outcome.community).place_for(_troubled(outcome))
    if not (place and wrong):
        return Answer((_done(outcome), *wrong))
    await asked.progress.conclude(_done(outcome))
    return Answer(wrong, place)


def _done(outcome: Outcome) -> Line:
    if outcome.done:
        return line("repair.done", n=len(outcome.done))
    return line("plan.empty") if outcome.in_step else line("repair.nothing_done")


def _troubled(outcome: Outcome) -> tuple[Group, ...]:
    rooms = {failure.change.room for failure in outcome.failures}
    rooms |= {obstacle.room for obstacle in outcome.obstacles}
    return tuple(group for group in outcome.community.groups if group.room in rooms)


ENTRIES = (Within(PLAN, Right.PLAN, plan), Within(REPAIR, Right.REPAIR, repair))

"""What came of a change or would come of a plan, line by line."""

from collections.abc import Iterator

from haven.changes import Change
from haven.errors import HavenError
from haven.plan import Obstacle, Plan
from haven.reconcile import Failure, Outcome

from .wording import Line, Style, Term, code, head, item, line, of_error


def of_change(change: Change) -> Term:
    """A change in words."""
    key, values = change.line()
    unsaid = key == "change.power" and not values["detail"]
    return Term("change.power_plain" if unsaid else key, values)


def of_obstacle(obstacle: Obstacle) -> Line:
    """What keeps the bot from a change."""
    return item(
        "outcome.obstacle",
        room=obstacle.name,
        type=code(obstacle.type),
        need=obstacle.need,
        have=obstacle.have,
    )


def of_plan(plan: Plan) -> tuple[Line, ...]:
    """A plan, or that there is nothing to do."""
    if not plan and not plan.obstacles:
        return (line("plan.empty"),)
    told: list[Line] = []
    if plan:
        told.append(head("plan.changes", n=len(plan.changes)))
        for change in plan.changes:
            said = of_change(change)
            told.append(Line(said.key, said.values, Style.ITEM))
        told.append(line("plan.repair"))
    if plan.obstacles:
        told.append(head("plan.obstacles", n=len(plan.obstacles)))
        told.extend(of_obstacle(obstacle) for obstacle in plan.obstacles)
    return tuple(told)


def troubles(outcome: Outcome) -> tuple[Line, ...]:
    """What did not go as it should; nothing where all is in step."""
    return tuple(_troubles(outcome))


def _troubles(outcome: Outcome) -> Iterator[Line]:
    if outcome.refused is not None:
        yield of_error(outcome.refused)
        if outcome.refused.key == "guard_removals":
            yield line("outcome.insist")
    if outcome.failures:
        yield head("outcome.failures", n=len(outcome.failures))
        yield from (_failure(failure) for failure in outcome.failures)
        yield line("outcome.goes_on")
    if outcome.obstacles:
        yield head("plan.obstacles", n=len(outcome.obstacles))
        yield from (of_obstacle(obstacle) for obstacle in outcome.obstacles)
    if outcome.left:
        yield line("outcome.left", n=outcome.left)


def _failure(failure: Failure) -> Line:
    return item("outcome.failure", change=of_change(failure.change), why=why(failure.error))


def why(error: HavenError) -> Term:
    """An error as a part of a sentence."""
    return Term(f"error.{error.key}", dict(error.values))

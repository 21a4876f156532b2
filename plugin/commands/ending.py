"""`group archive`, `group remove`, `deactivate`, `reactivate`: closing and letting go, and taking up again."""

from collections.abc import Iterable
from dataclasses import replace

from haven.changes import Remove
from haven.errors import Invalid
from haven.guards import Bounds
from haven.ids import UserId
from haven.model import Community, Group, Kind, Release
from haven.permissions import REACTIVATED_WITHIN, Right, may_reactivate
from haven.plan import plan_for
from haven.reconcile import Outcome

from ..outcomes import troubles
from ..rights import require, require_somewhere
from ..service.groups import shown
from ..store import now_ms
from ..wording import Answer, Line, answer, code, item, line, person, strong
from .asked import Asked, Within, noted_name
from .grammar import SHORT, Argument, Command, Option, Takes

ARCHIVE = Command("group archive", (Argument("GROUP"),))
REMOVE = Command("group remove", (Argument("GROUP"),), (Option("remove-members"), Option("insist")))
DEACTIVATE = Command("deactivate", (Argument("NAME", Takes.WORDS, optional=True),))
REACTIVATE = Command("reactivate")
SHOWN = 20
"""How many people a preview names."""


async def _group(asked: Asked, community: Community) -> tuple[Community, Group]:
    """The community as it is now, and the group that is meant. Raises `Invalid` for a room that is none."""
    fresh = await asked.services.communities.fresh(community.space)
    require_somewhere(asked.world, fresh, asked.who, asked.right)
    group = asked.sight(fresh).named(asked.request.argument("GROUP"))
    require(asked.world, fresh, asked.who, asked.right, group)
    if group.kind is not Kind.GROUP:
        raise Invalid("group_stays", group=group.name)
    return fresh, group


def _about(asked: Asked, key: str, outcome: Outcome, group: Group) -> Answer:
    community = outcome.community
    said = line(key, group=shown(asked.world, community, group))
    return Answer((said, *troubles(outcome)), asked.sight(community).place_for((group,)))


async def archive(asked: Asked, community: Community) -> Answer:
    """Close a group: to be read, by those who are in it."""
    _, group = await _group(asked, community)
    if group.archived:
        raise Invalid("group_archived", group=group.name, back=f"{SHORT} group set GROUP archived off")
    outcome = await asked.change(
        community,
        lambda now: _archived(now, group),
        check=lambda now: require(asked.world, now, asked.who, asked.right, now.group(group.room)),
    )
    await asked.note("group_archived", outcome.community, group=noted_name(group))
    return _about(asked, "ending.archived", outcome, group)


def _archived(community: Community, group: Group) -> Community:
    now = community.group(group.room)
    return community if now is None else community.with_group(replace(now, archived=True))


async def remove(asked: Asked, community: Community) -> Answer:
    """Take a group out of the community; it lives on by itself."""
    fresh, group = await _group(asked, community)
    request = asked.request
    how = Release.REMOVE_MEMBERS if request.switched("remove-members") else Release.KEEP
    if how is Release.REMOVE_MEMBERS:
        require(asked.world, fresh, asked.who, asked.right)
        leaving = _leaving(asked, fresh, group)
        if leaving and not request.switched("insist"):
            return _preview(asked, fresh, group, leaving)
    outcome = await asked.change(
        community,
        lambda now: now.without_group(group.room, how),
        check=lambda now: require(asked.world, now, asked.who, asked.right, now.group(group.room)),
        bounds=Bounds(asked.services.settings.removals, insisted=request.switched("insist")),
    )
    if outcome.refused is not None:
        raise outcome.refused
    await asked.note("group_removed", outcome.community, group=noted_name(group))
    return _about(asked, "ending.removed", outcome, group)


def _leaving(asked: Asked, community: Community, group: Group) -> tuple[UserId, ...]:
    """Who would be put out of the community: its members who are in no other group."""
    edited = community.without_group(group.room, Release.REMOVE_MEMBERS)
    plan = plan_for(edited, asked.world, asked.services.communities.loop.actors)
    removals = (change for change in plan.removals if isinstance(change, Remove))
    return tuple(sorted({change.user for change in removals if change.room == community.space}))


def _preview(asked: Asked, community: Community, group: Group, leaving: tuple[UserId, ...]) -> Answer:
    insist = code(f"{SHORT} group remove {group.room} --remove-members --insist")
    told: Iterable[Line] = (item("ending.person", who=person(user)) for user in leaving[:SHOWN])
    more = (line("ending.more", n=len(leaving) - SHOWN),) if len(leaving) > SHOWN else ()
    lines = (line("ending.preview", n=len(leaving)), *told, *more, line("ending.insist", insist=insist))
    return Answer(lines, asked.sight(community).desk)


async def deactivate(asked: Asked, community: Community) -> Answer:
    """Dissolve the community, if its name is typed; its groups live on as ordinary rooms."""
    typed = asked.request.argument("NAME").strip()
    if community.deactivated is not None:
        raise Invalid("deactivated")
    if typed.casefold() != community.name.casefold():
        typing = code(f'{SHORT} deactivate "{community.name}"')
        return answer(line("ending.confirm", name=strong(community.name), typing=typing))
    moment = now_ms()
    outcome = await asked.change(
        community, lambda now: now if now.deactivated else replace(now, deactivated=moment)
    )
    await asked.note("deactivated", outcome.community)
    told = line("ending.deactivated", name=strong(community.name), back=code(f"{SHORT} reactivate"))
    return answer(told, *troubles(outcome))


async def reactivate(asked: Asked, community: Community) -> Answer:
    """Take a dissolved community up again."""
    if community.deactivated is None:
        raise Invalid("reactivate_nothing")
    if not may_reactivate(community, now_ms()):
        raise Invalid("reactivate_too_late", days=REACTIVATED_WITHIN // (24 * 3_600_000))
    outcome = await asked.change(community, lambda now: replace(now, deactivated=None))
    await asked.note("reactivated", outcome.community)
    return answer(line("ending.reactivated", name=strong(community.name)), *troubles(outcome))


GROUP_ENTRIES = (
    Within(ARCHIVE, Right.MANAGE_GROUPS, archive, changes=True),
    Within(REMOVE, Right.MANAGE_GROUPS, remove, changes=True),
)
ENTRIES = (
    Within(DEACTIVATE, Right.DEACTIVATE, deactivate, asleep=True),
    Within(REACTIVATE, Right.DEACTIVATE, reactivate, asleep=True),
)

"""`mute`, `unmute`, `lockdown`, `open`: quiet for somebody, or for all."""

from dataclasses import replace

from haven.ids import RoomId, UserId
from haven.measures import Lockdown, Mute
from haven.model import Community
from haven.permissions import Right
from haven.reconcile import Outcome
from haven.texts import checked_description

from ..audit import Door
from ..durations import duration
from ..outcomes import troubles
from ..safety.mutes import Silence
from ..service.groups import shown
from ..wording import Answer, Term, answer, line, person
from .asked import Asked, Within
from .bridge import moment
from .grammar import Argument, Command, Option, Takes
from .person import whom

MUTE = Command("mute", (Argument("WHO"),), (Option("for", "TIME"), Option("group", "GROUP")))
UNMUTE = Command("unmute", (Argument("WHO"),))
LOCKDOWN = Command("lockdown", (Argument("REASON", Takes.TEXT, optional=True),))
OPEN = Command("open")


async def mute(asked: Asked, community: Community) -> Answer:
    """Let somebody be quiet, for a while or until it is taken back."""
    request, timers = asked.request, asked.services.desk.timers
    span, named = request.option("for"), request.option("group")
    until = timers.epoch() + duration(span) if span else None
    group = asked.sight(community).named(named) if named else None
    rooms: frozenset[RoomId] = frozenset({group.room} if group else ())
    outcome = await _silence(asked, community, Mute(until, rooms))
    where = Term("mute.in", {"group": shown(asked.world, community, group)}) if group else Term("mute.all")
    told = line("mute.done", who=person(whom(asked)), where=where, ends=_ends(outcome, whom(asked)))
    place = asked.sight(outcome.community).place_for((group,)) if group else None
    return Answer((told, *troubles(outcome)), place)


def _ends(outcome: Outcome, who: UserId) -> Term:
    """Until when somebody is quiet now: an earlier mute may last longer."""
    held = outcome.community.muted.get(who)
    if held is None or held.until is None:
        return Term("mute.for_good")
    return Term("mute.until", {"at": moment(held.until)})


async def unmute(asked: Asked, community: Community) -> Answer:
    """Let somebody speak again."""
    outcome = await _silence(asked, community, None)
    return answer(line("mute.undone", who=person(whom(asked))), *troubles(outcome))


async def _silence(asked: Asked, community: Community, wanted: Mute | None) -> Outcome:
    message = asked.message
    silence = Silence(whom(asked), asked.who, Door.COMMAND, message.event, wanted, message.again)
    return await asked.services.safety.mutes.carry_out(community.space, silence, asked.progress.told)


async def lockdown(asked: Asked, community: Community) -> Answer:
    """Close everything: only people with a role speak, and nobody comes in."""
    why = checked_description(asked.request.argument("REASON"))[:300]
    closed = Lockdown(asked.who, asked.services.desk.timers.epoch(), why)
    outcome = await asked.change(
        community, lambda now: now if now.lockdown else replace(now, lockdown=closed)
    )
    if outcome.community.lockdown not in {None, closed} and not asked.message.again:
        return answer(line("lockdown.already"), *troubles(outcome))
    await asked.note("locked_down", outcome.community, why=why)
    return answer(line("lockdown.done"), *troubles(outcome))


async def open_(asked: Asked, community: Community) -> Answer:
    """Open everything as it was."""
    was_closed = community.lockdown is not None or asked.message.again
    outcome = await asked.change(community, lambda now: replace(now, lockdown=None))
    if not was_closed:
        return answer(line("lockdown.none"), *troubles(outcome))
    await asked.note("opened", outcome.community)
    return answer(line("lockdown.opened"), *troubles(outcome))


ENTRIES = (
    Within(MUTE, Right.MUTE, mute, changes=True),
    Within(UNMUTE, Right.MUTE, unmute, changes=True),
    Within(LOCKDOWN, Right.LOCKDOWN, lockdown, changes=True),
    Within(OPEN, Right.LOCKDOWN, open_, changes=True),
)

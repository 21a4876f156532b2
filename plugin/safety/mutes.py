"""Muting people for a while, and letting them speak again: what the space says holds, timers only look when it ends."""

import logging
from dataclasses import dataclass

from haven.errors import HavenError, Invalid, Missing, NotAllowed
from haven.ids import EventId, RoomId, UserId
from haven.measures import Mute
from haven.model import Community
from haven.permissions import Right, act_refusal
from haven.reconcile import Outcome, Progress
from haven.snapshot import Membership

from ..audit import Audit, Deed, Door
from ..rights import require
from ..service.communities import Communities, untold
from ..timers import Timer, Timers

log = logging.getLogger("haven.mutes")

MUTE = "mute"
"""The kind of the timers that end mutes."""


@dataclass(frozen=True, slots=True)
class Silence:
    """That somebody shall be muted, or ``mute`` being ``None`` no longer. ``deed``: the event by which it is wanted.

    ``again``: it may have been carried out in part already, so that finding it done is no mistake.
    """

    who: UserId
    by: UserId
    door: Door
    deed: EventId
    mute: Mute | None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Mutes:
    """Mutes and unmutes."""

    communities: Communities
    audit: Audit
    timers: Timers

    def __post_init__(self) -> None:
        self.timers.rings[MUTE] = self._ended

    def check(self, community: Community, wanted: Silence) -> None:
        """Raise `NotAllowed` where it must not be done, `Invalid` or `Missing` where there is nothing to do."""
        world, actors = self.communities.rooms.world, self.communities.loop.actors
        require(world, community, wanted.by, Right.MUTE)
        bots = {actors.bot, *({actors.bridge} if actors.bridge else ())}
        refusal = act_refusal(community, wanted.by, wanted.who, bots)
        if refusal is not None:
            raise NotAllowed(refusal.value, who=wanted.who, role=community.role_of(wanted.who))
        if wanted.mute is None and wanted.who not in community.muted and not wanted.again:
            raise Invalid("unmute_nothing", who=wanted.who)
        rooms = (community.space, *(group.room for group in community.groups))
        here = any(
            room in world and world[room].members.get(wanted.who) is Membership.JOINED for room in rooms
        )
        if wanted.mute is not None and not here:
            raise Missing("remove_nothing", who=wanted.who)

    async def carry_out(self, space: RoomId, wanted: Silence, progress: Progress = untold) -> Outcome:
        """Do it in every room it is about. Raises as `check`, `Missing`, `TryLater`."""
        outcome = await self.communities.change(
            space,
            lambda community: _meant(community, wanted),
            check=lambda community: self.check(community, wanted),
            progress=progress,
        )
        if wanted.mute is None:
            await self.timers.cancel(MUTE, f"{space} {wanted.who}")
        await self._keep_time(outcome.community)
        what = "unmuted" if wanted.mute is None else "muted"
        deed = Deed(
            f"{wanted.deed}.{what}",
            space,
            wanted.by,
            what,
            wanted.door,
            self.timers.epoch(),
            {"whom": wanted.who},
        )
        await self.audit.record(outcome.community, deed)
        return outcome

    async def resume(self) -> None:
        """Look when the mutes end that the spaces speak of."""
        try:
            for community in (await self.communities.intent()).communities.values():
                await self._keep_time(community)
        except HavenError as error:
            log.warning("it could not be seen when mutes end: %s", error)

    async def _keep_time(self, community: Community) -> None:
        for who, mute in community.muted.items():
            if mute.until is not None:
                payload = {"space": community.space, "who": who}
                await self.timers.set(MUTE, f"{community.space} {who}", mute.until, payload)

    async def _ended(self, timer: Timer) -> None:
        """The time of a mute may be over; what the space says now counts."""
        space, who = RoomId(timer.payload["space"]), UserId(timer.payload["who"])
        before = (await self.communities.intent()).communities.get(space)
        outcome = await self.communities.reconcile(space)
        if not outcome.in_step:
            self.communities.unfinished(space)
        if before is None or who in outcome.community.muted:
            return
        bot = self.communities.loop.actors.bot
        deed = Deed(
            f"{MUTE}.{timer.key}.{timer.at}", space, bot, "mute_over", Door.TIMER, timer.at, {"whom": who}
        )
        await self.audit.keep(deed)


def _meant(community: Community, wanted: Silence) -> Community:
    if wanted.mute is None:
        return community.without_mute(wanted.who)
    return community.with_mute(wanted.who, wanted.mute)

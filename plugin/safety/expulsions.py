"""Removing, banning and unbanning people, in the space first and by that everywhere: what may be done, and doing it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from haven.banlists import is_staff
from haven.errors import GiveUp, Invalid, NotAllowed
from haven.guards import Bounds
from haven.ids import EventId, RoomId, UserId
from haven.model import Community
from haven.permissions import ActRefusal, Right, act_refusal
from haven.reconcile import Outcome, Progress
from haven.snapshot import PRESENT, Membership, World

from ..audit import Audit, Deed, Door
from ..durations import MINUTE
from ..rights import require
from ..service.communities import Communities, untold
from ..timers import Timer, Timers


class Verb(StrEnum):
    """What is done to people; also the word of the command."""

    REMOVE = "remove"
    BAN = "ban"
    UNBAN = "unban"


RIGHTS: Mapping[Verb, Right] = {
    Verb.REMOVE: Right.REMOVE_PEOPLE,
    Verb.BAN: Right.BAN,
    Verb.UNBAN: Right.BAN,
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to be done to whom. ``deed``: the event by which they want it, which names it in the audit log.

    ``again``: it may have been carried out in part already, so that finding it done is no mistake. ``invite``: the name of the invite
    by which all of them came, if that is why; then it is one line of the audit log.
    """

    verb: Verb
    people: tuple[UserId, ...]
    by: UserId
    door: Door
    deed: EventId
    reason: str = ""
    again: bool = False
    invite: str = ""


class Pardons(Protocol):
    """Leaves people alone whatever ban lists say. Implemented by `plugin.safety.lists.Lists.pardon`."""

    async def __call__(
        self, space: RoomId, people: Iterable[UserId], by: UserId, *, door: Door, deed: str
    ) -> tuple[UserId, ...]:
        """Gives whom a list names."""


async def no_lists(
    space: RoomId, people: Iterable[UserId], by: UserId, *, door: Door, deed: str
) -> tuple[UserId, ...]:
    """No list names anybody."""
    return ()


EXPEL = "expel"
"""The kind of the timers that finish what a crash interrupted."""


@dataclass(slots=True)
class Expulsions:
    """Carries out wishes about people. ``pardon``: who is let in again is left alone by ban lists."""

    communities: Communities
    audit: Audit
    timers: Timers
    pardon: Pardons = no_lists

    def __post_init__(self) -> None:
        self.timers.rings[EXPEL] = self._taken_up

    def check(self, community: Community, wish: Wish) -> None:
        """Raise `NotAllowed` where it must not be done, `Invalid` where there is nothing to do; judged by what was last seen."""
        world = self.communities.rooms.world
        require(world, community, wish.by, RIGHTS[wish.verb])
        for who in wish.people:
            refusal = self.refusal(community, wish.by, who)
            if refusal is not None:
                raise NotAllowed(refusal.value, who=who, role=community.role_of(who))
        if not wish.again and not any(is_open(world, community, wish.verb, who) for who in wish.people):
            raise Invalid(f"{wish.verb}_nothing", who=", ".join(wish.people[:3]))

    def refusal(self, community: Community, actor: UserId, who: UserId) -> ActRefusal | None:
        """Why somebody may not act upon somebody; ``None`` where they may, as far as their role goes."""
        actors = self.communities.loop.actors
        bots = {actors.bot, *({actors.bridge} if actors.bridge else ())}
        return act_refusal(community, actor, who, bots)

    def spares(self, community: Community, actor: UserId, who: UserId) -> bool:
        """Whether somebody stays where all are meant and nobody by name: people with a role, and whom the actor may not act upon."""
        return is_staff(community, who) or self.refusal(community, actor, who) is not None

    async def carry_out(self, space: RoomId, wish: Wish, progress: Progress = untold) -> Outcome:
        """Do it everywhere. Twice is as good as once. Raises as `check`, `Missing`, `TryLater`.

        How many people that are was somebody's decision, so the guard counts from there.
        """
        most = max(self.communities.removals, len(wish.people))
        outcome = await self.communities.change(
            space,
            lambda community: _meant(community, wish),
            check=lambda community: self.check(community, wish),
            bounds=replace(Bounds(), removals=most),
            progress=progress,
        )
        await self._note(outcome.community, wish)
        if wish.verb is Verb.UNBAN:
            await self.pardon(space, wish.people, wish.by, door=wish.door, deed=wish.deed)
        return outcome

    async def carry_out_whole(self, space: RoomId, wish: Wish, progress: Progress = untold) -> Outcome:
        """As `carry_out`, of people whom nobody could find again afterwards: whom it is about is kept until it is done."""
        kept = {"people": " ".join(wish.people), "reason": wish.reason, "invite": wish.invite}
        payload = {"space": space, "verb": wish.verb.value, "by": wish.by, "door": wish.door.value, **kept}
        await self.timers.set(EXPEL, wish.deed, self.timers.epoch() + MINUTE, payload)
        try:
            outcome = await self.carry_out(space, wish, progress)
        except GiveUp:
            await self.timers.cancel(EXPEL, wish.deed)
            raise
        await self.timers.cancel(EXPEL, wish.deed)
        return outcome

    async def begun(self, deed: EventId) -> Wish | None:
        """What an earlier life had begun with."""
        found = (each for each in await self.timers.store.timers(EXPEL) if each.key == deed)
        return next(map(_wish, found), None)

    async def _taken_up(self, timer: Timer) -> None:
        await self.carry_out(RoomId(timer.payload["space"]), _wish(timer))

    async def _note(self, community: Community, wish: Wish) -> None:
        """Write it into the audit log, told in one message."""
        if wish.invite:
            await self._note_wave(community, wish)
            return
        *others, last = [
            Deed(
                f"{wish.deed}.{wish.verb}.{who}",
                community.space,
                wish.by,
                f"person_{wish.verb}",
                wish.door,
                self.timers.epoch(),
                {"whom": who},
                wish.reason,
            )
            for who in wish.people
        ]
        for deed in others:
            await self.audit.keep(deed)
        await self.audit.record(community, last)

    async def _note_wave(self, community: Community, wish: Wish) -> None:
        told = {"n": str(len(wish.people)), "name": wish.invite}
        deed = f"{wish.deed}.{wish.verb}.came_by"
        done = Deed(
            deed,
            community.space,
            wish.by,
            f"wave_{wish.verb}",
            wish.door,
            self.timers.epoch(),
            told,
            wish.reason,
        )
        await self.audit.record(community, done)


def _wish(timer: Timer) -> Wish:
    said = timer.payload
    people = tuple(UserId(who) for who in said["people"].split())
    by, door, deed = UserId(said["by"]), Door(said["door"]), EventId(timer.key)
    return Wish(Verb(said["verb"]), people, by, door, deed, said["reason"], True, said["invite"])


def _meant(community: Community, wish: Wish) -> Community:
    for who in wish.people:
        match wish.verb:
            case Verb.REMOVE:
                community = community.without_member(who, wish.reason)
            case Verb.BAN:
                community = community.with_ban(who, wish.reason)
            case Verb.UNBAN:
                community = community.without_ban(who)
    return community


def is_open(world: World, community: Community, verb: Verb, who: UserId) -> bool:
    """Whether there is anything to do about somebody."""
    if verb is Verb.BAN:
        return who not in community.banned
    if verb is Verb.UNBAN:
        return who in community.banned
    rooms: Sequence[RoomId] = (community.space, *(group.room for group in community.groups))
    around = PRESENT | {Membership.KNOCKING}
    return any(room in world and world[room].members.get(who) in around for room in rooms)

"""Removing, banning and unbanning people, in the space first and by that everywhere: what may be done, and doing it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from haven.errors import Invalid, NotAllowed
from haven.guards import Bounds
from haven.ids import EventId, RoomId, UserId
from haven.model import Community
from haven.permissions import Right, act_refusal
from haven.reconcile import Outcome, Progress
from haven.snapshot import PRESENT, Membership, World

from ..audit import Audit, Deed, Door
from ..rights import require
from ..service.communities import Communities, untold


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

    ``again``: it may have been carried out in part already, so that finding it done is no mistake.
    """

    verb: Verb
    people: tuple[UserId, ...]
    by: UserId
    door: Door
    deed: EventId
    reason: str = ""
    again: bool = False


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


@dataclass(slots=True)
class Expulsions:
    """Carries out wishes about people. ``epoch``: ms since the epoch, now. ``pardon``: who is let in again is left alone by ban lists."""

    communities: Communities
    audit: Audit
    epoch: Callable[[], int]
    pardon: Pardons = no_lists

    def check(self, community: Community, wish: Wish) -> None:
        """Raise `NotAllowed` where it must not be done, `Invalid` where there is nothing to do; judged by what was last seen."""
        world, actors = self.communities.rooms.world, self.communities.loop.actors
        require(world, community, wish.by, RIGHTS[wish.verb])
        bots = {actors.bot, *({actors.bridge} if actors.bridge else ())}
        for who in wish.people:
            refusal = act_refusal(community, wish.by, who, bots)
            if refusal is not None:
                raise NotAllowed(refusal.value, who=who, role=community.role_of(who))
        if not wish.again and not any(_is_open(world, community, wish.verb, who) for who in wish.people):
            raise Invalid(f"{wish.verb}_nothing", who=", ".join(wish.people[:3]))

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

    async def _note(self, community: Community, wish: Wish) -> None:
        """Write it into the audit log, told in one message."""
        *others, last = [
            Deed(
                f"{wish.deed}.{wish.verb}.{who}",
                community.space,
                wish.by,
                f"person_{wish.verb}",
                wish.door,
                self.epoch(),
                {"whom": who},
                wish.reason,
            )
            for who in wish.people
        ]
        for deed in others:
            await self.audit.keep(deed)
        await self.audit.record(community, last)


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


def _is_open(world: World, community: Community, verb: Verb, who: UserId) -> bool:
    """Whether there is anything to do about somebody."""
    if verb is Verb.BAN:
        return who not in community.banned
    if verb is Verb.UNBAN:
        return who in community.banned
    rooms: Sequence[RoomId] = (community.space, *(group.room for group in community.groups))
    around = PRESENT | {Membership.KNOCKING}
    return any(room in world and world[room].members.get(who) in around for room in rooms)

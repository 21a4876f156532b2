"""Notices who has come into a community and who has left it, each once, also what happened while nobody was there."""

import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import TypeGuard

from haven.ids import RoomId, UserId
from haven.model import Community, Role
from haven.snapshot import Membership, World
from haven.succession import members

from ..audit import Audit, Deed, Door
from ..durations import DAY
from ..service.communities import Communities
from ..store_arrivals import SEEN, Arrival, ArrivalStore, trace_of
from ..store_invites import InviteStore

REMEMBERED = 30 * DAY
"""Milliseconds for which we remember who has left, so that nobody is welcomed twice. Who was put out is remembered until they are
let in again.
"""


@dataclass(slots=True)
class Arrivals:
    """Compares who is in a space with who was. ``epoch``: ms since the epoch, now."""

    communities: Communities
    store: ArrivalStore
    invites: InviteStore
    audit: Audit
    epoch: Callable[[], int]
    _known: dict[RoomId, dict[UserId, Arrival]] = field(default_factory=dict)

    async def look(self, community: Community, world: World) -> tuple[Arrival, ...]:
        """Take note of everybody who has come or gone; gives who has come. At the first look everybody has always been there."""
        joined = self._joined(community, world)
        known, now = await self._members(community.space), self.epoch()
        if SEEN not in known:
            always = {who: Arrival(community.space, who, now, now) for who in (*joined, UserId(SEEN))}
            await self.store.keep(always.values())
            known.update(always)
            return ()
        for one in [one for one in known.values() if one.who and not one.left and one.who not in joined]:
            await self._gone(community, world, one)
        new = tuple(
            self._come(community, who, known.get(who))
            for who in sorted(joined)
            if who not in known or known[who].left
        )
        await self._keep(*new)
        await self._pardoned(community.space, new)
        return new

    async def put_out(self, community: Community, world: World) -> frozenset[UserId]:
        """Who is in the community, and was put out of it before, as far as we know: they may have been let in again."""
        known = await self._members(community.space)
        return frozenset(
            who
            for who in self._joined(community, world)
            if _is_put_out(known.get(who) or known.get(UserId(trace_of(who))))
        )

    async def since(self, space: RoomId, at: int) -> frozenset[UserId]:
        """Who has come after a time, as we noticed it, and is there still."""
        known = (await self._members(space)).values()
        return frozenset(one.who for one in known if one.who and one.came > at and not one.left)

    async def unnoticed(self, space: RoomId, people: Collection[UserId]) -> frozenset[UserId]:
        """Of these people, who were put out, those of whom we have not noticed that they are gone; without who wishes to leave."""
        known = await self._members(space)
        return frozenset(who for who in people if who not in known or not (known[who].left or known[who].own))

    async def _pardoned(self, space: RoomId, new: tuple[Arrival, ...]) -> None:
        """Who has come in again is nobody's trace any more: it is forgotten with time."""
        known = await self._members(space)
        traces = (known.get(UserId(trace_of(one.who))) for one in new)
        await self._keep(*(replace(trace, own=True) for trace in traces if _is_put_out(trace)))

    async def leaving(self, space: RoomId, who: UserId, *, own: bool) -> None:
        """Somebody is about to be taken out of the space because they wish to leave, or is not after all."""
        one = (await self._members(space)).get(who) or Arrival(space, who, self.epoch())
        await self._keep(replace(one, own=own))

    async def greeted(self, *arrivals: Arrival, at: int) -> None:
        """These need no greeting, at a time or, where that is 0, yet."""
        known = {one.who: await self._current(one) for one in arrivals}
        await self._keep(*(replace(one, greeted=at) for one in known.values()))

    async def waiting(self, space: RoomId) -> tuple[Arrival, ...]:
        """Who was not greeted yet."""
        return tuple(
            one for one in (await self._members(space)).values() if one.who and not (one.greeted or one.left)
        )

    def look_up_again(self) -> None:
        """Somebody else has changed what is stored."""
        self._known.clear()

    async def tidy(self) -> None:
        """Forget who left long ago."""
        await self.store.tidy(self.epoch() - REMEMBERED)

    async def _current(self, arrival: Arrival) -> Arrival:
        return (await self._members(arrival.space)).get(arrival.who, arrival)

    def _joined(self, community: Community, world: World) -> frozenset[UserId]:
        actors = self.communities.loop.actors
        return members(world, community) - {actors.bot, actors.bridge}

    def _come(self, community: Community, who: UserId, before: Arrival | None) -> Arrival:
        """Who was here before, or looks after the community, needs no greeting."""
        now = self.epoch()
        settled = community.role_of(who) is not Role.MEMBER
        greeted = before.greeted if before else 0
        return Arrival(community.space, who, now, greeted or (now if settled else 0))

    async def _gone(self, community: Community, world: World, one: Arrival) -> None:
        by_hand = world[community.space].members.get(one.who) is Membership.LEFT
        if by_hand or one.own:
            deed = f"left.{one.space}.{one.who}.{one.came}"
            door = Door.BY_HAND if by_hand else Door.COMMAND
            await self.audit.keep(Deed(deed, one.space, one.who, "left", door, self.epoch()))
        await self.invites.forget(one.space, one.who, f"gone-{secrets.token_hex(8)}")
        await self._keep(replace(one, left=self.epoch(), own=by_hand or one.own))

    async def _keep(self, *arrivals: Arrival) -> None:
        await self.store.keep(arrivals)
        for one in arrivals:
            (await self._members(one.space))[one.who] = one

    async def _members(self, space: RoomId) -> dict[UserId, Arrival]:
        if space not in self._known:
            self._known[space] = await self.store.members(space)
        return self._known[space]


def _is_put_out(one: Arrival | None) -> TypeGuard[Arrival]:
    return one is not None and bool(one.left) and not one.own

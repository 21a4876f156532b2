"""Making invites, and coming in by their codes: each person counts once, and nobody tries more than a few a minute."""

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from haven.errors import Invalid, Missing, NotAllowed
from haven.ids import EventId, RoomId, UserId
from haven.texts import checked_name

from ..durations import MINUTE
from ..store_invites import InviteStore
from .invite import Invite, State, digest, new_code

TRIES = 5
"""How many codes one person may try within a minute."""

MOST = 100
"""How many invites to one community are valid at the same time."""

PEOPLE = 10_000
"""Of how many people we remember that they tried."""


@dataclass(slots=True)
class Invites:
    """All invites of this bot. ``epoch``: ms since the epoch, now."""

    store: InviteStore
    epoch: Callable[[], int]
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _tried: dict[UserId, deque[int]] = field(default_factory=dict)

    async def make(self, wanted: Invite, event: EventId) -> tuple[Invite, str]:
        """Make an invite; gives it with its code, which nobody can tell afterwards.

        The same ``event`` again is the same invite with another code: only the later may have been told to somebody, and
        the earlier opens it as well. Raises `Invalid` where there are too many or one of that name.
        """
        known = await self.store.of_space(wanted.space)
        new = replace(wanted, id=_id_of(event), name=checked_name(wanted.name or _id_of(event)))
        valid = [one for one in known if one.state(self.epoch()) is State.VALID and one.id != new.id]
        if len(valid) >= MOST:
            raise Invalid("invite_limit", limit=MOST)
        if any(one.name.casefold() == new.name.casefold() for one in valid):
            raise Invalid("invite_name_taken", name=new.name)
        code = new_code()
        await self.store.add(new, digest(code))
        return new, code

    async def named(self, space: RoomId, word: str) -> Invite:
        """The invite to a community that a word means: its code, its id or its name. Raises `Missing`."""
        by_code = await self.store.by_digest(digest(word))
        if by_code is not None and by_code.space == space:
            return by_code
        known = await self.store.of_space(space)
        called = [one for one in known if word.strip().casefold() in {one.id, one.name.casefold()}]
        if not called:
            raise Missing("invite_unknown")
        return min(called, key=lambda one: (one.state(self.epoch()) is not State.VALID, -one.made))

    async def redeem(self, code: str, who: UserId, space: RoomId | None = None) -> tuple[Invite, bool]:
        """Come by a code, into ``space`` if one is given; gives the invite, and whether this was the first time.

        Doing it twice counts once.
        Raises `NotAllowed` after too many tries, `Missing` and `Invalid` where the code opens nothing.
        """
        async with self._lock:
            invite = await self.store.by_digest(digest(code))
            if invite is not None and space not in {None, invite.space}:
                invite = None
            if invite is not None and not invite.revoked and await self.store.redeemed(invite.id, who):
                return invite, False
            self._count_try(who)
            if invite is None:
                raise Missing("code_unknown")
            state = invite.state(self.epoch())
            if state is not State.VALID:
                raise Invalid(f"code_{state}")
            await self.store.redeem(invite.id, who, self.epoch())
            return replace(invite, used=invite.used + 1), True

    async def came_by(self, space: RoomId, word: str) -> tuple[Invite, tuple[UserId, ...]]:
        """Who came by an invite, named as for `named`, and has not left since. Raises `Missing`."""
        invite = await self.named(space, word)
        return invite, await self.store.came_by(invite.id)

    def tried(self, who: UserId) -> int:
        """How many codes somebody has tried within the last minute; kept in no database."""
        return sum(at > self.epoch() - MINUTE for at in self._tried.get(who, ()))

    def _count_try(self, who: UserId) -> None:
        now = self.epoch()
        tried = self._tried.pop(who, deque())
        while tried and tried[0] <= now - MINUTE:
            tried.popleft()
        self._tried[who] = tried
        if len(tried) >= TRIES:
            raise NotAllowed("code_tries", limit=TRIES)
        tried.append(now)
        if len(self._tried) > PEOPLE:
            del self._tried[next(iter(self._tried))]


def _id_of(event: EventId) -> str:
    """A short name for the invite that a command makes, the same for the same command."""
    return hashlib.sha256(event.encode()).hexdigest()[:8]

"""Who was put out does not walk back in: they are put out again, and the admins are asked whether they may come back.

An invitation lets them in, whoever gave it, and so does the end of a ban. Which of these came last is read from the history of their
membership, not from memory: it may have happened while nobody was there.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

from haven.errors import GiveUp
from haven.ids import EventId, RoomId, UserId
from haven.model import Community, Role
from haven.ports import ReadsRoom, StateEvent
from haven.snapshot import Membership, World

from ..events import Nudge
from ..rooms import MEMBER
from ..wording import line
from .arrivals import Arrivals
from .request import knocked
from .requests import Requests

log = logging.getLogger("haven.entrance")

BACK = 12
"""How many changes of somebody's membership are read at most, from today backwards."""


class ReadsMembers(ReadsRoom, Protocol):
    """Reads who is in a room, and what they were before (see `plugin.safety.mending.ReadsBefore`)."""

    async def state_before(self, room: RoomId, event: EventId) -> StateEvent | None:
        """The state event in whose place another has come, ``None`` where there was none. Raises `Missing` where it cannot be seen."""


class Past(Enum):
    """What stands in somebody's history of memberships before they came."""

    LET_IN = auto()
    PUT_OUT = auto()
    UNKNOWN = auto()


@dataclass(slots=True)
class Returns:
    """Stands at the door of every community. `heard` is told of changes; `look` works."""

    arrivals: Arrivals
    requests: Requests
    homeserver: ReadsMembers
    _expelled: dict[RoomId, set[UserId]] = field(default_factory=dict)

    def heard(self, nudge: Nudge) -> bool:
        """A state event has come, or is told of afterwards: who is put out may be in again before anybody looks. Gives whether that is so."""
        event = nudge.event
        gone = event.type == MEMBER and event.content.get("membership") == "leave"
        put_out = gone and event.sender != event.key and nudge.before in {"", "join"}
        if put_out:
            self._expelled.setdefault(nudge.room, set()).add(UserId(event.key))
        return put_out

    async def look(self, community: Community, world: World) -> None:
        """Put out again whoever came back unasked. Raises `TryLater`; then the next look goes on with them."""
        space = community.space
        lately = await self.arrivals.unnoticed(space, self._expelled.get(space, ()))
        self._expelled[space] = set(lately)
        known = await self.arrivals.put_out(community, world)
        around = world[space].members
        suspects = sorted(
            who
            for who in known | lately
            if around.get(who) is Membership.JOINED and community.role_of(who) is Role.MEMBER
        )
        if suspects:
            await self._judged(community, suspects, known)

    async def _judged(self, community: Community, suspects: list[UserId], known: frozenset[UserId]) -> None:
        state = await self.homeserver.room_state(community.space)
        members = {UserId(event.key): event for event in state if event.type == MEMBER}
        for who in suspects:
            member = members.get(who)
            if member is None or member.content.get("membership") != "join":
                continue
            past = await self._past(community.space, member)
            if past is Past.PUT_OUT or (past is Past.UNKNOWN and who in known):
                await self._turned_back(community, who, member)
            else:
                self._expelled[community.space].discard(who)

    async def _turned_back(self, community: Community, who: UserId, member: StateEvent) -> None:
        """Ask first: who dies in between finds them in the community still, and does both again."""
        requests, space = self.requests, community.space
        with suppress(GiveUp):
            await requests.ask_again(community, knocked(space, who, member.content))
        reason = requests.replies.wording(community.settings.language).text(
            line("request.put_out_reason", name=community.name)
        )
        hands = requests.communities.loop.hands
        try:
            await requests.replies.patiently(lambda: hands.kick(space, who, reason))
        except GiveUp as error:
            log.warning("somebody came back who was put out, and stays: %s", error)
        requests.communities.unfinished(space)

    async def _past(self, space: RoomId, member: StateEvent) -> Past:
        """How they came, by what they were before, from the latest on."""
        after = "join"
        try:
            async for before in self._before(space, member):
                now = before.content.get("membership")
                if now == "ban" or (now == "invite" and after == "join"):
                    return Past.LET_IN
                if now == "join" and after == "put out":
                    return Past.PUT_OUT
                by_others = now == "leave" and before.sender != before.key
                after = "put out" if by_others else str(now)
        except GiveUp as error:
            log.info("what somebody was before cannot be read: %s", error)
        return Past.UNKNOWN

    async def _before(self, space: RoomId, event: StateEvent) -> AsyncIterator[StateEvent]:
        for _ in range(BACK):
            before = await self.homeserver.state_before(space, event.event)
            if before is None:
                return
            yield before
            event = before

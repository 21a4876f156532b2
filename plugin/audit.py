"""The audit log: who did what, when, why and by which door; told in the admins' room and kept for the command `log`."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from haven.errors import GiveUp, HavenError
from haven.ids import RoomId, UserId
from haven.model import Community, Kind

from .clock import Clock
from .replies import Replies
from .service.communities import Communities
from .wording import Line, Term, Value, line, person

log = logging.getLogger("haven.audit")

HIDDEN = "chat.haven.hidden"
"""What stands in a deed for the name of a hidden group: not everybody in the admins' room may know of it."""

SOMEBODY = "chat.haven.somebody"
"""What stands in a deed for who had their data erased."""

AT_ONCE = 20
"""How many deeds one message tells at most."""

GATHER = 2.0
"""Seconds for which deeds that need not be told at once are gathered into one message."""

AGAIN = 30.0
"""Seconds after which we try again to tell what could not be told."""


class Door(StrEnum):
    """How something was done."""

    COMMAND = "command"
    REACTION = "reaction"
    BY_HAND = "by_hand"
    TIMER = "timer"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that was done. ``what`` names the phrase ``audit.<what>``, ``values`` fill it; ``at``: ms since the epoch.

    ``id``: made of the command, the reaction or the event, so that the same deed is kept once.
    """

    id: str
    space: RoomId
    who: UserId
    what: str
    door: Door
    at: int
    values: Mapping[str, str] = field(default_factory=dict)
    why: str = ""


class KeepsDeeds(Protocol):
    """Where deeds outlive us. Implemented by `plugin.store_audit.AuditStore`."""

    async def add_deed(self, deed: Deed) -> bool:
        """Keep a deed; false where it was kept before."""

    async def deeds(self, space: RoomId, last: int) -> tuple[Deed, ...]:
        """The last deeds in a community, the newest first."""

    async def untold(self, space: RoomId, most: int) -> tuple[str, tuple[Deed, ...]]:
        """What one message tells of what was not told yet, the oldest first; and what that message is called.

        The same again, whatever was done meanwhile, until it is `told`.
        """

    async def told(self, name: str) -> None:
        """A message was sent."""

    async def spaces_untold(self) -> tuple[RoomId, ...]:
        """The communities of which something was not told."""


@dataclass(slots=True)
class Audit:
    """The log of all communities."""

    store: KeepsDeeds
    replies: Replies
    communities: Communities
    clock: Clock
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _locks: dict[RoomId, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    async def record(self, community: Community, done: Deed) -> None:
        """Keep what was done, and tell the admins: now, or as soon as the homeserver lets us."""
        await self.store.add_deed(done)
        try:
            await self._tell(community)
        except HavenError:
            self._wake.set()

    async def keep(self, done: Deed) -> None:
        """Keep what was done, and have the admins told soon, with what else is done meanwhile."""
        if await self.store.add_deed(done):
            self._wake.set()

    async def run(self) -> None:
        """Tell what could not be told at once, an earlier life included, until cancelled."""
        while True:
            try:
                await self._tell_all()
            except HavenError as error:
                log.info("what was done could not be told yet: %s", error)
                self._wake.set()
                await self.clock.wait(AGAIN)
            await self._wake.wait()
            self._wake.clear()
            await self.clock.wait(GATHER)

    async def _tell_all(self) -> None:
        communities = (await self.communities.intent()).communities
        for space in await self.store.spaces_untold():
            if space in communities:
                await self._tell(communities[space])

    async def _tell(self, community: Community) -> None:
        admins = community.only(Kind.ADMINS)
        async with self._locks[community.space]:
            while (untold := await self.store.untold(community.space, AT_ONCE))[1]:
                name, deeds = untold
                if admins is not None:
                    with suppress(GiveUp):
                        language, lines = community.settings.language, [deed_line(deed) for deed in deeds]
                        await self.replies.tell(admins.room, language, lines, f"audit.{name}")
                await self.store.told(name)


def deed_line(deed: Deed) -> Line:
    """One deed as people read it: what, and where somebody gave a reason, why."""
    values: dict[str, Value] = {name: _shown(value) for name, value in deed.values.items()}
    what = Term(f"audit.{deed.what}", {"who": deed_who(deed), **values})
    by = Term(f"audit_door.{deed.door}")
    return (
        line("audit.with_reason", what=what, door=by, why=deed.why)
        if deed.why
        else line("audit.plain", what=what, door=by)
    )


def deed_who(deed: Deed) -> Value:
    """Who did it, as people read it."""
    return _shown(deed.who)


def _shown(value: str) -> Value:
    if value == HIDDEN:
        return Term("audit.hidden_group")
    if value == SOMEBODY:
        return Term("audit.somebody")
    return person(UserId(value)) if value.startswith("@") else value

"""Notices who is banned, put out or let in again by hand in a space, and writes it into the audit log. The rooms follow by themselves."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from haven.errors import HavenError
from haven.ids import UserId
from haven.snapshot import Membership

from ..audit import Audit, Deed, Door
from ..events import Nudge
from ..faults import reference_of
from ..rooms import MEMBER
from ..service.communities import Communities
from .expulsions import Pardons, Verb, no_lists

log = logging.getLogger("haven.witness")

OLD = 7 * 24 * 3_600_000
"""Milliseconds after which what happened is history: a homeserver tells all of it to a client that is new."""

KNOWN = frozenset({"join", "invite", "knock", "ban", "leave"})

WAITING = 5_000
"""How many deeds may wait to be written down."""


@dataclass(slots=True)
class Witness:
    """Hears state events before the rooms do. ``epoch``: ms since the epoch, now. ``pardon``: as in `Expulsions`."""

    communities: Communities
    audit: Audit
    epoch: Callable[[], int]
    pardon: Pardons = no_lists
    _waiting: asyncio.Queue[tuple[Verb, Nudge]] = field(default_factory=lambda: asyncio.Queue(WAITING))

    def see(self, nudge: Nudge) -> None:
        """A state event has come. Marks, and works on nothing here."""
        event = nudge.event
        actors = self.communities.loop.actors
        ours = {actors.bot, actors.bridge, event.key}
        if event.type != MEMBER or event.sender in ours or event.at < self.epoch() - OLD:
            return
        verb = self._verb(nudge)
        if verb is not None and not self._waiting.full():
            self._waiting.put_nowait((verb, nudge))

    def _verb(self, nudge: Nudge) -> Verb | None:
        """What it did, by what somebody was before: taking back an invite, or refusing a knock, puts nobody out.

        The rooms may have been read anew since; then the event itself knows better.
        """
        room = self.communities.rooms.world.get(nudge.room)
        if room is not None and not room.is_space:
            return None
        seen = room.members.get(UserId(nudge.event.key)) if room else None
        before = Membership(nudge.before) if nudge.before in KNOWN else seen
        membership = nudge.event.content.get("membership")
        if membership == "ban":
            return Verb.BAN
        if membership != "leave" or before in {Membership.INVITED, Membership.KNOCKING}:
            return None
        return Verb.UNBAN if before is Membership.BANNED else Verb.REMOVE

    async def run(self) -> None:
        """Write down what was seen, until cancelled."""
        while True:
            verb, nudge = await self._waiting.get()
            try:
                await self._note(verb, nudge)
            except HavenError as error:
                log.warning("what was done by hand could not be written down: %s", error)
            except Exception as error:
                reference_of(log, error, "writing down what was done by hand")

    async def _note(self, verb: Verb, nudge: Nudge) -> None:
        event, community = nudge.event, await self.communities.of_room(nudge.room)
        if community is None or community.space != nudge.room:
            return
        reason = event.content.get("reason")
        why = reason[:300] if isinstance(reason, str) else ""
        deed = Deed(
            event.event,
            community.space,
            event.sender,
            f"person_{verb}",
            Door.BY_HAND,
            event.at,
            {"whom": event.key},
            why,
        )
        await self.audit.keep(deed)
        if verb is Verb.UNBAN:
            people = (UserId(event.key),)
            await self.pardon(community.space, people, event.sender, door=Door.BY_HAND, deed=event.event)

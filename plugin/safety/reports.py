"""Reports: what members flag becomes one card a message in the admins' room, and nobody learns who flagged it.

Of a message only its link is kept; of those who report it only a digest, so that each counts once.
"""

import logging
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from haven.errors import HavenError, Invalid, Missing, TryLater
from haven.ids import EventId, RoomId, UserId
from haven.model import Community, Group, Kind
from haven.snapshot import Membership

from ..cards import Card, Cards
from ..events import Posted, Reaction
from ..homeserver_messages import Messenger
from ..service.communities import Communities
from ..timers import Timer, Timers
from .reporters import Reporters

log = logging.getLogger("haven.reports")

REPORT = "report"
"""The kind of the cards of reports, and of the timers that finish what a crash interrupted."""

SECOND_LOOK = 30_000
"""Milliseconds after which a report is dealt with that could not be at once."""

FROM_SERVER = "server."
"""How reports are named that stand in no room: ids of events begin otherwise."""

REASONS = 5
"""How many reasons a card shows."""

REASON_LIMIT = 300
"""Characters of one reason."""

AT_MOST = 20
"""How many reports of one person are taken within `WINDOW`."""

WINDOW = 3_600_000
"""Milliseconds."""


@dataclass(frozen=True, slots=True)
class Report:
    """One report. ``by``: a digest of who reported it; ``command``: the event by which they did, which is taken out."""

    room: RoomId
    message: EventId
    author: UserId
    by: str
    command: EventId
    reason: str = ""


@dataclass(slots=True)
class Reports:
    """Takes reports and brings them before the admins."""

    communities: Communities
    messages: Messenger
    cards: Cards
    timers: Timers
    reporters: Reporters
    _recent: dict[str, deque[int]] = field(default_factory=lambda: defaultdict(deque))

    def __post_init__(self) -> None:
        self.timers.rings[REPORT] = self._again

    async def flagged(self, reaction: Reaction) -> None:
        """Somebody has put a flag under a message. Raises nothing that was foreseen: nobody waits for an answer."""
        try:
            place = await self._place(reaction.room)
            if place is not None and self._is_there(reaction.room, reaction.sender):
                await self.take(reaction.room, reaction.target, reaction.sender, reaction.event)
        except HavenError as error:
            log.info("a flag could not be taken: %s", error)

    async def take(
        self, room: RoomId, event: EventId, who: UserId, command: EventId, reason: str = ""
    ) -> None:
        """Take a report, and what it was made by out of the room. Raises `Missing` where the message is gone, `Invalid` where
        somebody reports too much, `TryLater`; after that it is done later.
        """
        said = await self._original(room, event)
        by = await self.reporters.digest(room, who)
        if said is None or not self._is_bearable(by):
            await self._hide(room, command)
            raise Missing("report_gone") if said is None else Invalid("report_too_many")
        report = Report(room, said.event, said.sender, by, command, reason.strip()[:REASON_LIMIT])
        await self.timers.set(REPORT, command, self.timers.epoch() + SECOND_LOOK, _payload(report))
        await self._bring(report)
        await self.timers.cancel(REPORT, command)

    async def take_from_server(
        self, room: RoomId, event: EventId, who: UserId, report: str, reason: str
    ) -> None:
        """Take what the homeserver tells was reported, if it stands in one of our rooms. ``report``: names it. Raises as `take`."""
        if who != self.communities.loop.actors.bot and await self._place(room) is not None:
            await self.take(room, event, who, EventId(f"{FROM_SERVER}{report}"), reason)

    async def _original(self, room: RoomId, event: EventId) -> Posted | None:
        """The message that is meant: of an edit, what it replaces."""
        said = await self.messages.posted(room, event)
        return await self.messages.posted(room, said.edits) if said is not None and said.edits else said

    def _is_bearable(self, by: str) -> bool:
        now, times = self.timers.epoch(), self._recent[by]
        while times and times[0] < now - WINDOW:
            times.popleft()
        times.append(now)
        return len(times) <= AT_MOST

    async def _bring(self, report: Report) -> None:
        await self._hide(report.room, report.command)
        place = await self._place(report.room)
        if place is None:
            return
        community, _ = place
        payload = {"room": report.room, "event": report.message, "author": report.author}
        key = f"{report.room} {report.message}"
        own = {"by": report.by, "reasons": _reason(report)}
        card = await self.cards.deal(REPORT, community.space, key, {**payload, **own})
        after = _counted(card, report)
        if after != card.payload:
            await self.cards.revise(card, after)

    async def _hide(self, room: RoomId, command: EventId) -> None:
        """Take out what a report was made by, so that the author does not see who did. Where we may not, it is made all the same."""
        if command.startswith(FROM_SERVER):
            return
        try:
            await self.messages.take_out(room, command, "", f"report.{command}")
        except TryLater:
            raise
        except HavenError as error:
            log.warning("what a report was made by could not be taken out: %s", error)

    async def _again(self, timer: Timer) -> None:
        said = timer.payload
        await self._bring(
            Report(
                RoomId(said["room"]),
                EventId(said["message"]),
                UserId(said["author"]),
                said["by"],
                EventId(timer.key),
                said["reason"],
            )
        )

    async def _place(self, room: RoomId) -> tuple[Community, Group] | None:
        """The community and the room of it where one can report: all but the admins' own."""
        community = await self.communities.of_room(room)
        group = community.group(room) if community else None
        return (community, group) if community and group and group.kind is not Kind.ADMINS else None

    def _is_there(self, room: RoomId, user: UserId) -> bool:
        seen = self.communities.rooms.world.get(room)
        return seen is not None and seen.members.get(user) is Membership.JOINED


def _payload(report: Report) -> Mapping[str, str]:
    return {
        "room": report.room,
        "message": report.message,
        "author": report.author,
        "by": report.by,
        "reason": report.reason,
    }


_NEXT, _BY = "\x1f", "\x1e"
"""Between two reasons, and between the digest of who gave one and the reason."""


def reporters(card: Card) -> tuple[str, ...]:
    """Digests of those who reported what a card is about, each once."""
    return tuple(card.payload["by"].split())


def reasons(card: Card) -> Sequence[str]:
    """Why they did, as far as they said so."""
    given = (each.rpartition(_BY)[2] for each in card.payload["reasons"].split(_NEXT))
    return list(dict.fromkeys(each for each in given if each))


def reason_of(card: Card, by: str) -> str:
    """Why somebody reported it, by their digest; "" where they did not say."""
    given = (each.partition(_BY) for each in card.payload["reasons"].split(_NEXT))
    return next((reason for digest, _, reason in given if digest == by), "")


def withdrawn(card: Card, by: str, nobody: str) -> Mapping[str, str]:
    """What a card knows when nobody shall find out any more that somebody reported it: it counts them, and not what they said.

    Reasons that were kept without a digest, by an earlier version, are taken for theirs.
    """
    given = [each for each in card.payload["reasons"].split(_NEXT) if _BY in each]
    kept = [each for each in given if not each.startswith(f"{by}{_BY}")]
    people = (nobody if each == by else each for each in reporters(card))
    return {**card.payload, "by": " ".join(people), "reasons": _NEXT.join(kept)}


def _reason(report: Report) -> str:
    return f"{report.by}{_BY}{report.reason}" if report.reason else ""


def _counted(card: Card, report: Report) -> Mapping[str, str]:
    """What a card knows after one more report."""
    by = dict.fromkeys((*reporters(card), report.by))
    before = [each for each in card.payload["reasons"].split(_NEXT) if each]
    new = [_reason(report)] if report.reason and report.reason not in reasons(card) else []
    return {**card.payload, "by": " ".join(by), "reasons": _NEXT.join((*before, *new)[:REASONS])}

"""What the bridge asks for in the admins' room (`haven.wishes`): groups that a linked network has or let go, and the word of the admins
for those who ask there.

Only the bridge is heard, only for a network that the whole community is linked to, and it gets no more than a member of staff would: the
limits of the community hold. Each question is answered by its event, so that it is answered once, whenever we die.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from haven.errors import GiveUp, Invalid, Missing
from haven.founding import WishedGroup
from haven.ids import EventId, RoomId
from haven.model import Community, Kind
from haven.permissions import Right
from haven.ports import StateEvent
from haven.texts import checked_description, checked_name
from haven.wishes import (
    ANSWER,
    ASKED,
    WISHED,
    Answered,
    Asking,
    Wish,
    answer_content,
    read_answer,
    read_asked,
)

from ..audit import Audit, Deed
from ..cards import Card, Cards, Word
from ..rights import require
from ..store import now_ms
from ..wording import Line, Term, Value, line, person, strong
from .communities import Communities
from .jobs import Jobs
from .work import Report

log = logging.getLogger("haven.wishes")

KIND = "wish"
APPROVE, REJECT = "approve", "reject"
_RIGHTS: Mapping[str, Right] = {Wish.JOIN: Right.APPROVE, Wish.SUGGESTION: Right.DECIDE_SUGGESTIONS}


@dataclass(frozen=True, slots=True)
class Wishes:
    """Implements `plugin.cards.Dealer`."""

    communities: Communities
    jobs: Jobs
    cards: Cards
    audit: Audit

    @property
    def choices(self) -> Mapping[str, str]:
        """See `plugin.cards.Dealer`."""
        return {"✅": APPROVE, "❌": REJECT}

    async def noticed(self, room: RoomId) -> None:
        """Something may have changed in a room: take what is asked there and not answered yet. Raises `TryLater`."""
        seen = self.communities.rooms.world.get(room)
        asked = [] if seen is None else self._from_bridge(seen.keyed(ASKED))
        if seen is None or not asked:  # nearly all rooms: no community is read for them
            return
        community = await self.communities.of_room(room)
        admins = community.only(Kind.ADMINS) if community else None
        if community is None or admins is None or admins.room != room:
            return
        await self._withdraw(community, {event.event for event in asked if event.content})
        for event in asked:
            answered = read_answer(seen.content(ANSWER, event.key))
            if answered is None or answered.to != event.event:
                await self._take(community, room, event)

    def _from_bridge(self, events: Sequence[StateEvent]) -> list[StateEvent]:
        return [event for event in events if event.sender == self.communities.loop.actors.bridge]

    async def _take(self, community: Community, room: RoomId, event: StateEvent) -> None:
        try:
            asked = read_asked(event.content)
        except Invalid as error:
            log.warning("what the bridge asks for cannot be read: %s", error)
            return
        if asked is None or all(link.network != asked.network for link in community.links):
            return
        if asked.wish in _RIGHTS:
            await self._deal(community, event, asked)
            return
        try:
            await self._do(community, room, event, asked)
        except GiveUp as error:
            await self._answer(room, event.key, Answered(event.event, yes=False, why=error.key))
            why = Term(f"error.{error.key}", dict(error.values))
            told = line("wish.refused", name=strong(asked.name), network=asked.network, why=why)
            await self._tell(community, room, told, event)
        else:
            await self._answer(room, event.key, Answered(event.event, yes=True))

    async def _do(self, community: Community, room: RoomId, event: StateEvent, asked: Asking) -> None:
        by = next(link.by for link in community.links if link.network == asked.network)
        if asked.wish is Wish.GROUP:
            wished = WishedGroup(checked_name(asked.name), topic=checked_description(asked.topic))
            slot = f"{WISHED}{event.key}"
            if any(group.slot == slot for group in community.groups):
                await self.communities.change(community.space, lambda now: _opened(now, slot))
                return
            report = Report(room, event.event, community.settings.language)
            await self.jobs.add_group(community.space, slot, wished, by, report)
            return
        group = community.group(asked.room) if asked.room else None
        if group is None or group.kind is not Kind.GROUP:
            raise Missing("group_gone")
        await self.communities.change(community.space, lambda now: _archived(now, group.room))
        told = line("wish.archived", name=strong(group.name), network=asked.network)
        await self._tell(community, room, told, event)

    async def _deal(self, community: Community, event: StateEvent, asked: Asking) -> None:
        """Put it before the admins."""
        about = {"wish": str(asked.wish), "network": asked.network, "name": asked.name, "topic": asked.topic}
        group = community.group(asked.room) if asked.room else None
        place = group.name if group else ""
        known = {**about, "suggester": asked.who, "place": place, "room": asked.room or ""}
        asked_by = {"event": event.event, "key": event.key}
        await self.cards.deal(KIND, community.space, event.event, {**known, **asked_by})

    async def _withdraw(self, community: Community, asked: set[EventId]) -> None:
        """Take back the cards of what is asked no more."""
        for card in await self.cards.open(KIND, community.space):
            if card.payload["event"] not in asked:
                await self.cards.withdraw(card, (_line("wish.gone", card),))

    async def _answer(self, room: RoomId, key: str, answered: Answered) -> None:
        await self.communities.loop.hands.send_state(room, ANSWER, key, answer_content(answered))

    async def _tell(self, community: Community, room: RoomId, told: Line, event: StateEvent) -> None:
        await self.cards.replies.tell(room, community.settings.language, (told,), f"wish.{event.event}")

    # --- cards ----------------------------------------------------------------------------------------------

    async def lines(self, card: Card) -> Sequence[Line]:
        """See `plugin.cards.Dealer`."""
        return (_line(_about(card), card), line("wish.how", id=card.id))

    async def decide(self, card: Card, word: Word) -> Sequence[Line]:
        """See `plugin.cards.Dealer`. The bridge carries the answer to the network."""
        community = await self.communities.fresh(card.space)
        group = community.group(RoomId(card.payload["room"]))
        require(self.communities.rooms.world, community, word.who, _RIGHTS[Wish(card.payload["wish"])], group)
        yes = word.choice == APPROVE
        await self._answer(card.room, card.payload["key"], Answered(EventId(card.payload["event"]), yes=yes))
        await self._record(community, card, word)
        return (_line("wish.yes" if yes else "wish.no", card, word),)

    async def _record(self, community: Community, card: Card, word: Word) -> None:
        what = "wish_yes" if word.choice == APPROVE else "wish_no"
        values = {"name": card.payload["name"], "network": card.payload["network"]}
        deed = Deed(f"wish.{card.id}", card.space, word.who, what, word.door, now_ms(), values, word.reason)
        await self.audit.record(community, deed)

    async def lapse(self, card: Card) -> Sequence[Line]:
        """See `plugin.cards.Dealer`. They wait for as long as the network waits."""
        return (_line("wish.gone", card),)


def _opened(community: Community, slot: str) -> Community:
    """A group that is asked for again is no archive any more."""
    closed = (group for group in community.groups if group.slot == slot and group.archived)
    return next((community.with_group(replace(group, archived=False)) for group in closed), community)


def _archived(community: Community, room: RoomId) -> Community:
    now = community.group(room)
    return community if now is None else community.with_group(replace(now, archived=True))


def listed(card: Card) -> Line:
    """What waits, in a list."""
    return _line(f"{_about(card)}_listed", card)


def _about(card: Card) -> str:
    if card.payload["wish"] == Wish.SUGGESTION:
        return "wish.suggestion"
    return "wish.join_group" if card.payload["place"] else "wish.join"


def _line(key: str, card: Card, word: Word | None = None) -> Line:
    names = ("name", "network", "suggester", "place")
    values: dict[str, Value] = {name: card.payload[name] for name in names}
    values |= {"id": card.id, "name": strong(card.payload["name"])}
    return Line(key, values if word is None else {**values, "by": person(word.who)})

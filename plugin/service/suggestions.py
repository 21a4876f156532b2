"""Groups that members suggest: put before the admins as cards, and made when one of them says yes."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from haven.errors import GiveUp, Invalid
from haven.founding import WishedGroup
from haven.ids import EventId, RoomId, UserId
from haven.model import Community, Kind
from haven.permissions import Right
from haven.texts import checked_description, checked_name
from haven.vacancies import refuse_taken

from ..audit import Audit, Deed
from ..cards import Card, Cards, Word
from ..events import Incoming
from ..rights import require
from ..store import now_ms
from ..wording import Line, line, person, strong
from .adoptions import KIND as ADOPTION
from .communities import Communities
from .jobs import Jobs
from .notes import Notes, Place
from .work import SUGGESTED, GroupJob, Report

log = logging.getLogger("haven.suggestions")

KIND = "suggestion"
APPROVE, REJECT = "approve", "reject"
AT_ONCE = 5
"""How many suggestions of one person may wait."""


@dataclass(frozen=True, slots=True)
class Suggestions:
    """Implements `plugin.cards.Dealer`."""

    communities: Communities
    jobs: Jobs
    cards: Cards
    audit: Audit

    @property
    def choices(self) -> Mapping[str, str]:
        """See `plugin.cards.Dealer`."""
        return {"✅": APPROVE, "❌": REJECT}

    async def suggest(self, community: Community, message: Incoming, name: str, topic: str) -> Card:
        """Put a group before the admins. The same command again is the same suggestion.

        Raises `Invalid` where there is such a group, where it waits already, and where somebody's suggestions are enough.
        """
        wished = WishedGroup(checked_name(name), topic=checked_description(topic))
        refuse_taken(community, wished.name, message.sender)
        waiting = await self.waiting(community)
        for card in waiting:
            if card.key == wished.name.casefold() and card.payload["event"] != message.event:
                raise Invalid("suggested_already", name=wished.name, id=card.id)
        await self.check_few(community, message)
        about = {"who": message.sender, "name": wished.name, "topic": wished.topic}
        asked = {"room": message.room, "event": message.event}
        return await self.cards.deal(KIND, community.space, wished.name.casefold(), {**about, **asked})

    async def check_few(self, community: Community, message: Incoming) -> None:
        """Raise `Invalid` where as many suggestions of somebody wait as may, rooms to adopt among them, that of this message left out."""
        cards = [*await self.waiting(community), *await self.cards.open(ADOPTION, community.space)]
        others = (card.payload for card in cards if card.payload.get("event") != message.event)
        if sum(payload["who"] == message.sender for payload in others) >= AT_ONCE:
            raise Invalid("suggested_enough", limit=AT_ONCE)

    async def waiting(self, community: Community) -> tuple[Card, ...]:
        """What waits for a word, the oldest first."""
        return await self.cards.open(KIND, community.space)

    async def withdraw(self, community: Community, card: str, who: UserId) -> Card:
        """Take back a suggestion of one's own. Raises `Invalid` where there is none that waits."""
        for each in await self.waiting(community):
            if each.id == card.strip().casefold() and each.payload["who"] == who:
                await self.cards.withdraw(each, (_line("suggestion.withdrawn", each),))
                return each
        raise Invalid("suggestion_unknown", id=card[:100])

    async def approve_all(self, community: Community, word: Word) -> tuple[int, int]:
        """Say yes to all that waits, as far as the community may have more groups; gives how many were, and how many wait on."""
        waiting, room = await self.waiting(community), await self._room(community)
        approved = 0
        for card in waiting[:room]:
            try:
                await self.cards.decide(card, word)
            except Invalid as error:
                log.info("a suggestion waits on: %s", error)
            else:
                approved += 1
        return approved, len(waiting) - approved

    async def _room(self, community: Community) -> int:
        """How many groups more there may be, those that are being made counted."""
        slots = {group.slot for group in community.groups}
        making = [job.work for job in await self.jobs.store.open_jobs()]
        begun = [work for work in making if isinstance(work, GroupJob) and work.space == community.space]
        more = sum(work.slot not in slots for work in begun)
        groups = sum(group.kind is Kind.GROUP for group in community.groups)
        return max(0, community.settings.group_limit - groups - more)

    async def lines(self, card: Card) -> Sequence[Line]:
        """See `plugin.cards.Dealer`."""
        about = _line("suggestion.about" if card.payload["topic"] else "suggestion.card", card)
        return (about, line("suggestion.how", id=card.id))

    async def decide(self, card: Card, word: Word) -> Sequence[Line]:
        """See `plugin.cards.Dealer`."""
        community = await self.communities.fresh(card.space)
        require(self.communities.rooms.world, community, word.who, Right.DECIDE_SUGGESTIONS)
        if word.choice == APPROVE:
            await self._make(card, word)
        told = _decided(card, word)
        await self._record(community, card, word)
        await self._tell(community, card, word)
        return (told,)

    async def lapse(self, card: Card) -> Sequence[Line]:
        """See `plugin.cards.Dealer`. Suggestions wait for as long as it takes."""
        return (_line("suggestion.withdrawn", card),)

    async def _make(self, card: Card, word: Word) -> None:
        """Have the group made; how it goes is told beneath the card."""
        community = await self.communities.fresh(card.space)
        wished = WishedGroup(card.payload["name"], topic=card.payload["topic"])
        report = Report(card.room, card.event or word.event, community.settings.language)
        by = UserId(card.payload["who"])
        await self.jobs.add_group(card.space, f"{SUGGESTED}{card.id}", wished, by, report)

    async def _record(self, community: Community, card: Card, word: Word) -> None:
        what = "suggestion_approved" if word.choice == APPROVE else "suggestion_rejected"
        values = {"name": card.payload["name"], "whom": card.payload["who"]}
        deed = f"{word.event}.{card.id}"
        await self.audit.record(
            community, Deed(deed, card.space, word.who, what, word.door, now_ms(), values, word.reason)
        )

    async def _tell(self, community: Community, card: Card, word: Word) -> None:
        """Tell who suggested it, unless it is they who decide."""
        who = UserId(card.payload["who"])
        if who == word.who:
            return
        place = Place(RoomId(card.payload["room"]), EventId(card.payload["event"]))
        notes = Notes(self.communities, self.cards.replies)
        told = (_answer(card, word),)
        try:
            await notes.give(who, community.settings.language, told, place, f"suggestion.{card.id}")
        except GiveUp as error:
            log.info("who suggested a group could not be told: %s", error)


def _line(key: str, card: Card) -> Line:
    payload = card.payload
    who = person(UserId(payload["who"]))
    topic = payload.get("topic", "")
    return Line(key, {"who": who, "name": strong(payload["name"]), "topic": topic, "id": card.id})


def _decided(card: Card, word: Word) -> Line:
    """What the card says from now on."""
    if word.choice == APPROVE:
        key = "suggestion.approved"
    else:
        key = "suggestion.rejected_why" if word.reason else "suggestion.rejected"
    values = {**_line(key, card).values, "by": person(word.who), "reason": word.reason}
    return Line(key, values)


def _answer(card: Card, word: Word) -> Line:
    """What the person is told who suggested it."""
    if word.choice == APPROVE:
        key = "suggestion.yes"
    else:
        key = "suggestion.no_why" if word.reason else "suggestion.no"
    return Line(key, {"name": strong(card.payload["name"]), "reason": word.reason})


def listed(card: Card) -> Line:
    """A suggestion in a list."""
    return _line("suggestion.listed", card)

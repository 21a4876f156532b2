"""Cards: messages in the admins' room that wait for somebody's word, given by reaction or by command.

A card is stored before it is shown, and shown under a transaction id made of its own id, so that a crash neither loses nor
doubles it. What a card means is its dealer's affair: it words the card, judges who may decide, and does what was decided.
"""

import asyncio
import logging
import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from haven.errors import GiveUp, HavenError, Invalid, Missing
from haven.ids import EventId, RoomId, UserId
from haven.model import Kind

from .audit import Door
from .replies import Replies
from .service.communities import Communities
from .timers import Timer, Timers
from .wording import Line, of_error

log = logging.getLogger("haven.cards")

LAPSE = "card"
"""The kind of the timers of cards."""

SHUT = "lapsed"
"""What stands as decided where nobody did in time, or the question has gone."""

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class Card:
    """One question to the admins.

    ``id``: short, shown to people. ``key``: what it is about; at most one open card of a kind and key in a community.
    ``payload``: what the dealer needs to know. ``room`` and ``event``: where it is shown, ``event`` "" until it is.
    ``expires``: ms since the epoch, 0 for never. ``decided``: the choice that was made, "" while it is open.
    """

    id: str
    kind: str
    space: RoomId
    key: str
    payload: Mapping[str, str]
    room: RoomId
    event: EventId = EventId("")
    expires: int = 0
    decided: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody says to a card. ``event``: of the reaction or the command, which names the deed in the audit log."""

    choice: str
    who: UserId
    door: Door
    event: EventId
    reason: str = ""


class Dealer(Protocol):
    """Whose cards those of one kind are."""

    @property
    def choices(self) -> Mapping[str, str]:
        """What a reaction means: an emoji, and the choice it stands for, in the order they are offered."""

    async def lines(self, card: Card) -> Sequence[Line]:
        """What the open card says."""

    async def decide(self, card: Card, word: Word) -> Sequence[Line]:
        """Do what was decided; gives what the card says from now on.

        Doing it twice must be doing it once: after a crash it may be asked for again. Raises `NotAllowed` where the person lacks
        the right, and other errors where it cannot be done: the card stays open.
        """

    async def lapse(self, card: Card) -> Sequence[Line]:
        """Nobody has decided in time; gives what the card says from now on."""


class KeepsCards(Protocol):
    """Where cards outlive us. Implemented by `plugin.store_cards.CardStore`."""

    async def add_card(self, card: Card) -> Card:
        """Store a card; gives the open card of the same kind, space and key where there is one already."""

    async def set_card(self, card: Card) -> None:
        """Store where a card is shown, or what was decided."""

    async def card_at(self, room: RoomId, event: EventId) -> Card | None:
        """The card that is shown by an event."""

    async def card(self, card: str) -> Card | None:
        """A card by its id."""

    async def open_cards(self, kind: str = "", space: RoomId | None = None) -> tuple[Card, ...]:
        """The cards that are open, of one kind and one community where told so, the oldest first."""


@dataclass(slots=True)
class Cards:
    """All cards of this bot. ``dealers``: by kind; more may be added before anything runs."""

    store: KeepsCards
    communities: Communities
    replies: Replies
    timers: Timers
    dealers: dict[str, Dealer] = field(default_factory=dict)
    _locks: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    def __post_init__(self) -> None:
        self.timers.rings[LAPSE] = self._lapsed

    async def deal(
        self, kind: str, space: RoomId, key: str, payload: Mapping[str, str], expires: int = 0
    ) -> Card:
        """Put a question to the admins, unless it is before them already. Raises `Missing` where there is no admins' room, `TryLater`."""
        community = (await self.communities.intent()).communities.get(space)
        admins = community.only(Kind.ADMINS) if community else None
        if admins is None:
            raise Missing("community_missing")
        new = Card(_new_id(), kind, space, key, dict(payload), admins.room, expires=expires)
        card = await self.store.add_card(new)
        if expires:
            await self.timers.set(LAPSE, card.id, expires)
        return await self._shown(card)

    async def resume(self) -> None:
        """Show what an earlier life had no time to show."""
        for card in await self.store.open_cards():
            try:
                await self._shown(card)
            except HavenError as error:
                log.warning("a card could not be shown: %s", error)

    async def open(self, kind: str, space: RoomId) -> tuple[Card, ...]:
        """What waits for a word, the oldest first."""
        return await self.store.open_cards(kind, space)

    async def reacted(self, room: RoomId, event: EventId, emoji: str, who: UserId, reaction: EventId) -> None:
        """Somebody has reacted to an event; nothing happens where it is no open card or the emoji no choice."""
        card = await self.store.card_at(room, event)
        dealer = self.dealers.get(card.kind) if card else None
        if card is None or dealer is None or card.decided:
            return
        choice = dealer.choices.get(emoji.replace("\ufe0f", ""))
        if choice is None:
            return
        try:
            await self.decide(card, Word(choice, who, Door.REACTION, reaction))
        except HavenError as error:
            language = await self._language(card)
            await self.replies.tell(room, language, (of_error(error),), f"card.{card.id}.{reaction}")

    async def decide(self, card: Card, word: Word) -> Sequence[Line]:
        """Have a card decided; gives what it says from now on. Raises `Invalid` where it was decided before, and as `Dealer.decide`."""
        async with self._locks[card.id]:
            now = await self.store.card(card.id)
            if now is None or now.decided:
                raise Invalid("card_decided", id=card.id)
            said = await self.dealers[card.kind].decide(now, word)
            await self._end(now, word.choice, said)
            return said

    async def withdraw(self, card: Card, said: Sequence[Line]) -> None:
        """The question has gone: say so on the card."""
        async with self._locks[card.id]:
            now = await self.store.card(card.id)
            if now is not None and not now.decided:
                await self._end(now, SHUT, said)

    async def _lapsed(self, timer: Timer) -> None:
        async with self._locks[timer.key]:
            card = await self.store.card(timer.key)
            if card is not None and not card.decided:
                await self._end(card, SHUT, await self.dealers[card.kind].lapse(card))

    async def _end(self, card: Card, choice: str, said: Sequence[Line]) -> None:
        await self.store.set_card(replace(card, decided=choice))
        await self.timers.cancel(LAPSE, card.id)
        self._locks.pop(card.id, None)
        if card.event:
            words = self.replies.wording(await self._language(card)).words(said)
            try:
                await self.replies.messages.edit(
                    card.room, card.event, words, transaction=f"card.{card.id}.end"
                )
            except HavenError as error:
                log.info("a decided card could not be edited: %s", error)

    async def _shown(self, card: Card) -> Card:
        if card.event or card.kind not in self.dealers:
            return card
        dealer = self.dealers[card.kind]
        said = await dealer.lines(card)
        event = await self.replies.tell(card.room, await self._language(card), said, f"card.{card.id}")
        shown = replace(card, event=event)
        await self.store.set_card(shown)
        for number, emoji in enumerate(dealer.choices):
            await self._offer(shown, emoji, f"card.{card.id}.{number}")
        return shown

    async def _offer(self, card: Card, emoji: str, transaction: str) -> None:
        try:
            await self.replies.messages.react(card.room, card.event, emoji, transaction=transaction)
        except GiveUp as error:
            log.info("a choice could not be offered: %s", error)

    async def _language(self, card: Card) -> str:
        community = (await self.communities.intent()).communities.get(card.space)
        return community.settings.language if community else ""


def _new_id() -> str:
    """Six letters and digits that are not mistaken for each other."""
    return "".join(secrets.choice(_LETTERS) for _ in range(6))

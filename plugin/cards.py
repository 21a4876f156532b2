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

from haven.errors import HavenError, Invalid, Missing, NotAllowed
from haven.ids import EventId, RoomId, UserId
from haven.model import Kind

from .audit import Door
from .events import Reaction
from .homeserver_messages import Words
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
        """Store where a card is shown, what it knows, or what was decided."""

    async def card_at(self, room: RoomId, event: EventId) -> Card | None:
        """The card that is shown by an event."""

    async def card(self, card: str) -> Card | None:
        """A card by its id."""

    async def was_asked(self, kind: str, space: RoomId, key: str) -> bool:
        """Whether there ever was a card of this kind, space and key."""

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
        return await self.put(Card(new_id(), kind, space, key, dict(payload), admins.room, expires=expires))

    async def put(self, new: Card) -> Card:
        """As `deal`, a card in a room that the caller knows to be the admins': the community itself may not be readable."""
        card = await self.store.add_card(new)
        if card.id == new.id and new.expires:
            await self.timers.set(LAPSE, card.id, new.expires)
        shown = await self._shown(card)
        if not card.event:
            await self._offered(shown)
        return shown

    async def resume(self) -> None:
        """Show what an earlier life had no time to show, and take the reactions that came while nobody was there."""
        for card in await self.store.open_cards():
            try:
                await self._taken_up(card)
            except HavenError as error:
                log.warning("a card could not be taken up again: %s", error)

    async def _taken_up(self, card: Card) -> None:
        if card.expires:
            await self.timers.set(LAPSE, card.id, card.expires)
        shown = await self._shown(card)
        if shown.event and not shown.decided:
            await self._offered(shown)
            for one in await self.replies.messages.reactions(shown.room, shown.event):
                await self._taken(shown, one, late=True)

    async def open(self, kind: str, space: RoomId | None) -> tuple[Card, ...]:
        """What waits for a word, in one community or in all, the oldest first."""
        return await self.store.open_cards(kind, space)

    async def reacted(self, reaction: Reaction) -> None:
        """Somebody has reacted to an event; nothing happens where it is no open card or the emoji no choice."""
        card = await self.store.card_at(reaction.room, reaction.target)
        if card is not None and not card.decided:
            await self._taken(card, reaction, late=False)

    async def _taken(self, card: Card, reaction: Reaction, *, late: bool) -> None:
        """Take a reaction as a word. ``late``: found afterwards; who lacks the right has been told, or will not wait for it."""
        dealer = self.dealers.get(card.kind)
        choice = dealer.choices.get(reaction.emoji.replace("\ufe0f", "")) if dealer else None
        if choice is None:
            return
        try:
            await self.decide(card, Word(choice, reaction.sender, Door.REACTION, reaction.event))
        except HavenError as error:
            decided_meanwhile = isinstance(error, Invalid) and error.key == "card_decided"
            if not decided_meanwhile and not (late and isinstance(error, NotAllowed)):
                await self._refused(card, reaction.event, error)

    async def _refused(self, card: Card, reaction: EventId, error: HavenError) -> None:
        try:
            language = await self._language(card)
            await self.replies.tell(card.room, language, (of_error(error),), f"card.{card.id}.{reaction}")
        except HavenError as trouble:
            log.warning("it could not be told why a reaction was of no use: %s", trouble)

    async def decide(self, card: Card, word: Word) -> Sequence[Line]:
        """Have a card decided; gives what it says from now on. Raises `Invalid` where it was decided before, and as `Dealer.decide`."""
        async with self._locks[card.id]:
            now = await self.store.card(card.id)
            if now is None or now.decided:
                raise Invalid("card_decided", id=card.id)
            said = await self.dealers[card.kind].decide(now, word)
            await self._end(now, word.choice, said)
            return said

    async def revise(self, card: Card, payload: Mapping[str, str]) -> None:
        """The question has changed while it was open: keep what its dealer knows now, and show it. Raises `TryLater`."""
        async with self._locks[card.id]:
            now = await self.store.card(card.id)
            if now is None or now.decided:
                return
            revised = replace(now, payload=dict(payload))
            await self.store.set_card(revised)
            if revised.event:
                said = await self.dealers[card.kind].lines(revised)
                await self.replies.change(revised.room, revised.event, await self._language(revised), said)

    async def withdraw(self, card: Card, said: Sequence[Line]) -> None:
        """The question has gone: say so on the card."""
        async with self._locks[card.id]:
            now = await self.store.card(card.id)
            if now is not None and not now.decided:
                await self._end(now, SHUT, said)

    async def lapse(self, card: str) -> None:
        """Nobody will decide it: an open card ends as if its time were over. Raises `TryLater`."""
        async with self._locks[card]:
            now = await self.store.card(card)
            dealer = self.dealers.get(now.kind) if now else None
            if now is not None and dealer is not None and not now.decided:
                await self._end(now, SHUT, await dealer.lapse(now))

    async def _lapsed(self, timer: Timer) -> None:
        await self.lapse(timer.key)

    async def _end(self, card: Card, choice: str, said: Sequence[Line]) -> None:
        """Say it, then store it: after a crash between the two it is asked for, and done, once more.

        Of what is decided nothing is kept but what it was about.
        """
        if card.event:
            words = self.replies.wording(await self._language(card)).words(said)
            await self._edited(card, words)
        await self.store.set_card(replace(card, decided=choice, payload={}))
        await self.timers.cancel(LAPSE, card.id)
        self._locks.pop(card.id, None)

    async def _edited(self, card: Card, words: Words) -> None:
        edit, transaction = self.replies.messages.edit, f"card.{card.id}.end"
        try:
            await self.replies.patiently(lambda: edit(card.room, card.event, words, transaction=transaction))
        except HavenError as error:
            log.info("a decided card could not be edited: %s", error)

    async def _shown(self, card: Card) -> Card:
        """The card once people can see it."""
        async with self._locks[card.id]:
            now = await self.store.card(card.id) or card
            dealer = self.dealers.get(now.kind)
            if dealer is None or now.decided:
                return now
            if not now.event:
                said = await dealer.lines(now)
                event = await self.replies.tell(now.room, await self._language(now), said, f"card.{now.id}")
                now = replace(now, event=event)
                await self.store.set_card(now)
        return now

    async def _offered(self, card: Card) -> None:
        """Put the choices beneath a card, for people to press."""
        dealer = self.dealers.get(card.kind)
        for number, emoji in enumerate(dealer.choices if dealer else ()):
            await self._offer(card, emoji, f"card.{card.id}.{number}")

    async def _offer(self, card: Card, emoji: str, transaction: str) -> None:
        try:
            react = self.replies.messages.react
            await self.replies.patiently(lambda: react(card.room, card.event, emoji, transaction=transaction))
        except HavenError as error:
            log.info("a choice could not be offered: %s", error)

    async def _language(self, card: Card) -> str:
        community = (await self.communities.intent()).communities.get(card.space)
        return community.settings.language if community else ""


def new_id() -> str:
    """Six letters and digits that are not mistaken for each other."""
    return "".join(secrets.choice(_LETTERS) for _ in range(6))

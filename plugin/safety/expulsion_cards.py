"""The cards that ask whether many people shall really be removed or banned at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from haven.ids import UserId
from haven.reconcile import Outcome

from ..cards import Card, Word
from ..outcomes import troubles
from ..rights import require
from ..service.communities import Communities
from ..wording import Line, Term, head, item, line, person
from .expulsions import RIGHTS, Expulsions, Verb, Wish

EXPULSION = "expulsion"
"""The kind of these cards."""

APPROVE, REJECT = "approve", "reject"

MANY = 10
"""More people than this at once need a second word."""

MOST = 100
"""More people than this are not acted upon by one command."""

SHOWN = 30
"""How many people a card or an answer names."""


@dataclass(frozen=True, slots=True)
class ExpulsionCards:
    """Implements `plugin.cards.Dealer`."""

    communities: Communities
    expulsions: Expulsions

    @property
    def choices(self) -> Mapping[str, str]:
        """See `plugin.cards.Dealer`."""
        return {"\N{WHITE HEAVY CHECK MARK}": APPROVE, "\N{CROSS MARK}": REJECT}

    async def lines(self, card: Card) -> Sequence[Line]:
        """See `plugin.cards.Dealer`."""
        return (*self._about(card), line("people.confirm"))

    def _about(self, card: Card) -> tuple[Line, ...]:
        people, reason = _people(card), card.payload["reason"]
        asked = head(
            f"people.asked_{card.payload['verb']}", n=len(people), by=person(UserId(card.payload["by"]))
        )
        why = (line("people.reason", reason=reason),) if reason else ()
        invite = card.payload.get("invite", "")
        by_invite = (line("people.came_by", name=invite),) if invite else ()
        return (asked, *by_invite, *named(people), *why)

    async def decide(self, card: Card, word: Word) -> Sequence[Line]:
        """See `plugin.cards.Dealer`. Who decides needs the right themselves, over everybody on the card."""
        verb = Verb(card.payload["verb"])
        by = Term("people.decided_by", {"who": person(word.who)})
        if word.choice == REJECT:
            community = await self.communities.fresh(card.space)
            require(self.communities.rooms.world, community, word.who, RIGHTS[verb])
            return (*self._about(card), line("people.cancelled", by=by))
        wish = await self._wish(card, verb, word)
        outcome = await self.expulsions.carry_out(card.space, wish)
        return (*told(wish, outcome), line("people.confirmed", by=by))

    async def _wish(self, card: Card, verb: Verb, word: Word) -> Wish:
        """What is wished by now: of those who came by an invite, only those who have no role by now."""
        people, invite = _people(card), card.payload.get("invite", "")
        if invite:
            community = await self.communities.fresh(card.space)
            spares = self.expulsions.spares
            people = tuple(who for who in people if not spares(community, word.who, who))
        return Wish(verb, people, word.who, word.door, word.event, card.payload["reason"], True, invite)

    async def lapse(self, card: Card) -> Sequence[Line]:
        """See `plugin.cards.Dealer`."""
        return (*self._about(card), line("people.lapsed"))


def _people(card: Card) -> tuple[UserId, ...]:
    return tuple(UserId(each) for each in card.payload["people"].split())


def named(people: Sequence[UserId]) -> tuple[Line, ...]:
    """People, one a line."""
    more = (line("people.more", n=len(people) - SHOWN),) if len(people) > SHOWN else ()
    return (*(item("people.one", who=person(who)) for who in people[:SHOWN]), *more)


def told(wish: Wish, outcome: Outcome) -> tuple[Line, ...]:
    """What came of a wish."""
    rooms = Term("people.rooms", {"n": len({change.room for change in outcome.done})})
    if len(wish.people) == 1:
        return (line(f"people.done_{wish.verb}", who=person(wish.people[0]), rooms=rooms), *troubles(outcome))
    done = head(f"people.done_{wish.verb}_all", n=len(wish.people))
    return (done, *named(wish.people), *troubles(outcome))

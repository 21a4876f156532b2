"""The cards about people whom a ban list names and who are left to the admins: those with a role, and many at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from haven.errors import NotAllowed
from haven.ids import UserId
from haven.model import Community
from haven.permissions import Right, act_refusal

from ..cards import Card, Word
from ..outcomes import troubles
from ..rights import require
from ..service.communities import Communities
from ..wording import Line, Term, head, item, line, person
from .expulsion_cards import SHOWN
from .list_watch import STAFF, Act, ListWatch, people_on
from .lists import Lists

BAN, SPARE = "approve", "reject"


@dataclass(frozen=True, slots=True)
class ListCards:
    """Implements `plugin.cards.Dealer`."""

    communities: Communities
    lists: Lists
    watch: ListWatch

    @property
    def choices(self) -> Mapping[str, str]:
        """See `plugin.cards.Dealer`."""
        return {"\N{WHITE HEAVY CHECK MARK}": BAN, "\N{CROSS MARK}": SPARE}

    async def lines(self, card: Card) -> Sequence[Line]:
        """See `plugin.cards.Dealer`."""
        return (*_about(card), line("listed.how"))

    async def decide(self, card: Card, word: Word) -> Sequence[Line]:
        """See `plugin.cards.Dealer`. Who decides needs the right to ban, and to act on each of them: nobody bans the owner or the bot."""
        community = await self.communities.fresh(card.space)
        require(self.communities.rooms.world, community, word.who, Right.BAN)
        by = Term("people.decided_by", {"who": person(word.who)})
        if word.choice == SPARE:
            people = people_on(card)
            await self.lists.pardon(
                card.space, people, word.who, door=word.door, deed=f"{card.id}.{word.event}"
            )
            self.communities.unfinished(card.space)
            return (*_about(card), line("listed.spared", by=by))
        world = self.communities.rooms.world
        law = await self.lists.law(card.space, world)
        named = {who: rule for who in people_on(card) if (rule := law.on(who)) is not None}
        bans = {
            who: law.reason(rule) for who, rule in named.items() if self._may(community, word.who, who, card)
        }
        act = Act(f"{card.id}.{word.event}", bans, frozenset(), word.who, word.door, chosen=True)
        outcome = await self.watch.carry_out(card.space, act)
        return (*_about(card), line("listed.banned", n=len(bans), by=by), *troubles(outcome))

    def _may(self, community: Community, actor: UserId, who: UserId, card: Card) -> bool:
        """Whether somebody may ban somebody. Raises `NotAllowed` where the card is about nobody else."""
        actors = self.communities.loop.actors
        bots = {actors.bot, *({actors.bridge} if actors.bridge else ())}
        refusal = act_refusal(community, actor, who, bots)
        if refusal is not None and card.payload["why"] == STAFF:
            raise NotAllowed(refusal.value, who=who, role=community.role_of(who))
        return refusal is None

    async def lapse(self, card: Card) -> Sequence[Line]:
        """See `plugin.cards.Dealer`: no list names them any more, or they are banned already."""
        return (*_about(card), line("listed.gone"))


def _about(card: Card) -> tuple[Line, ...]:
    people, reasons = people_on(card), card.payload["reasons"].split("\x1f")
    key = "listed.staff" if card.payload["why"] == STAFF else "listed.crowd"
    named = [
        item("listed.one", who=person(who), why=why) if why else item("people.one", who=person(who))
        for who, why in list(zip(people, reasons, strict=False))[:SHOWN]
    ]
    more = (line("people.more", n=len(people) - SHOWN),) if len(people) > SHOWN else ()
    return (head(key, n=len(people)), *named, *more)

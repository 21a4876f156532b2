"""Handing a community over: the owner names an admin, who accepts it on a card in the admins' room."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from haven.errors import Invalid, NotAllowed
from haven.ids import UserId
from haven.model import Community, Role
from haven.permissions import handover_refusal

from ..audit import Audit, Deed
from ..cards import Card, Cards, Word
from ..rights import is_member
from ..store import now_ms
from ..wording import Line, code, line, person
from .communities import Communities

KIND = "transfer"
APPROVE, REJECT = "approve", "reject"
WEEK = 7 * 24 * 3_600_000
"""Milliseconds in which it can be accepted."""


@dataclass(frozen=True, slots=True)
class Transfers:
    """Implements `plugin.cards.Dealer`."""

    communities: Communities
    cards: Cards
    audit: Audit

    @property
    def choices(self) -> Mapping[str, str]:
        """See `plugin.cards.Dealer`."""
        return {"✅": APPROVE, "❌": REJECT}

    async def offer(self, community: Community, owner: UserId, heir: UserId) -> Card:
        """Offer the community to an admin; what was offered to somebody else before is so no longer. Raises `Invalid`."""
        self.check(community, owner, heir)
        if community.role_of(heir) is not Role.ADMIN:
            raise Invalid("transfer_no_admin", who=heir)
        for card in await self.cards.open(KIND, community.space):
            if card.key != heir:
                await self.cards.withdraw(card, (_line("transfer.withdrawn", card),))
        about = {"owner": owner, "heir": heir}
        return await self.cards.deal(KIND, community.space, heir, about, now_ms() + WEEK)

    def check(self, community: Community, owner: UserId, heir: UserId) -> None:
        """Raise `NotAllowed` where ``owner`` may not name ``heir`` as who owns the community now, or later."""
        actors, world = self.communities.loop.actors, self.communities.rooms.world
        bots = [bot for bot in (actors.bot, actors.bridge) if bot is not None]
        member = is_member(world, community, heir)
        refusal = handover_refusal(community, owner, heir, member=member, bots=bots)
        if refusal is not None:
            raise NotAllowed(refusal.value, who=heir)

    async def lines(self, card: Card) -> Sequence[Line]:
        """See `plugin.cards.Dealer`."""
        how = line("transfer.how", approve=code(f"!c approve {card.id}"), reject=code(f"!c reject {card.id}"))
        return (_line("transfer.card", card), how)

    async def decide(self, card: Card, word: Word) -> Sequence[Line]:
        """See `plugin.cards.Dealer`. Only who is meant can accept it; the owner can take it back."""
        owner, heir = UserId(card.payload["owner"]), UserId(card.payload["heir"])
        if word.who != heir and not (word.choice == REJECT and word.who == owner):
            raise NotAllowed("transfer_not_yours", who=heir)
        if word.choice == REJECT:
            return (_line("transfer.withdrawn" if word.who == owner else "transfer.rejected", card),)
        await self.communities.change(
            card.space, lambda now: now.with_owner(heir), check=lambda now: self._still(now, owner, heir)
        )
        community = await self.communities.fresh(card.space)
        values = {"whom": str(owner)}
        deed = f"{word.event}.owner"
        done = Deed(deed, card.space, heir, "transferred", word.door, now_ms(), values)
        await self.audit.record(community, done)
        return (_line("transfer.done", card),)

    def _still(self, community: Community, owner: UserId, heir: UserId) -> None:
        if community.owner == heir:
            return
        if community.owner != owner:
            raise Invalid("transfer_stale")
        self.check(community, owner, heir)

    async def lapse(self, card: Card) -> Sequence[Line]:
        """See `plugin.cards.Dealer`."""
        return (_line("transfer.lapsed", card),)


def _line(key: str, card: Card) -> Line:
    owner, heir = UserId(card.payload["owner"]), UserId(card.payload["heir"])
    return Line(key, {"owner": person(owner), "heir": person(heir)})

"""Handing a community over: the owner names an admin, who accepts it on a card in the admins' room."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from haven.errors import Invalid, NotAllowed
from haven.ids import UserId
from haven.model import Community, Role

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


def handed_over(community: Community, heir: UserId) -> Community:
    """The community with another owner; the one before is an admin from then on. Twice is as good as once."""
    if community.owner == heir:
        return community
    before = community.owner
    return replace(community, owner=heir).with_role(heir, Role.MEMBER).with_role(before, Role.ADMIN)


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
        self._check(community, heir)
        for card in await self.cards.open(KIND, community.space):
            if card.key != heir:
                await self.cards.withdraw(card, (_line("transfer.withdrawn", card),))
        about = {"owner": owner, "heir": heir}
        return await self.cards.deal(KIND, community.space, heir, about, now_ms() + WEEK)

    def _check(self, community: Community, heir: UserId) -> None:
        if heir == community.owner:
            raise Invalid("transfer_own")
        admin = community.role_of(heir) is Role.ADMIN
        if not admin or not is_member(self.communities.rooms.world, community, heir):
            raise Invalid("transfer_no_admin", who=heir)

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
            card.space, lambda now: handed_over(now, heir), check=lambda now: self._still(now, owner, heir)
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
        self._check(community, heir)

    async def lapse(self, card: Card) -> Sequence[Line]:
        """See `plugin.cards.Dealer`."""
        return (_line("transfer.lapsed", card),)


def _line(key: str, card: Card) -> Line:
    owner, heir = UserId(card.payload["owner"]), UserId(card.payload["heir"])
    return Line(key, {"owner": person(owner), "heir": person(heir)})

"""The card that asks before a whole community moves into a new space: what would happen, and an admin's yes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from haven.ids import UserId
from haven.model import Community
from haven.permissions import Right
from haven.succession import KEPT_FOR, members

from ..cards import Card, Cards, Word
from ..durations import DAY, WEEK
from ..rights import require
from ..store import now_ms
from ..wording import Line, Value, head, item, line, person, strong
from .communities import Communities
from .jobs import Jobs
from .upgrades import Upgrades
from .work import Report, UpgradeJob

KIND = "upgrade"
APPROVE, REJECT = "approve", "reject"


@dataclass(frozen=True, slots=True)
class UpgradeCards:
    """Implements `plugin.cards.Dealer`."""

    communities: Communities
    jobs: Jobs
    cards: Cards
    upgrades: Upgrades

    @property
    def choices(self) -> Mapping[str, str]:
        """See `plugin.cards.Dealer`."""
        return {"✅": APPROVE, "❌": REJECT}

    async def propose(self, community: Community, version: str, who: UserId) -> Card:
        """Show the admins what upgrading the space means. Raises `Invalid` where it cannot be done."""
        wanted = await self.upgrades.checked(community, None, version)
        about = {"version": str(wanted), "who": str(who), "space": str(community.space)}
        return await self.cards.deal(KIND, community.space, wanted, about, now_ms() + WEEK)

    async def lines(self, card: Card) -> Sequence[Line]:
        """See `plugin.cards.Dealer`: the preview."""
        community = await self.communities.fresh(card.space)
        bots = {self.communities.loop.actors.bot, self.communities.loop.actors.bridge}
        people = members(self.communities.rooms.world, community) - bots
        return (
            _line("upgrade.card", card, community),
            head("upgrade.what"),
            item("upgrade.what_people", n=len(people)),
            item("upgrade.what_rooms", n=len(community.groups)),
            item("upgrade.what_kept", days=KEPT_FOR // DAY),
            item("upgrade.what_final"),
            line("upgrade.how", id=card.id),
        )

    async def decide(self, card: Card, word: Word) -> Sequence[Line]:
        """See `plugin.cards.Dealer`."""
        community = await self.communities.fresh(card.space)
        require(self.communities.rooms.world, community, word.who, Right.UPGRADE)
        if word.choice == REJECT:
            return (_line("upgrade.rejected", card, community, word.who),)
        if not self._is_done(community, card):
            await self._bring(community, card, word)
        return (_line("upgrade.confirmed", card, community, word.who),)

    def _is_done(self, community: Community, card: Card) -> bool:
        """Whether an earlier life has come so far already."""
        version = self.communities.rooms.world[community.space].version
        moved = community.space != card.payload["space"]
        return moved and version.isdecimal() and int(version) >= int(card.payload["version"])

    async def _bring(self, community: Community, card: Card, word: Word) -> None:
        version = await self.upgrades.checked(community, None, card.payload["version"])
        space, until = community.space, now_ms() + KEPT_FOR
        work = UpgradeJob(
            space, space, version, word.who, community.name, until, str(word.door), elsewhere=True
        )
        await self.jobs.bring(work, Report(card.room, word.event, community.settings.language))

    async def lapse(self, card: Card) -> Sequence[Line]:
        """See `plugin.cards.Dealer`."""
        return (_line("upgrade.lapsed", card, await self.communities.fresh(card.space)),)


def _line(key: str, card: Card, community: Community, by: UserId | None = None) -> Line:
    values: dict[str, Value] = {
        "name": strong(community.name),
        "who": person(UserId(card.payload["who"])),
        "version": card.payload["version"],
    }
    return Line(key, values if by is None else {**values, "by": person(by)})

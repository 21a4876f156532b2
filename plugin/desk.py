"""The admins' desk: what waits for a word, what has to happen at a time, and the log of what was done."""

from dataclasses import dataclass

from mautrix.util.async_db import Database

from .audit import Audit
from .cards import Cards
from .engine import Engine
from .events import Reaction
from .replies import Replies
from .store import now_ms
from .store_audit import AuditStore
from .store_cards import CardStore
from .store_timers import TimerStore
from .timers import Timers


@dataclass(frozen=True, slots=True)
class Desk:
    """Cards, timers and the audit log of one bot."""

    cards: Cards
    timers: Timers
    audit: Audit

    async def decide(self, reaction: Reaction) -> None:
        """Take a reaction as a word on the card it stands under, if there is one."""
        await self.cards.reacted(
            reaction.room, reaction.target, reaction.emoji, reaction.sender, reaction.event
        )


def open_desk(database: Database, engine: Engine, replies: Replies) -> Desk:
    """The desk over the plugin's database, working as long as the engine runs."""
    timers = Timers(TimerStore(database), engine.clock, now_ms)
    cards = Cards(CardStore(database), engine.communities, replies, timers)
    desk = Desk(cards, timers, Audit(AuditStore(database), replies))
    engine.decide = desk.decide
    engine.besides += (cards.resume, timers.run)
    return desk

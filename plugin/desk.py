"""The admins' desk: what waits for a word, what has to happen at a time, and the log of what was done."""

from dataclasses import dataclass

from mautrix.util.async_db import Database

from haven.model import Visibility
from haven.reconcile import Outcome
from haven.wishes import WISHED

from .audit import HIDDEN, Audit, Deed, Door
from .by_hand import RolesByHand
from .cards import Cards
from .engine import Engine
from .events import Reaction
from .replies import Replies
from .service.work import SUGGESTED, FoundingJob, GroupJob, Job, UpgradeJob
from .store import now_ms
from .store_audit import AuditStore
from .store_cards import CardStore
from .store_roles import RoleStore
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
        await self.cards.reacted(reaction)

    async def job_done(self, job: Job, outcome: Outcome) -> None:
        """Write into the audit log what a job has made; what was suggested was written down when it was approved."""
        work, community = job.work, outcome.community
        if isinstance(work, GroupJob) and work.slot.startswith(SUGGESTED):
            return
        if isinstance(work, UpgradeJob):
            return
        if isinstance(work, GroupJob) and work.slot.startswith(WISHED):
            return
        if isinstance(work, FoundingJob):
            who, what, name = work.founding.owner, "created", work.founding.name
        else:
            hidden = work.wished.visibility is Visibility.HIDDEN
            who, what, name = work.by, "group_added", HIDDEN if hidden else work.wished.name
        await self.audit.record(
            community, Deed(job.id, community.space, who, what, Door.COMMAND, now_ms(), {"name": name})
        )


def open_desk(database: Database, engine: Engine, replies: Replies) -> Desk:
    """The desk over the plugin's database, working as long as the engine runs."""
    timers = Timers(TimerStore(database), engine.clock, now_ms)
    cards = Cards(CardStore(database), engine.communities, replies, timers)
    audit = Audit(AuditStore(database), replies, engine.communities, engine.clock)
    desk = Desk(cards, timers, audit)
    engine.decide = desk.decide
    engine.jobs.finished = desk.job_done
    hands = RolesByHand(engine.communities, RoleStore(database), audit)
    engine.watch.before, engine.watch.saw = hands.noticed, hands.saw
    engine.communities.changed = hands.remember
    engine.besides += (cards.resume, timers.run, audit.run)
    return desk

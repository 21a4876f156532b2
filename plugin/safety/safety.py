"""What keeps a community safe, in one value, and its wiring."""

from dataclasses import dataclass
from typing import Protocol

from haven.ids import RoomId
from haven.model import Community

from ..desk import Desk
from ..engine import Engine
from ..events import Nudge
from ..homeserver_messages import Messenger
from ..service.notes import Notes
from ..service.strays import Strays
from .expulsion_cards import EXPULSION, ExpulsionCards
from .expulsions import Expulsions
from .list_cards import ListCards
from .list_watch import LISTED, ListWatch
from .lists import Enters, Lists
from .mending import KIND as MENDING
from .mending import Mending, ReadsBefore
from .mutes import Mutes
from .own_list import OwnList
from .report_cards import ReportCards
from .reporters import Reporters
from .reports import REPORT, Reports
from .server_reports import ServerReports, TellsReports
from .witness import Witness


@dataclass(frozen=True, slots=True)
class Safety:
    """What commands about safety use."""

    notes: Notes
    reports: Reports
    report_cards: ReportCards
    expulsions: Expulsions
    mutes: Mutes
    lists: Lists
    list_watch: ListWatch
    server_reports: ServerReports


class Asked(Enters, TellsReports, ReadsBefore, Protocol):
    """What of the homeserver is asked for beside the ports of the mind."""


def open_safety(engine: Engine, desk: Desk, messages: Messenger, homeserver: Asked) -> Safety:
    """Everything about safety, working as long as the engine runs."""
    communities = engine.communities
    notes = Notes(communities, desk.cards.replies)
    strays = Strays(communities, messages, notes, desk.timers)
    engine.overhear = strays.overhear
    engine.besides.append(strays.run)
    reports = Reports(communities, messages, desk.cards, desk.timers, Reporters(engine.store))
    engine.flagged = reports.flagged
    told = ServerReports(homeserver, reports, engine.store, engine.clock)
    if engine.settings.server_admin:
        engine.besides.append(told.run)
    expulsions = Expulsions(communities, desk.audit, desk.timers)
    witness = Witness(communities, desk.audit, desk.timers.epoch)
    _witnessed(engine, witness)
    engine.besides.append(witness.run)
    mutes = Mutes(communities, desk.audit, desk.timers)
    engine.besides.append(mutes.resume)
    cards = ReportCards(communities, messages, notes, desk.audit, expulsions, mutes)
    lists = Lists(communities, homeserver, desk.audit, desk.timers.epoch)
    list_watch = _followed(engine, desk, lists)
    _mended(engine, desk, homeserver)
    expulsions.pardon = witness.pardon = lists.pardon
    desk.cards.dealers[REPORT] = cards
    desk.cards.dealers[EXPULSION] = ExpulsionCards(communities, expulsions)
    return Safety(notes, reports, cards, expulsions, mutes, lists, list_watch, told)


def _witnessed(engine: Engine, witness: Witness) -> None:
    """What is done by hand is seen, beside whoever watches already."""
    others = engine.witness

    def seen(nudge: Nudge) -> None:
        others(nudge)
        witness.see(nudge)

    engine.witness = seen


def _mended(engine: Engine, desk: Desk, homeserver: ReadsBefore) -> None:
    """Damaged records, offered to be mended as long as the engine runs."""
    mending = Mending(engine.communities, homeserver, desk.cards, desk.timers, desk.audit, engine.clock)
    desk.cards.dealers[MENDING] = mending
    engine.besides.append(mending.run)
    heard = engine.watch.changed

    async def changed(room: RoomId) -> None:
        await mending.noticed(room)
        await heard(room)

    engine.watch.changed = changed


def _followed(engine: Engine, desk: Desk, lists: Lists) -> ListWatch:
    """The lists of all communities, followed as long as the engine runs."""
    communities, cards = engine.communities, desk.cards
    own = OwnList(communities, lists, communities.loop.hands, cards.replies)
    watch = ListWatch(
        communities, lists, own, cards, desk.timers, desk.audit, engine.watch.notices, engine.clock
    )
    cards.dealers[LISTED] = ListCards(communities, lists, watch)
    engine.besides.append(watch.run)
    heard, commanded = engine.watch.changed, communities.changed

    async def changed(room: RoomId) -> None:
        await watch.noticed(room)
        await heard(room)

    async def done(community: Community) -> None:
        """Sync is silent about what we have done ourselves."""
        await watch.noticed(community.space)
        await commanded(community)

    engine.watch.changed, communities.changed = changed, done
    return watch

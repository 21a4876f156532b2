"""What keeps a community safe, in one value, and its wiring."""

from dataclasses import dataclass

from ..desk import Desk
from ..engine import Engine
from ..homeserver_messages import Messenger
from ..service.notes import Notes
from ..service.strays import Strays
from .expulsion_cards import EXPULSION, ExpulsionCards
from .expulsions import Expulsions
from .mutes import Mutes
from .report_cards import ReportCards
from .reports import REPORT, Reports
from .witness import Witness


@dataclass(frozen=True, slots=True)
class Safety:
    """What commands about safety use."""

    notes: Notes
    reports: Reports
    report_cards: ReportCards
    expulsions: Expulsions
    mutes: Mutes


def open_safety(engine: Engine, desk: Desk, messages: Messenger) -> Safety:
    """Everything about safety, working as long as the engine runs."""
    communities = engine.communities
    notes = Notes(communities, desk.cards.replies)
    strays = Strays(communities, messages, notes, desk.timers)
    engine.overhear = strays.overhear
    engine.besides.append(strays.run)
    reports = Reports(communities, messages, desk.cards, desk.timers)
    engine.flagged = reports.flagged
    expulsions = Expulsions(communities, desk.audit, desk.timers.epoch)
    witness = Witness(communities, desk.audit, desk.timers.epoch)
    engine.witness = witness.see
    engine.besides.append(witness.run)
    mutes = Mutes(communities, desk.audit, desk.timers)
    engine.besides.append(mutes.resume)
    cards = ReportCards(communities, messages, notes, desk.audit, expulsions, mutes)
    desk.cards.dealers[REPORT] = cards
    desk.cards.dealers[EXPULSION] = ExpulsionCards(communities, expulsions)
    return Safety(notes, reports, cards, expulsions, mutes)

"""Wires what listens: who deals which cards, whose timers ring, and who is told of what is said and flagged."""

from .engine import Engine
from .service.notes import Notes
from .service.services import Services
from .service.strays import Strays


def register_dealers(services: Services, engine: Engine) -> None:
    """Give everything that happens to whom it concerns. Before anything runs."""
    desk = services.desk
    notes = Notes(services.communities, desk.cards.replies)
    strays = Strays(services.communities, services.messages, notes, desk.timers)
    engine.overhear = strays.overhear
    engine.besides.append(strays.run)

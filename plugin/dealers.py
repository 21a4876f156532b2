"""Wires what listens: who deals which cards, and whose timers ring."""

from .engine import Engine
from .service.adoptions import KIND as ADOPTION
from .service.adoptions import Adoptions
from .service.services import Services
from .service.suggestions import KIND as SUGGESTION
from .service.suggestions import Suggestions
from .service.transfers import KIND as TRANSFER
from .service.transfers import Transfers


def register_dealers(services: Services, engine: Engine) -> None:
    """Give everything that happens to whom it concerns. Before anything runs. (Safety: `plugin.safety.safety.open_safety`.)"""
    desk = services.desk
    suggestions = Suggestions(services.communities, services.jobs, desk.cards, desk.audit)
    desk.cards.dealers[SUGGESTION] = suggestions
    desk.cards.dealers[ADOPTION] = Adoptions(
        services.communities, services.homeserver, desk.cards, desk.audit
    )
    desk.cards.dealers[TRANSFER] = Transfers(services.communities, desk.cards, desk.audit)

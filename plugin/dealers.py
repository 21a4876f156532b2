"""Wires what listens: who deals which cards, and whose timers ring."""

from collections.abc import Awaitable, Callable

from mautrix.util.async_db import Database

from haven.ids import RoomId

from .desk import Desk
from .engine import Engine
from .replies import Replies
from .service.adoptions import KIND as ADOPTION
from .service.adoptions import Adoptions
from .service.alias_moves import AliasMoves
from .service.followers import Followers
from .service.services import Services
from .service.suggestions import KIND as SUGGESTION
from .service.suggestions import Suggestions
from .service.transfers import KIND as TRANSFER
from .service.transfers import Transfers
from .service.upgrade_cards import KIND as UPGRADE
from .service.upgrade_cards import UpgradeCards
from .service.upgrades import Upgrades, Upgrading
from .service.wishes import KIND as WISH
from .service.wishes import Wishes
from .store_moves import MoveStore


def register_dealers(services: Services, engine: Engine) -> None:
    """Give everything that happens to whom it concerns. Before anything runs. (Safety: `plugin.safety.safety.open_safety`.)"""
    desk = services.desk
    suggestions = Suggestions(services.communities, services.jobs, desk.cards, desk.audit)
    desk.cards.dealers[SUGGESTION] = suggestions
    desk.cards.dealers[ADOPTION] = Adoptions(
        services.communities, services.homeserver, desk.cards, desk.audit
    )
    wishes = Wishes(services.communities, services.jobs, desk.cards, desk.audit)
    desk.cards.dealers[WISH] = wishes
    _also(engine, wishes.noticed)
    desk.cards.dealers[UPGRADE] = services.upgrades
    desk.cards.dealers[TRANSFER] = Transfers(services.communities, desk.cards, desk.audit)


def _also(engine: Engine, noticed: Callable[[RoomId], Awaitable[None]]) -> None:
    """Have somebody more told of rooms in which something may have changed."""
    before = engine.watch.changed

    async def changed(room: RoomId) -> None:
        await before(room)
        await noticed(room)

    engine.watch.changed = changed


def open_upgrades(
    database: Database, engine: Engine, desk: Desk, replies: Replies, homeserver: Upgrading
) -> UpgradeCards:
    """What upgrades rooms, and looks after the old ones as long as the engine runs."""
    followers = Followers(engine.communities, desk.timers)
    upgrades = Upgrades(
        engine.communities,
        homeserver,
        MoveStore(database),
        replies,
        desk.audit,
        AliasMoves(engine.communities, homeserver, engine.store),
        desk.cards.resume,
        followers.follow,
    )
    engine.jobs.upgrade = upgrades.carry_out
    engine.besides.append(followers.resume)
    return UpgradeCards(engine.communities, engine.jobs, desk.cards, upgrades)

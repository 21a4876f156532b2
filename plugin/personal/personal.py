"""What commands about one's own data use, in one value, and its wiring."""

from dataclasses import dataclass

from mautrix.util.async_db import Database

from ..desk import Desk
from ..entrance.entrance import Entrance
from ..safety.reporters import Reporters
from ..store_personal import PersonalStore
from .erasure import Erasure
from .export import Export


@dataclass(frozen=True, slots=True)
class Personal:
    """Shows and erases what is kept of a person."""

    export: Export
    erasure: Erasure


def open_personal(database: Database, desk: Desk, entrance: Entrance, reporters: Reporters) -> Personal:
    """Both, over the plugin's database."""
    store, communities = PersonalStore(database), entrance.communities
    export = Export(communities, store, desk.cards, entrance.invites, reporters, desk.timers.epoch)
    erasure = Erasure(communities, store, desk.cards, desk.timers, entrance.arrivals, desk.audit, reporters)
    return Personal(export, erasure)

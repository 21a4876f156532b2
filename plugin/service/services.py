"""Everything a command can use, in one value."""

from dataclasses import dataclass
from typing import Protocol

from haven.phrases import Phrases
from haven.ports import Homeserver

from ..config import Settings
from ..desk import Desk
from ..entrance.entrance import Entrance
from ..homeserver_messages import Messenger
from ..personal.personal import Personal
from ..safety.safety import Safety
from .adoptions import ListsNowhere
from .communities import Communities
from .jobs import Jobs
from .upgrade_cards import UpgradeCards


class Asked(Homeserver, ListsNowhere, Protocol):
    """What commands ask of the homeserver."""


@dataclass(frozen=True, slots=True)
class Services:
    """What `plugin.commands.Dispatcher(services)` is given."""

    communities: Communities
    jobs: Jobs
    messages: Messenger
    settings: Settings
    phrases: Phrases
    homeserver: Asked
    desk: Desk
    entrance: Entrance
    safety: Safety
    personal: Personal
    upgrades: UpgradeCards

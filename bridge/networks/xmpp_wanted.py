"""A room of XMPP that we want to be in: who waits for it, how far it was heard, who was there."""

import time
from dataclasses import dataclass

from haven.ids import RemoteMessageId

from . import irc_wanted
from .base import Place

PATIENCE = 60.0
"""Seconds that a room may take to let us in and to tell what we missed."""
MADE = "~"
"""Stands before what we add to the ids of a room, or in front of an id that is all ours."""


@dataclass(slots=True)
class Wanted(irc_wanted.Wanted):
    """As on IRC; and ``place`` moves on with each message of the room that is committed."""

    def heard(self, message: RemoteMessageId, at: int | None) -> None:
        """An event of people is committed; ``at`` by the room's clock, else it is now."""
        self.place = Place(message, at if at is not None else time.time_ns() // 1_000_000)

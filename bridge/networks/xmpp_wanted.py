"""A room of XMPP that we want to be in: who waits for it, how far it was heard, who was there."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from haven.errors import HavenError, TryLater
from haven.ids import ChatId, RemoteMessageId, RemoteUserId

from .base import Place
from .events import Person
from .irc_pace import Backoff

PATIENCE = 45.0
"""Seconds that a room may take to let us in and to tell what we missed."""
SETTLED = 60.0
"""Seconds in a room, or on a server, after which back-off begins anew."""
MADE = "~"
"""Stands before what we add to the ids of a room, or in front of an id that is all ours."""


@dataclass(slots=True)
class Wanted:
    """``place``: the last message of the room that is committed. ``known``: who was there when we last saw it."""

    chat: ChatId
    backoff: Backoff
    place: Place | None = None
    known: dict[RemoteUserId, Person] = field(default_factory=dict)
    _since: float = 0.0
    _waiting: list["asyncio.Future[None]"] = field(default_factory=list)

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits to be in."""
        return bool(self._waiting)

    async def entered(self) -> None:
        """Returns when we are in and what was missed is said; raises why not, ``TryLater`` when the server does not say."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        try:
            async with asyncio.timeout(PATIENCE):
                await waiting
        except TimeoutError:
            raise TryLater("network_unreachable") from None
        finally:
            if waiting in self._waiting:
                self._waiting.remove(waiting)

    def settle(self, error: HavenError | None = None) -> bool:
        """Tell those who wait how it went; whether anybody did."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_exception(error) if error else future.set_result(None)
        return bool(waiting)

    def came_in(self, people: Iterable[Person]) -> tuple[Person, ...]:
        """We are in, and ``people`` are there. Returns those who went while we were out."""
        there = {person.id for person in people}
        gone = tuple(person for person in self.known.values() if person.id not in there)
        self.known = {}
        self._since = time.monotonic()
        return gone

    def went_out(self, people: Iterable[Person]) -> None:
        """We are out; ``people`` were there until then."""
        self.known = {person.id: person for person in people}
        if time.monotonic() - self._since > SETTLED:
            self.backoff.reset()

    def heard(self, message: RemoteMessageId, at: int | None) -> None:
        """An event of people is committed; ``at`` by the room's clock, else it is now."""
        self.place = Place(message, at if at is not None else time.time_ns() // 1_000_000)

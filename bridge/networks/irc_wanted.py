"""A channel of IRC that we want to be in: who waits for it, when to try again, who was there."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from haven.errors import HavenError, TryLater
from haven.ids import ChatId, RemoteUserId

from .base import Place
from .events import ChatEvent, Person
from .irc_pace import Backoff

PATIENCE = 30.0
"""Seconds that a server may take to let us in."""
SETTLED = 60.0
"""Seconds in a channel, or on a server, after which back-off begins anew."""


@dataclass(slots=True)
class Wanted:
    """``known``: who was there when we last saw it, while we are out of it. ``since``: when we got in (monotonic seconds). ``place``: how far
    it was heard. ``held``: what happens there while we still ask for what was missed; ``None`` at other times.
    """

    chat: ChatId
    backoff: Backoff
    place: Place | None = None
    held: list[ChatEvent] | None = None
    known: dict[RemoteUserId, Person] = field(default_factory=dict)
    since: float = 0.0
    _waiting: list["asyncio.Future[None]"] = field(default_factory=list)

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits to be in."""
        return bool(self._waiting)

    async def entered(self, patience: float = PATIENCE) -> None:
        """Returns when we are in; raises why not, ``TryLater`` when the server has not said within ``patience`` seconds."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        try:
            async with asyncio.timeout(patience):
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
        self.since = time.monotonic()
        return gone

    def went_out(self, people: Iterable[Person]) -> None:
        """We are out; ``people`` were there until then."""
        self.known = {person.id: person for person in people}
        if time.monotonic() - self.since > SETTLED:
            self.backoff.reset()

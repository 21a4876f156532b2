"""One per community: woken when something may have changed, it brings the rooms in step with what the space means.

It backs off while the homeserver is in trouble, and stops when somebody else keeps undoing what it does.
"""

import asyncio
import json
import logging
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from haven.changes import Change, SetState
from haven.errors import GiveUp, Guarded, HavenError, Missing, TryLater
from haven.ids import RoomId
from haven.plan import Obstacle
from haven.reconcile import Failure, Outcome

from .clock import Clock
from .concerns import Concern
from .faults import reference_of
from .service.communities import Communities
from .service.run import pause

log = logging.getLogger("haven.keeper")

FIGHT = 5
"""How often the very same is written within `FIGHT_TIME` before we hold it for a fight."""

FIGHT_TIME = 600.0
"""Seconds."""

REST = 900.0
"""Seconds for which the keeper leaves a community alone after a fight."""

Reports = Callable[[RoomId, tuple[Concern, ...]], Awaitable[None]]
"""Told all that is the matter with a community, again whenever it was looked after."""


@dataclass(slots=True)
class Fights:
    """Notices when we write the same again and again because somebody else undoes it."""

    clock: Clock
    _times: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def noticed(self, done: Iterable[Change]) -> tuple[SetState, ...]:
        """Which of the changes made just now have become a fight."""
        return tuple(change for change in done if isinstance(change, SetState) and self._again(change))

    def forget(self) -> None:
        """Start anew."""
        self._times.clear()

    def _again(self, change: SetState) -> bool:
        now = self.clock.now()
        what = json.dumps([change.room, change.type, change.key, change.content], sort_keys=True)
        times = self._times[what]
        times.append(now)
        while times[0] < now - FIGHT_TIME:
            times.popleft()
        return len(times) >= FIGHT


@dataclass(slots=True)
class Keeper:
    """Looks after one community, until `run` is cancelled or the community is gone."""

    space: RoomId
    communities: Communities
    reports: Reports
    clock: Clock
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _fights: Fights = field(init=False)
    _failed: int = 0

    def __post_init__(self) -> None:
        self._fights = Fights(self.clock)

    def nudge(self) -> None:
        """Something may have changed."""
        self._wake.set()

    async def run(self) -> None:
        """Wait for nudges and look after the community."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                rest = await self._look_after()
            except Missing:
                return
            except HavenError as error:
                log.warning("a community could not be looked after: %s", error)
                rest = 0.0
            except Exception as error:
                reference_of(log, error, "looking after a community")
                rest = REST
            await self.clock.wait(rest)

    async def _look_after(self) -> float:
        """Bring it in step; gives the seconds to leave it alone now."""
        try:
            outcome = await self.communities.reconcile(self.space)
        except TryLater as later:
            return self._again(later)
        fights = self._fights.noticed(outcome.done)
        await self.reports(self.space, concerns_of(outcome, fights))
        troubles = [failure.error for failure in outcome.failures if isinstance(failure.error, TryLater)]
        if fights or outcome.left:
            self._fights.forget()
            self._wake.set()
            return REST
        if troubles:
            return self._again(troubles[0])
        self._failed = 0
        return 0.0

    def _again(self, later: TryLater) -> float:
        self._wake.set()
        self._failed += 1
        return pause(later, self._failed)


def concerns_of(outcome: Outcome, fights: Iterable[SetState]) -> tuple[Concern, ...]:
    """What of an outcome people must do something about; what only takes time is none."""
    found = [_obstacle(obstacle) for obstacle in outcome.obstacles]
    found += [_failure(failure) for failure in outcome.failures if isinstance(failure.error, GiveUp)]
    found += [Concern("concern.fight", {"room": each.name, "type": each.type}) for each in fights]
    if outcome.refused is not None:
        found.append(_refusal(outcome.refused))
    return tuple(found)


def _obstacle(obstacle: Obstacle) -> Concern:
    return Concern(
        "concern.obstacle",
        {"room": obstacle.name, "type": obstacle.type, "need": obstacle.need, "have": obstacle.have},
    )


def _failure(failure: Failure) -> Concern:
    change = failure.change
    return Concern(
        "concern.failed",
        {"room": getattr(change, "name", ""), "type": getattr(change, "type", type(change).__name__)},
    )


def _refusal(refusal: Guarded) -> Concern:
    return Concern(f"concern.{refusal.key}", refusal.values)

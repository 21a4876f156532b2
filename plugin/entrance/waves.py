"""Waves: when many people come at once, the doors are closed so far that the admins are asked about everybody."""

from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from haven.ids import RoomId
from haven.model import CodePolicy, Community, JoinPolicy

from ..audit import Audit, Deed, Door
from ..durations import MINUTE
from ..service.communities import Communities
from ..timers import Timer, Timers

WAVE = "wave"
"""The kind of the timers of doors that are being closed: who dies over it takes it up again."""

PATIENCE = 30_000
"""Milliseconds after which closing the doors is taken up again."""


@dataclass(slots=True)
class Waves:
    """Counts who comes. ``epoch``: ms since the epoch, now."""

    communities: Communities
    timers: Timers
    audit: Audit
    epoch: Callable[[], int]
    _times: dict[RoomId, deque[int]] = field(default_factory=lambda: defaultdict(deque))
    _since: dict[RoomId, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.timers.rings[WAVE] = self._taken_up

    async def came(self, community: Community, people: int) -> None:
        """So many have come or knocked just now. Raises `TryLater` where the doors could not be closed."""
        now, settings = self.epoch(), community.settings
        times = self._times[community.space]
        times.extend([now] * people)
        while times and times[0] <= now - settings.wave_minutes * MINUTE:
            times.popleft()
        if not settings.wave_limit or len(times) <= settings.wave_limit:
            return
        times.clear()
        self._since[community.space] = now
        if settings.join is JoinPolicy.OPEN or settings.codes is CodePolicy.DIRECT:
            payload = {
                "limit": str(settings.wave_limit),
                "minutes": str(settings.wave_minutes),
                "at": str(now),
            }
            await self.timers.set(WAVE, community.space, now + PATIENCE, payload)
            await self._closed(community.space, payload)
            await self.timers.cancel(WAVE, community.space)

    def is_on(self, community: Community) -> bool:
        """Whether a wave has come within the time in which people make one."""
        since = self._since.get(community.space)
        return since is not None and self.epoch() - since < community.settings.wave_minutes * MINUTE

    async def _taken_up(self, timer: Timer) -> None:
        await self._closed(RoomId(timer.key), timer.payload)

    async def _closed(self, space: RoomId, why: Mapping[str, str]) -> None:
        outcome = await self.communities.change(space, _more_careful)
        told = {"limit": why["limit"], "minutes": why["minutes"]}
        bot = self.communities.loop.actors.bot
        deed = Deed(f"wave.{space}.{why['at']}", space, bot, "wave", Door.TIMER, self.epoch(), told)
        await self.audit.record(outcome.community, deed)


def _more_careful(community: Community) -> Community:
    """The same community, in which everybody who comes is asked about; one that only invites goes on doing so."""
    settings = community.settings
    join = JoinPolicy.REQUEST if settings.join is JoinPolicy.OPEN else settings.join
    return replace(community, settings=replace(settings, join=join, codes=CodePolicy.APPROVAL))

"""Waves: when many people come at once, the doors are closed so far that the admins are asked about everybody."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from haven.ids import RoomId
from haven.model import CodePolicy, Community, JoinPolicy

from ..audit import Audit, Deed, Door
from ..catchup import RemembersPlaces
from ..durations import MINUTE
from ..service.communities import Communities
from ..timers import Timer, Timers

WAVE = "wave"
"""The kind of the timers of doors that are being closed: who dies over it takes it up again."""

PATIENCE = 30_000
"""Milliseconds after which closing the doors is taken up again."""

_MOST = 10_000
"""How many times are remembered: more than any limit of a wave may be."""


@dataclass(frozen=True, slots=True)
class _Count:
    """``since``: when the last wave came; ``last``: when the last who is counted came; 0 for never. ``times``: of who came lately."""

    since: int = 0
    last: int = 0
    times: tuple[int, ...] = ()


@dataclass(slots=True)
class Waves:
    """Counts who comes, also across restarts. ``epoch``: ms since the epoch, now. Of nobody it is kept who they are."""

    communities: Communities
    timers: Timers
    audit: Audit
    epoch: Callable[[], int]
    memory: RemembersPlaces
    _counts: dict[RoomId, _Count] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.timers.rings[WAVE] = self._taken_up

    async def came(self, community: Community, times: Sequence[int]) -> None:
        """At these times, in ms since the epoch, somebody has come or knocked. Raises `TryLater` where the doors could not be closed."""
        if not times:
            return
        now, settings = self.epoch(), community.settings
        count = await self._count(community.space)
        earliest = now - settings.wave_minutes * MINUTE
        together = [at for at in (*count.times, *(min(at, now) for at in times)) if at > earliest]
        wave = bool(settings.wave_limit) and len(together) > settings.wave_limit
        closes = wave and (settings.join is JoinPolicy.OPEN or settings.codes is CodePolicy.DIRECT)
        payload = {"limit": str(settings.wave_limit), "minutes": str(settings.wave_minutes), "at": str(now)}
        if closes:
            await self.timers.set(WAVE, community.space, now + PATIENCE, payload)
        kept = () if wave else tuple(together[-_MOST:])
        last = max(count.last, min(max(times), now))
        await self._keep(community.space, _Count(now if wave else count.since, last, kept))
        if closes:
            await self._closed(community.space, payload)
            await self.timers.cancel(WAVE, community.space)

    async def counted(self, space: RoomId) -> int:
        """Until when whoever came is counted, also by an earlier life; 0 where nobody was."""
        return (await self._count(space)).last

    async def is_on(self, community: Community) -> bool:
        """Whether a wave has come within the time in which people make one."""
        since = (await self._count(community.space)).since
        return bool(since) and self.epoch() - since < community.settings.wave_minutes * MINUTE

    async def _count(self, space: RoomId) -> _Count:
        if space not in self._counts:
            numbers = [int(word) for word in (await self.memory.recall(f"{WAVE} {space}")).split()]
            self._counts[space] = _Count(numbers[0], numbers[1], tuple(numbers[2:])) if numbers else _Count()
        return self._counts[space]

    async def _keep(self, space: RoomId, count: _Count) -> None:
        self._counts[space] = count
        words = (count.since, count.last, *count.times)
        await self.memory.keep(f"{WAVE} {space}", " ".join(map(str, words)))

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

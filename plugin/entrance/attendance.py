"""Who is not in the announcements yet: counted, and reminded when an admin asks for it. Nobody is ever named for it."""

from collections.abc import Callable
from dataclasses import dataclass

from haven.errors import Invalid
from haven.ids import EventId, UserId
from haven.model import Community, Kind
from haven.snapshot import Membership, World
from haven.succession import members

from ..catchup import RemembersPlaces
from ..durations import DAY
from ..service.announcements import place
from ..service.communities import Communities
from ..timers import Timers
from .steps import REMIND

MEMORY = "reminded"
"""How the names begin under which it is kept when members of a community were reminded last."""

BETWEEN = 4_000
"""Milliseconds between two reminders: a homeserver's usual limit for invitations is not met."""


@dataclass(frozen=True, slots=True)
class Absence:
    """How it stands. ``members``: of the community; ``waiting``: those who are not in the announcements, and were never;
    ``gone``: how many have left them, or were put out.
    """

    members: int
    waiting: tuple[UserId, ...] = ()
    gone: int = 0

    @property
    def missing(self) -> int:
        """How many are not in them."""
        return len(self.waiting) + self.gone


@dataclass(frozen=True, slots=True)
class Attendance:
    """Counts and reminds. ``epoch``: ms since the epoch, now."""

    communities: Communities
    timers: Timers
    memory: RemembersPlaces
    epoch: Callable[[], int]

    def absence(self, community: Community, world: World) -> Absence:
        """How many members are not in the announcements, as last seen."""
        actors, news = self.communities.loop.actors, community.only(Kind.ANNOUNCEMENTS)
        everybody = members(world, community) - {actors.bot, actors.bridge}
        if news is None or news.room not in world:
            return Absence(len(everybody))
        there = world[news.room].members
        absent = sorted(who for who in everybody if there.get(who) is not Membership.JOINED)
        waiting = tuple(who for who in absent if there.get(who) in {None, Membership.INVITED})
        return Absence(len(everybody), waiting, len(absent) - len(waiting))

    async def remind(self, community: Community, world: World, asked: EventId) -> Absence:
        """Remind whoever is not in the announcements, one after the other. ``asked``: the command, which counts once.

        Raises `Missing` where there are no announcements, `Invalid` where they were reminded within the last day.
        """
        place(community)
        name, now = f"{MEMORY} {community.space}", self.epoch()
        last, _, by = (await self.memory.recall(name)).partition(" ")
        if last and by != asked and int(last) > now - DAY:
            raise Invalid("reminded_lately")
        absence = self.absence(community, world)
        if absence.waiting:
            await self.memory.keep(name, f"{now} {asked}")
        for number, who in enumerate(absence.waiting):
            at = now + number * BETWEEN
            await self.timers.set(REMIND, f"{community.space} {who}", at, {"asked": asked})
        return absence

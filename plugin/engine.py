"""The parts of the plugin that work over any homeserver, wired together: given events, it keeps communities in step."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from haven.desired import Actors
from haven.ids import EventId, is_ghost
from haven.model import Community
from haven.plan import Plan, plan_for
from haven.ports import Homeserver
from haven.reconcile import Loop
from haven.snapshot import World

from .clock import Clock
from .concerns import Warns
from .config import Settings
from .creation import Creation
from .events import COMMAND, Gap, Incoming, Invited, Left, News, Nudge, Posted, Reaction, is_flag
from .hands import Hands
from .invitations import Invitations
from .notices import Notices
from .rooms import Rooms
from .service.communities import Communities
from .service.jobs import Jobs
from .service.telling import Tells
from .store import Store
from .turns import Turns
from .watch import Watch

log = logging.getLogger("haven")

RECENT = 1_000
"""How many messages are remembered as heard."""


class Voice(Tells, Warns, Protocol):
    """Says what the engine has to say."""


async def _undecided(reaction: Reaction) -> None:
    """Nobody is there to decide."""


def _unseen(nudge: Nudge) -> None:
    """Nobody watches what is done by hand."""


def _unheeded(heard: Posted | Gap) -> None:
    """Nobody keeps order."""


async def _unanswered(message: Incoming) -> None:
    """Nobody is there to answer."""


@dataclass(slots=True)
class Engine:
    """Everything that runs. Made by `build`; `run` until cancelled. ``answer``: carries out a command and answers it;
    ``decide``: does what a reaction asks for; ``flagged``: takes a report made by reaction; ``overhear``: told of all that is said,
    and of gaps in it, at once; ``witness``: told of changes before they are taken in; ``besides``: what else runs as long as the engine does.
    """

    homeserver: Homeserver
    settings: Settings
    rooms: Rooms
    communities: Communities
    jobs: Jobs
    watch: Watch
    invitations: Invitations
    turns: Turns
    store: Store
    clock: Clock
    answer: Callable[[Incoming], Awaitable[None]] = _unanswered
    decide: Callable[[Reaction], Awaitable[None]] = _undecided
    flagged: Callable[[Reaction], Awaitable[None]] = _undecided
    overhear: Callable[[Posted | Gap], None] = _unheeded
    witness: Callable[[Nudge], None] = _unseen
    heard: dict[EventId, None] = field(default_factory=dict)
    besides: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    async def run(self) -> None:
        """See the rooms, take up what an earlier life left, and keep everything in step."""
        try:
            unanswered = await self.store.unanswered()
            await self.watch.open()
            await self.jobs.resume()
            for message in unanswered:
                self._take_turn(replace(message, again=True), kept=True)
            await self.store.tidy()
            async with asyncio.TaskGroup() as tasks:
                for work in (self.watch.run, *self.besides):
                    tasks.create_task(_done(work))
        finally:
            await self.turns.stop()
            await self.jobs.stop()

    def take(self, news: News) -> None:
        """Something has happened in a room. Marks and wakes, and works on nothing here."""
        match news:
            case Nudge(room, event):
                self.witness(news)
                self.watch.saw(room, event)
                if self.rooms.nudge(room, event):
                    self.watch.nudge(room)
            case Gap(room):
                self.rooms.doubt((room,))
                self.watch.nudge(room)
                self.overhear(news)
            case Left(room):
                self.watch.nudge(room)
                self.rooms.forget(room)
            case Invited(room):
                self.turns.take(room, lambda: self._invited(news))
            case Posted():
                self.overhear(news)
            case Incoming():
                self.hear(news)
            case Reaction():
                self.react(news)

    def hear(self, message: Incoming) -> None:
        """Somebody has said something; taken once, though it may be told twice.

        Commands are for people of Matrix: a name on another network is anybody's to take.
        """
        if message.event in self.heard or is_ghost(message.sender):
            return
        self.heard[message.event] = None
        if len(self.heard) > RECENT:
            del self.heard[next(iter(self.heard))]
        self._take_turn(message, kept=False)

    def _take_turn(self, message: Incoming, *, kept: bool) -> None:
        self.turns.take(message.room, lambda: self._answer(message, kept=kept))

    def react(self, reaction: Reaction) -> None:
        """Somebody has reacted to something."""
        self.turns.take(reaction.room, lambda: self._decide(reaction))

    async def _invited(self, invitation: Invited) -> None:
        await self.watch.ready.wait()
        await self.invitations.take(invitation)

    async def _decide(self, reaction: Reaction) -> None:
        await self.watch.ready.wait()
        await (self.flagged if is_flag(reaction) else self.decide)(reaction)

    async def _answer(self, message: Incoming, *, kept: bool) -> None:
        """Answer what was said; a command once, though we may die over it."""
        await self.watch.ready.wait()
        if not COMMAND.match(message.body):
            await self.answer(message)
        elif kept or await self.store.hears(message):
            await self.answer(message)
            await self.store.answered(message.event)


async def _beside(community: Community, world: World, actors: Actors) -> Plan:
    """A plan, made beside the event loop: it takes a while where a hundred rooms have thousands of members."""
    return await asyncio.to_thread(plan_for, community, world, actors)


async def _done(work: Callable[[], Awaitable[None]]) -> None:
    await work()


def build(homeserver: Homeserver, settings: Settings, store: Store, voice: Voice, clock: Clock) -> Engine:
    """The parts, wired."""
    rooms = Rooms(homeserver, clock)
    creation = Creation(homeserver, rooms, store, clock)
    hands = Hands(homeserver, rooms, creation, clock)
    loop = Loop(hands, rooms, clock, settings.actors(homeserver.user), _beside)
    communities = Communities(rooms, loop, settings.removals, busy=lambda: hands.limited)
    jobs = Jobs(communities, store, voice, clock, communities.busy, creation.settle)
    notices = Notices(communities, voice, store, settings.language)
    watch = Watch(rooms, communities, notices, clock, settings.reread)
    communities.unfinished = watch.nudge
    invitations = Invitations(homeserver, communities, clock, settings.accept_invites)
    return Engine(homeserver, settings, rooms, communities, jobs, watch, invitations, Turns(), store, clock)

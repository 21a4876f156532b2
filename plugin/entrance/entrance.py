"""The door of every community: looks at who comes, knocks and goes whenever something has changed, and lets people in by their codes."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

from mautrix.util.async_db import Database

from haven.errors import GiveUp, NotAllowed
from haven.ids import RoomId, UserId
from haven.model import Community, Role
from haven.reconcile import Outcome
from haven.snapshot import PRESENT, Membership, World
from haven.stateevents import GROUP
from haven.succession import latest

from ..clock import Clock
from ..desk import Desk
from ..engine import Engine
from ..events import Incoming, Nudge
from ..replies import Replies
from ..rooms import MEMBER
from ..rounds import Rounds, one_by_one
from ..service.communities import Communities
from ..store_arrivals import Arrival, ArrivalStore
from ..store_invites import InviteStore
from ..wording import line
from .arrivals import Arrivals
from .attendance import Attendance
from .everybody import Everybody, JoinsOthers
from .invites import Invites
from .request import KIND, Request, knocking
from .requests import Requests
from .returns import ReadsMembers, Returns
from .steps import Steps
from .waves import Waves


class Welcome(Enum):
    """What a code has opened."""

    IN_ALREADY = auto()
    LET_IN = auto()
    ASKED = auto()


@dataclass(slots=True)
class Entrance:
    """Looks after the doors, by `run`; `noticed` wakes it."""

    communities: Communities
    invites: Invites
    requests: Requests
    arrivals: Arrivals
    returns: Returns
    steps: Steps
    waves: Waves
    everybody: Everybody
    attendance: Attendance
    clock: Clock
    _knocked: dict[RoomId, frozenset[tuple[RoomId, UserId]]] = field(default_factory=dict)
    _rounds: Rounds = field(init=False)

    def __post_init__(self) -> None:
        self._rounds = Rounds(self.clock)

    async def noticed(self, room: RoomId) -> None:
        """Something may have changed in a room."""
        self.wake(room)

    def wake(self, room: RoomId) -> None:
        """As `noticed`, for who must not wait."""
        self._rounds.mark(room)

    async def run(self) -> None:
        """Look at what has changed, until cancelled."""
        await self.arrivals.tidy()
        await self._rounds.run(self._look)

    async def _look(self, touched: Iterable[RoomId]) -> None:
        """Look at every community that it may concern. Raises `TryLater`."""
        world, intent = await self.communities.reading()
        bot = self.communities.loop.actors.bot
        spaces = {latest(world, space, bot) for space in _spaces(world, touched)}

        async def look(space: RoomId) -> None:
            await self.look(intent.communities[space], world)

        await one_by_one(spaces & intent.communities.keys(), look, "looking after the door")

    async def look(self, community: Community, world: World) -> None:
        """Look at one community, unless it is deactivated. Raises `TryLater`."""
        if community.deactivated is not None:
            return
        await self.returns.look(community, world)
        world = self.communities.rooms.world
        first = community.space not in self._knocked
        before = self._knocked.get(community.space, frozenset())
        now = frozenset(knocking(community, world))
        come = await self.arrivals.look(community, world)
        lately = [self.waves.epoch()] * len((*come, *(now - before)))
        times = await self._meanwhile(community.space, come) if first else lately
        self._knocked[community.space] = now
        await self.waves.came(community, times)
        current = self.communities.one_of(self.communities.rooms.world, community.space) or community
        await self.requests.look(current, self.communities.rooms.world)
        await self.steps.look(current, world)
        if await self.everybody.look(current, world):
            await self.noticed(community.space)

    async def _meanwhile(self, space: RoomId, come: Iterable[Arrival]) -> list[int]:
        """When those came, or knocked, whom an earlier life has not counted; who changes their name later has come no later."""
        counted = await self.waves.counted(space)
        people = {one.who for one in come}
        if counted:
            people |= await self.arrivals.since(space, counted)
        knocks = self.communities.rooms.world[space].with_membership(Membership.KNOCKING)
        if not people and not knocks:
            return []
        state = await self.returns.homeserver.room_state(space)
        members = [event for event in state if event.type == MEMBER and event.key in people | knocks]
        return [event.at for event in members if event.at > counted]

    async def join(self, code: str, message: Incoming) -> tuple[Community, Welcome]:
        """Let in whoever has said a code in a direct chat, or bring them before the admins.

        Doing it twice counts once. Raises `NotAllowed`, `Missing` and `Invalid` where the code opens nothing to them.
        """
        who = message.sender
        invite, new = await self.invites.redeem(code, who)
        try:
            community = await self.communities.fresh(invite.space)
            held = self.communities.rooms.world[community.space].members.get(who)
            if community.deactivated is not None or held is Membership.BANNED:
                raise NotAllowed("join_closed")
            if held in PRESENT:
                if new:
                    await self.invites.store.release(invite.id, who)
                return community, Welcome.IN_ALREADY
            name = await self.requests.replies.messages.display_name(message.room, who)
            request = Request(who, community.space, name[:100], "", invite.id, invite.name, message.room)
            if await self.requests.must_ask(community, invite, who):
                await self.requests.ask(community, request)
                return community, Welcome.ASKED
            await self.requests.invite(request)
        except GiveUp:
            if new:
                await self.invites.store.release(invite.id, who)
            raise
        return community, Welcome.LET_IN

    async def leave(self, community: Community, who: UserId) -> Outcome:
        """Take somebody out of the community because they wish it, rooms and all. Raises `NotAllowed` for the owner."""
        if community.role_of(who) is Role.OWNER:
            raise NotAllowed("leave_owner")
        wording = self.requests.replies.wording(community.settings.language)
        reason = wording.text(line("leave.reason"))
        await self.arrivals.leaving(community.space, who, own=True)
        outcome = await self.communities.change(community.space, lambda now: now.without_member(who, reason))
        if who in self.communities.rooms.world[community.space].with_membership(*PRESENT):
            await self.arrivals.leaving(community.space, who, own=False)
        self.communities.unfinished(community.space)  # sync is silent about what we have done ourselves
        return outcome


def _spaces(world: World, touched: Iterable[RoomId]) -> set[RoomId]:
    """The spaces that changes in these rooms may concern."""
    rooms = (world[room] for room in touched if room in world)
    return {room.id if room.is_space else RoomId(room.text(GROUP, "community")) for room in rooms}


class DoorKeeper(JoinsOthers, ReadsMembers, Protocol):
    """What the doors need from the homeserver beside what everybody needs."""


def open_entrance(
    database: Database, engine: Engine, desk: Desk, replies: Replies, homeserver: DoorKeeper
) -> Entrance:
    """The doors of all communities, looked after as long as the engine runs."""
    communities = engine.communities

    def epoch() -> int:
        return desk.timers.epoch()

    invite_store, arrival_store = InviteStore(database), ArrivalStore(database)
    invites = Invites(invite_store, epoch)
    waves = Waves(communities, desk.timers, desk.audit, epoch, engine.store)
    arrivals = Arrivals(communities, arrival_store, invite_store, desk.audit, epoch)
    requests = Requests(
        communities,
        desk.cards,
        desk.timers,
        desk.audit,
        replies,
        invites,
        arrival_store,
        engine.homeserver,
        epoch,
    )
    returns = Returns(arrivals, requests, homeserver)
    steps = Steps(communities, arrivals, waves, desk.timers, replies, epoch)
    desk.cards.dealers[KIND] = requests
    everybody = Everybody(homeserver, engine.homeserver.user, engine.settings.server_admin)
    attendance = Attendance(communities, desk.timers, engine.store, epoch)
    entrance = Entrance(
        communities, invites, requests, arrivals, returns, steps, waves, everybody, attendance, engine.clock
    )
    _wired(engine, entrance)
    return entrance


def _wired(engine: Engine, entrance: Entrance) -> None:
    """The doors hear of what happens, beside whoever hears of it already."""
    engine.besides.append(entrance.run)
    before, witness = engine.watch.changed, engine.witness

    async def changed(room: RoomId) -> None:
        await entrance.noticed(room)
        await before(room)

    def seen(nudge: Nudge) -> None:
        if entrance.returns.heard(nudge):
            entrance.wake(nudge.room)
        witness(nudge)

    engine.watch.changed, engine.witness = changed, seen

"""A community on the homeserver in memory, and the loop that keeps it, as one process after another would run it."""

from dataclasses import dataclass, field

from haven.desired import Actors
from haven.errors import Missing
from haven.founding import Founding, WishedGroup, founded
from haven.guards import Bounds
from haven.ids import RoomId, RoomVersion, UserId
from haven.intent import read_intent
from haven.model import Community, JoinPolicy, Kind, Role, Settings, Visibility
from haven.reconcile import Loop, Outcome, Progress
from haven.snapshot import World, room_of
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.homeserver_client import FakeClient
from tests.haven.worlds import ANA, BO, BOT, BRIDGE, CY, EVA, TITLES, Edit, unchanged

USUAL = Bounds()


@dataclass
class Clock:
    """A clock that is moved by who waits; ``waits`` are the times that were waited."""

    now: float = 0.0
    waits: list[float] = field(default_factory=list)

    async def wait(self, seconds: float) -> None:
        """Let that many seconds pass."""
        self.waits.append(seconds)
        self.now += seconds


@dataclass(frozen=True)
class Eyes:
    """Reads everything anew each time."""

    client: FakeClient

    async def observe(self) -> World:
        """The whole world."""
        rooms = await self.client.joined_rooms()
        return {room: room_of(room, await self.client.room_state(room)) for room in rooms}


async def _silent(done: int, total: int) -> None:
    """Nobody wants to know."""


@dataclass
class Town:
    """The homeserver, and what the bot needs to know of itself."""

    version: RoomVersion = RoomVersion("12")
    server: FakeHomeserver = field(default_factory=lambda: FakeHomeserver("home.org"))
    clock: Clock = field(default_factory=Clock)

    @property
    def actors(self) -> Actors:
        """Who works here."""
        return Actors(BOT, self.version, BRIDGE)

    def loop(self) -> Loop:
        """The loop of a process that has just started and knows nothing."""
        client = self.server.client(BOT)
        return Loop(client, Eyes(client), self.clock, self.actors)

    async def found(self, wish: Founding, progress: Progress = _silent) -> Outcome:
        """Found a community, or go on with it."""
        return await self.loop().reconcile(lambda _: founded(wish), progress=progress)

    async def settle(self, space: RoomId, edit: Edit = unchanged, bounds: Bounds = USUAL) -> Outcome:
        """Bring a community in step with what its rooms mean, changed by an edit."""
        return await self.loop().reconcile(lambda world: edit(self._meant(world, space)), bounds)

    async def community(self, space: RoomId) -> Community:
        """What the rooms mean."""
        return self._meant(await Eyes(self.server.client(BOT)).observe(), space)

    def _meant(self, world: World, space: RoomId) -> Community:
        found = read_intent(world, self.actors, space).communities
        if space not in found:
            raise Missing("community_missing")
        return found[space]

    async def populate(self, space: RoomId) -> None:
        """Ana accepts; Bo, Cy and Eva join the open space and its rooms; Bo becomes admin, Cy moderator."""
        for user in (ANA, BO, CY, EVA):
            await self.server.client(user).join(space, ["home.org"])
        await self.settle(space, lambda c: c.with_role(BO, Role.ADMIN).with_role(CY, Role.MODERATOR))
        community = await self.community(space)
        for group in community.groups:
            for user in (ANA, BO, CY, EVA):
                staffed = group.kind is not Kind.ADMINS or user != EVA
                if group.visibility is Visibility.OPEN and staffed:
                    await self.server.client(user).join(group.room, ["home.org"])
        await self.settle(space)


async def inhabited(version: RoomVersion = RoomVersion("12")) -> tuple[Town, RoomId]:
    """A community in step, with people in it, and its space."""
    town = Town(version)
    outcome = await town.found(open_wish())
    assert outcome.in_step
    await town.populate(outcome.community.space)
    return town, outcome.community.space


def open_wish() -> Founding:
    """Ana wishes for a community that everybody may join, with three groups."""
    groups = (
        WishedGroup("Books"),
        WishedGroup("Walks", Visibility.REQUEST),
        WishedGroup("Secret", Visibility.HIDDEN),
    )
    return Founding("wish", "Fathers", ANA, TITLES, "", groups, Settings(join=JoinPolicy.OPEN))


def slots(town: Town) -> list[str]:
    """The slots of the rooms that the bot is in, sorted."""
    rooms = town.server.rooms.values()
    return sorted(
        str(room.content("m.room.create")["chat.haven.slot"])
        for room in rooms
        if room.membership(BOT) == "join"
    )


def level_everywhere(town: Town, user: UserId) -> set[int]:
    """The levels that a user has in the rooms of the bot."""
    contents = [room.content("m.room.power_levels") for room in town.server.rooms.values()]
    users = [content["users"] for content in contents]
    return {levels.get(user, 0) for levels in users if isinstance(levels, dict)}

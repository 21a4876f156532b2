"""The stage of the IRC benchmarks: one Synapse, one ngIRCd, and on them the floor, heisenbridge and Haven's bridge, each with a room."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contestant import OURS, PEER, CannotMeasure, Contestant
from benchmarks.floor import Floor, FloorRoom
from benchmarks.heisenbridge import Heisenbridge
from benchmarks.ours import DEVICE, link, registered, token
from benchmarks.watcher import Watcher
from embedded.bridge import Bridge
from embedded.chatter import Chatter
from embedded.irc import Ngircd, ngircd_program
from embedded.person import Person
from embedded.places import python
from embedded.proxy import Proxy
from embedded.synapse import Synapse

DOMAIN = "haven.test"
CHANNELS = {OURS: "#ours", PEER: "#peer"}


@dataclass(frozen=True, slots=True)
class Stage:
    """All that runs. `keeper` operates all channels and hears them; `owner` owns all rooms."""

    synapse: Synapse
    irc: Ngircd
    owner: Person
    keeper: Chatter
    watcher: Watcher
    floor: FloorRoom
    contestants: Sequence[Contestant]

    def contestant(self, name: str) -> Contestant:
        """The contestant of that name."""
        return next(each for each in self.contestants if each.name == name)

    def as_ghosts(self, contestant: Contestant) -> FloorRoom:
        """A floor in a contestant's room, in the names of those of its ghosts who have spoken there."""
        senders = [seen.event.sender for seen in self.watcher.seen(contestant.room)]
        ghosts = [user for user in dict.fromkeys(senders) if user != self.owner.user_id]
        return FloorRoom(self.synapse.url, contestant.token, contestant.room, ghosts, contestant.device)

    async def chatters(self, count: int, contestant: Contestant, name: str = "sam") -> list[Chatter]:
        """People who have just entered a contestant's channel. Close them."""
        people = []
        for number in range(count):
            person = await Chatter.connect(
                self.irc.host, self.irc.port, f"{name}{number}{contestant.name[:2]}"
            )
            await person.join(contestant.channel)
            people.append(person)
        return people


@asynccontextmanager
async def stage(
    directory: Path, names: Sequence[str], *, speakers: int = 1, counted: bool = False
) -> AsyncIterator[Stage]:
    """Starts everything, the bridges of these names included; with `counted` each behind a proxy of its own. Ends everything."""
    if ngircd_program() is None:
        raise CannotMeasure("ngIRCd is not installed (Debian: apt install ngircd)")
    if PEER in names and not python("benchmarks").exists():
        raise CannotMeasure("heisenbridge is not installed: run `scripts/setup benchmarks`")
    async with AsyncExitStack() as open_:
        irc = await open_.enter_async_context(Ngircd(directory / "irc"))
        synapse = Synapse(directory / "synapse", DOMAIN)
        proxies = {name: Proxy(synapse.url) for name in names} if counted else {}
        for proxy in proxies.values():
            await open_.enter_async_context(proxy)
        floor = Floor(directory / "floor")
        peer = Heisenbridge(directory / "heisenbridge", DOMAIN)
        ours_url = proxies[OURS].url if OURS in proxies else synapse.url
        ours = await registered(directory / "bridge", ours_url, DOMAIN, irc) if OURS in names else None
        synapse.appservices += [floor.registration, peer.registration, *([ours.registration] if ours else [])]
        await open_.enter_async_context(synapse)
        owner = await synapse.register("owner")
        keeper = await Chatter.connect(irc.host, irc.port, "keeper")
        open_.push_async_callback(keeper.aclose)
        contestants = []
        if ours is not None:
            await open_.enter_async_context(ours)
            contestants.append(await _linked(ours, owner, keeper, proxies.get(OURS)))
        if PEER in names:
            open_.push_async_callback(peer.aclose)
            await peer.start(synapse.url, owner, proxies.get(PEER))
            contestants.append(await _plumbed(peer, owner, irc, keeper))
        room = await owner.create_room("floor")
        floor_room = await floor.enter(synapse, owner, room, speakers)
        watcher = await open_.enter_async_context(Watcher(owner))
        yield Stage(synapse, irc, owner, keeper, watcher, floor_room, contestants)


async def _linked(bridge: Bridge, owner: Person, keeper: Chatter, proxy: Proxy | None) -> Contestant:
    room = await _room(owner, OURS, f"@haven-bridge:{DOMAIN}")
    await keeper.join(CHANNELS[OURS])
    await link(bridge, owner, keeper, room, CHANNELS[OURS])
    return Contestant(OURS, room, CHANNELS[OURS], bridge.process, token(bridge), DEVICE, proxy)


async def _plumbed(peer: Heisenbridge, owner: Person, irc: Ngircd, keeper: Chatter) -> Contestant:
    room = await _room(owner, PEER, peer.user)
    await keeper.join(CHANNELS[PEER])
    return await peer.plumb(owner, irc, keeper, room, CHANNELS[PEER])


async def _room(owner: Person, name: str, bot: str) -> str:
    """A private room in which the bridge's bot has what both bridges ask for: power to invite and to write state."""
    return await owner.create_room(name, power_level_content_override={"users": {bot: 100}})

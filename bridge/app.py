"""Builds the bridge's parts, runs them together, stops them cleanly."""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from aiohttp import web

from haven.errors import HavenError, Misconfigured, TryLater
from haven.ids import Network as NetworkName
from haven.ids import UserId

from .admins import Admins
from .agreed import Treaties
from .appservice import application
from .aside import Aside
from .asks import Asks
from .ballots import Ballots
from .caretaker import Caretaker
from .config import Secrets, Settings
from .excerpts import Excerpts
from .expiries import Expiries
from .ghosts import Ghosts
from .health import health_routes
from .homeserver import AppserviceHomeserver
from .i18n import Voice
from .inbox import Inbox
from .intake import Intake
from .keeper import Keeper
from .links import Links
from .media import Media
from .metrics import Figures, Metrics
from .networks.base import Network
from .networks.events import Connection, ConnectionState, Event
from .offers import Offers
from .people import People
from .people_here import HereSide
from .pictures import Pictures
from .reactions import Reactions
from .registration import ID
from .relay import Relay
from .rendering import Rendering
from .reports import Reports
from .rooms import Rooms
from .statuses import Statuses
from .store import Item, Store, now_ms
from .store_standing import Standings
from .structure import Structure
from .timers import Timers
from .to_matrix import ToMatrix
from .to_network import ToNetwork
from .topics import Topics
from .votes import Votes
from .wording import Wording

log = logging.getLogger(__name__)


class Bridge:
    """The whole bridge over a started store. ``run`` it; cancel to stop."""

    def __init__(
        self, settings: Settings, tokens: Secrets, store: Store, homeserver: AppserviceHomeserver
    ) -> None:
        self._settings = settings
        self._store = store
        self._homeserver = homeserver
        self._networks = settings.networks
        self._connected: dict[NetworkName, bool] = dict.fromkeys(settings.networks, False)
        self._voice, self._rooms, self._links = Voice(settings.language), Rooms(homeserver.user), Links()
        self._admins = Admins(homeserver, self._rooms)
        self._statuses = Statuses(homeserver, self._rooms, self._voice, now_ms)
        self._topics = Topics(homeserver, store, self._rooms)
        self._timers = Timers(homeserver, store, self._rooms)
        self._expiries = Expiries(homeserver, store)
        self._ghosts = Ghosts(
            homeserver,
            store,
            self._rooms,
            key=tokens.key,
            domain=settings.domain,
            name=settings.display_name,
            pictures=Pictures(homeserver.media, settings.networks),
        )
        self._metrics = metrics = Metrics(settings.networks)
        self._media = self._make_media(tokens.key)
        self._structure = self._make_structure(tokens.key)
        self._people = self._make_people()
        self._caretaker = self._make_caretaker(tokens.key)
        self._keeper = self._make_keeper()
        self._structure.nudge = self._keeper.nudge
        relay = self._make_relay()
        self._inbox = Inbox(store, metrics.counting(relay.handle), metrics.failing(self._reports.report))
        self._intake = self._make_intake()
        self._web = self._make_web(tokens.homeserver_token)

    def _make_web(self, token: str) -> web.Application:
        routes = [*health_routes(self.figures, self._metrics), *self._media.routes()]
        made = application(token, self.accept, self._knows, routes)
        made.middlewares.insert(0, self._metrics.watching())
        return made

    def _make_media(self, key: bytes) -> Media:
        return Media(
            self._settings.media,
            key=key,
            store=self._store,
            repository=self._homeserver.media,
            voice=self._voice,
            count=self._metrics.file,
        )

    def _make_keeper(self) -> Keeper:
        offers = Offers(
            self._homeserver, self._rooms, self._admins, self._networks, links=self._links, voice=self._voice
        )
        return Keeper(
            homeserver=self._homeserver,
            rooms=self._rooms,
            links=self._links,
            ghosts=self._ghosts,
            caretaker=self._caretaker,
            offers=offers,
        )

    def _make_intake(self) -> Intake:
        return Intake(
            bot=self._homeserver.user,
            inbox=self._inbox,
            keeper=self._keeper,
            caretaker=self._caretaker,
            links=self._links,
            rooms=self._rooms,
            ghosts=self._ghosts,
            admins=self._admins,
        )

    def _make_structure(self, key: bytes) -> Structure:
        return Structure(
            homeserver=self._homeserver,
            rooms=self._rooms,
            treaties=Treaties(self._store),
            admins=self._admins,
            asks=Asks(self._homeserver, self._rooms, self._admins, key),
            voice=self._voice,
        )

    def _make_people(self) -> People:
        return People(
            here=HereSide(self._homeserver, self._rooms, self._voice),
            standings=Standings(self._store),
            rooms=self._rooms,
            ghosts=self._ghosts,
            admins=self._admins,
            voice=self._voice,
        )

    def _make_caretaker(self, key: bytes) -> Caretaker:
        return Caretaker(
            homeserver=self._homeserver,
            networks=self._networks,
            rooms=self._rooms,
            links=self._links,
            statuses=self._statuses,
            topics=self._topics,
            timers=self._timers,
            structure=self._structure,
            people=self._people,
            store=self._store,
            voice=self._voice,
            key=key,
        )

    def _make_relay(self) -> Relay:
        excerpts = Excerpts(self._homeserver, self._rooms)
        ballots = Ballots(self._homeserver)
        votes = Votes(self._store, self._rooms, self._ghosts, ballots, self._voice)
        to_network = self._make_to_network(excerpts, votes)
        self._reports = self._make_reports(to_network)
        return Relay(
            homeserver=self._homeserver,
            networks=self._networks,
            links=self._links,
            keeper=self._keeper,
            caretaker=self._caretaker,
            topics=self._topics,
            timers=self._timers,
            to_matrix=self._make_to_matrix(excerpts, votes),
            to_network=to_network,
            reports=self._reports,
        )

    def _make_to_matrix(self, excerpts: Excerpts, votes: Votes) -> ToMatrix:
        return ToMatrix(
            self._homeserver,
            self._ghosts,
            self._store,
            topics=self._topics,
            timers=self._timers,
            expiries=self._expiries,
            networks=self._networks,
            rendering=Rendering(self._homeserver, self._store, self._rooms, self._ghosts, self._voice),
            votes=votes,
            excerpts=excerpts,
            media=self._media,
        )

    def _make_to_network(self, excerpts: Excerpts, votes: Votes) -> ToNetwork:
        wording = Wording(
            self._store,
            self._rooms,
            self._ghosts,
            excerpts=excerpts,
            timers=self._timers,
            media=self._media,
            voice=self._voice,
            bot=self._homeserver.user,
        )
        reactions = Reactions(self._store, self._rooms, excerpts, self._voice)
        return ToNetwork(self._store, self._rooms, wording=wording, reactions=reactions, votes=votes)

    def _make_reports(self, to_network: ToNetwork) -> Reports:
        return Reports(
            homeserver=self._homeserver,
            networks=self._networks,
            links=self._links,
            rooms=self._rooms,
            admins=self._admins,
            aside=Aside(self._store),
            to_network=to_network,
            voice=self._voice,
            push=self._push,
        )

    def _push(self, items: Iterable[Item]) -> None:
        self._inbox.push(items)

    async def run(self) -> None:
        """Listen, learn the links, ask for what was queued, connect, carry. Raises ``Misconfigured`` where
        the port is taken.
        """
        await self._ghosts.load()
        runner = web.AppRunner(self._web, access_log=None, shutdown_timeout=5)
        await runner.setup()
        try:
            await self._listen(runner)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keeper.run(), name="keeper")
                tasks.create_task(self._inbox.run(), name="inbox")
                tasks.create_task(self._expiries.run(), name="expiries")
                tasks.create_task(self._greet(), name="greet the homeserver")
                for network in self._networks.values():
                    tasks.create_task(self._connect(network), name="network")
        finally:
            await runner.cleanup()

    async def figures(self) -> Figures:
        """What can be counted now. Raises ``TryLater`` where the database does not answer."""
        waiting, aside = await self._store.counts()
        return Figures(
            ready=self._keeper.ready.is_set(),
            waiting=waiting,
            aside=aside,
            links={str(state): number for state, number in self._statuses.counts().items()},
            refused_rooms=len(self._statuses.refused),
            networks=self._connected,
        )

    async def _listen(self, runner: web.AppRunner) -> None:
        site = web.TCPSite(runner, self._settings.host, self._settings.port)
        try:
            await site.start()
        except OSError as error:
            raise Misconfigured("port_taken", setting="appservice.port") from error
        log.info("Listening")

    async def accept(self, events: Sequence[Mapping[str, object]]) -> None:
        """Take the events of a transaction; returns when they are committed. Raises ``TryLater`` where they
        cannot be.

        Before the links are known nothing can be told apart: the homeserver sends again, and ``_greet`` asks
        it to.
        """
        if not self._keeper.ready.is_set():
            raise TryLater("starting")
        await self._intake.from_homeserver(events)

    def _knows(self, user: str) -> bool:
        return user == self._homeserver.user or self._ghosts.person(UserId(user)) is not None

    async def _greet(self) -> None:
        """Make the bot's user, then have the homeserver send at once what it queued while we were away."""
        await _until_done("registering the bot", self._homeserver.register)
        await self._keeper.ready.wait()
        await _until_done("the homeserver's ping", lambda: self._homeserver.ping(ID, secrets.token_hex(8)))
        log.info("Ready")

    async def _connect(self, network: Network) -> None:
        async def receive(event: Event) -> None:
            if isinstance(event, Connection):
                self._connected[network.name] = event.state is ConnectionState.CONNECTED
            await self._intake.from_network(network.name, event)

        # What a network says before the links are known would be taken for nobody's.
        await self._keeper.ready.wait()
        await network.run(receive)
        log.warning(
            "The network %s needs its account to be mended; it is left alone until a restart", network.name
        )


async def _until_done(what: str, ask: Callable[[], Awaitable[None]]) -> None:
    wait = 0.5
    while True:
        try:
            await ask()
            return
        except HavenError as error:
            log.warning("Not yet possible: %s: %s", what, error)
            after = error.after if isinstance(error, TryLater) and error.after is not None else wait
            await asyncio.sleep(after)
            wait = min(wait * 2, 15.0)

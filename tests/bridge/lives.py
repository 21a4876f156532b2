"""A whole bridge between the fake homeserver and the memory network, which can be killed at any step and
live again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from mautrix.util.async_db import Connection

from bridge.app import Bridge
from bridge.commit import GroupCommit, Job
from bridge.config import Secrets, Settings
from bridge.media_settings import MediaSettings
from bridge.networks.base import Capabilities
from bridge.networks.events import Role
from bridge.networks.memory import EVERYTHING, MEMORY, Heard, MemoryNetwork, MemoryServer
from bridge.store import Store
from haven.errors import HavenError, Refused, TryLater
from haven.ids import ChatId, EventId, Network, RemoteUserId, RoomId, RoomVersion, UserId
from haven.ports import Content, NewRoom
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.homeserver_client import FakeClient
from tests.fakes.homeserver_faults import Killed
from tests.fakes.homeserver_media import FakeMedia, FakeRepository
from tests.fakes.homeserver_room import Event

T = TypeVar("T")
CHAT = ChatId("fathers")
LINK_KEY = f"memory:{CHAT}"
BRIDGE_KEY = f"haven://memory/{CHAT}"
DOMAIN = "haven.test"
BOT = UserId(f"@haven-bridge:{DOMAIN}")
PATIENCE = 20.0


@dataclass
class Fate:
    """When the bridge dies: at its ``at``-th step from now, before or after the step's effect. ``None``:
    never.
    """

    at: int | None = None
    after_effect: bool = False
    steps: int = 0
    dead: bool = False

    def step(self, *, after: bool) -> None:
        """One step begins (or, ``after``, has had its effect)."""
        if self.dead:
            raise Killed
        self.steps += not after
        if self.steps == self.at and after == self.after_effect:
            self.dead = True
            raise Killed


class FakeAppservice(FakeClient):
    """The fake homeserver as the bridge sees it: its ports, and what an appservice may do besides."""

    def __init__(
        self,
        server: FakeHomeserver,
        user: UserId,
        registered: set[UserId],
        pinged: asyncio.Event,
        files: FakeMedia,
    ) -> None:
        super().__init__(server, user)
        self._registered = registered
        self._pinged = pinged
        self._files = files

    def as_user(self, user: UserId) -> "FakeAppservice":
        """See the port."""
        return FakeAppservice(self._server, user, self._registered, self._pinged, self._files)

    @property
    def media(self) -> FakeRepository:
        """See the port."""
        return self._files.of(self.user, self._asking)

    async def register(self) -> None:
        """See the port."""
        async with self._asking("register"):
            self._registered.add(self.user)

    async def read_event(self, room: RoomId, event: EventId) -> tuple[UserId, Content]:
        """See the port."""
        async with self._asking("read_event", room, event):
            found = self._server.rooms[room].events[event]
            return found.sender, found.content

    async def ping(self, appservice: str, transaction: str) -> None:
        """See the port."""
        async with self._asking("ping"):
            self._pinged.set()

    async def whoami(self) -> UserId:
        """See the port."""
        return self.user


class DyingCommit(GroupCommit):
    """The database of a process that may die before or after any commit, and does nothing once it is dead."""

    fate: Fate

    def enqueue(self, job: Job[T]) -> asyncio.Future[T]:
        """See `GroupCommit.enqueue`."""
        fate = self.fate
        fate.step(after=False)

        async def live(connection: Connection) -> T:
            if fate.dead:
                raise ConnectionError
            return await job(connection)

        done = super().enqueue(live)
        if fate.after_effect and fate.steps == fate.at:
            done.add_done_callback(lambda _: setattr(fate, "dead", True))
        return done

    async def ask(self, job: Job[T]) -> T:
        """See `GroupCommit.ask`."""
        done = await super().ask(job)
        self.fate.step(after=True)
        return done


class Town(MemoryServer):
    """The memory network, whose writes are steps as well."""

    fate: Fate
    refuse_sends = False
    bugs = 0

    async def write(self, chat: ChatId, part: Heard) -> None:
        """See `MemoryServer.write`. What was written to the wire is out, so death can only come after it
        here.
        """
        if self.refuse_sends:
            raise Refused("network_refused")
        await super().write(chat, part)
        if self.bugs:
            self.bugs -= 1
            raise KeyError
        if self.fate.after_effect:
            self.fate.steps += 1
            if self.fate.steps == self.fate.at:
                self.fate.dead = True
                raise Killed


@dataclass
class Lives:
    """The world that outlives the bridge. Alice is at home on Matrix; Oscar is operator of the chat."""

    place: Path
    capabilities: Capabilities = EVERYTHING
    shown: str = "{name} ({network})"
    homeserver: FakeHomeserver = field(default_factory=FakeHomeserver)
    town: Town = field(default_factory=Town)
    others: Mapping[Network, MemoryServer] = field(default_factory=dict)
    """More networks, by name."""
    files: FakeMedia = field(default_factory=FakeMedia)
    media: MediaSettings = field(default_factory=MediaSettings)
    fate: Fate = field(default_factory=Fate)
    registered: set[UserId] = field(default_factory=set)
    room: RoomId = RoomId("")
    bridge: Bridge | None = None
    refused: int = 0
    """How often a transaction was not taken."""
    store: Store | None = None

    def __post_init__(self) -> None:
        self.alice = self.homeserver.person("alice")
        self.homeserver.display_names[self.alice.user] = "Alice"
        self.oscar = RemoteUserId("oscar")
        self._queue: list[Mapping[str, object]] = []
        self._pinged = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._pump: asyncio.Task[None] | None = None
        self.town.fate = self.fate
        self.homeserver.on_event(self._note)
        # Killed requests are steps of the same life.
        self.homeserver.faults.before.append(lambda request: self._bridge_step(request.user, after=False))
        self.homeserver.faults.after.append(lambda request: self._bridge_step(request.user, after=True))

    async def begin(self) -> None:
        """Make the room, and Oscar."""
        self.room = await self.alice.create_room(NewRoom("Fathers", RoomVersion("12")))
        await self.town.join(CHAT, "oscar", Role.OPERATOR)
        self._pump = asyncio.create_task(self._push())

    async def live(self) -> None:
        """Start the bridge (again) on what it left behind."""
        await self.die()
        self.fate.dead, self.fate.steps, self.fate.at = False, 0, None
        self.store = Store(f"sqlite:{self.place}/bridge.db")
        commit = DyingCommit(self.store._commit._database)
        commit.fate = self.fate
        self.store._commit = commit
        await self.store.start()
        networks = {MEMORY: MemoryNetwork(self.town, self.capabilities)}
        more = {name: MemoryNetwork(server, self.capabilities, name) for name, server in self.others.items()}
        settings = Settings(
            homeserver="",
            domain=DOMAIN,
            host="127.0.0.1",
            port=0,
            address="",
            registration=self.place / "registration.yaml",
            key_file=self.place / "haven.key",
            database="",
            language="en",
            display_name=self.shown,
            log="info",
            networks={**networks, **more},
            media=self.media,
        )
        secrets = Secrets("as", "hs", b"0123456789abcdef")
        bot = FakeAppservice(self.homeserver, BOT, self.registered, self._pinged, self.files)
        self.bridge = Bridge(settings, secrets, self.store, bot)
        self._running = asyncio.create_task(self.bridge.run())

    async def die(self) -> None:
        """End the bridge at once, wherever it is."""
        self.fate.dead = True
        running, store = self._running, self.store
        self.bridge = self._running = self.store = None
        if running is not None:
            running.cancel()
            with suppress(asyncio.CancelledError):
                try:
                    await running
                except* (Killed, ConnectionError, HavenError):
                    pass
        if store is not None:
            await store.stop()

    @property
    def dead(self) -> bool:
        """Whether fate has struck."""
        return self.fate.dead

    async def end(self) -> None:
        """End everything."""
        await self.die()
        if self._pump is not None:
            self._pump.cancel()
            with suppress(asyncio.CancelledError):
                await self._pump

    # --- what people do -------------------------------------------------------------------------------------

    async def ask_for_link(self) -> None:
        """What the plugin does."""
        await self.alice.invite(self.room, BOT)
        levels = {**(await self.alice.state_content(self.room, "m.room.power_levels")), "users": {BOT: 90}}
        await self.alice.send_state(self.room, "m.room.power_levels", "", levels)
        link = {"version": 1, "network": MEMORY, "chat": CHAT, "by": self.alice.user, "proven": False}
        await self.alice.send_state(self.room, "chat.haven.link", LINK_KEY, {**link, "kept": "yes"})

    async def link(self) -> None:
        """Ask for the link and have Oscar prove it."""
        await self.ask_for_link()
        await self.until(lambda: self.status().get("state") == "proof")
        await self.town.speak(CHAT, self.oscar, str(self.status()["code"]))
        await self.until(lambda: self.status().get("state") == "linked")

    def status(self) -> Mapping[str, object]:
        """The link's status, as anybody in the room can read it."""
        found = self.homeserver.rooms[self.room].content("m.bridge", BRIDGE_KEY).get("chat.haven.status", {})
        assert isinstance(found, Mapping)
        return found

    async def say(self, text: str) -> EventId:
        """Alice says something."""
        content = {"msgtype": "m.text", "body": text}
        return await self.alice.send_message(self.room, "m.room.message", content, f"alice {text}")

    def said(self) -> list[str]:
        """What ghosts said in the room, in order."""
        return [str(event.content.get("body")) for event in self.by_ghosts("m.room.message")]

    def by_ghosts(self, kind: str) -> list[Event]:
        """The events of a type that ghosts sent."""
        timeline = self.homeserver.rooms[self.room].timeline
        return [one for one in timeline if one.type == kind and one.sender.startswith("@_haven_")]

    def heard(self) -> list[str]:
        """What people of the chat heard from the bridge."""
        return [part.text for part in self.town.chat(CHAT).heard]

    async def until(self, fits: Callable[[], bool]) -> None:
        """Wait for something to be true."""
        async with asyncio.timeout(PATIENCE):
            while not fits():  # noqa: ASYNC110  # it may become true on either side, in the store, or by death
                await asyncio.sleep(0.005)

    # --- the homeserver's queue -----------------------------------------------------------------------------

    def _note(self, event: Event) -> None:
        raw: dict[str, object] = {
            "event_id": event.id,
            "room_id": event.room,
            "type": event.type,
            "sender": event.sender,
            "content": dict(event.content),
            "origin_server_ts": event.at,
        }
        if event.key is not None:
            raw["state_key"] = event.key
        if event.redacts:
            raw["redacts"] = event.redacts
        self._queue.append(raw)

    async def _push(self) -> None:
        while True:
            batch = self._queue[:3]
            if (
                batch
                and self.bridge is not None
                and not self.dead
                and await self._taken(self.bridge.accept, batch)
            ):
                del self._queue[: len(batch)]
            else:
                await asyncio.sleep(0.002)

    async def _taken(
        self,
        accept: Callable[[list[Mapping[str, object]]], Awaitable[None]],
        batch: list[Mapping[str, object]],
    ) -> bool:
        try:
            await accept(batch)
        except (TryLater, Killed):
            self.refused += 1
            return False
        return not self.dead

    def _bridge_step(self, user: UserId, *, after: bool) -> None:
        if user == BOT or user.startswith("@_haven_"):
            self.fate.step(after=after)

"""Starts and stops the plugin in maubot, and hands on what maubot's client hears."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

from maubot.plugin_base import Plugin
from mautrix.client import InternalEventType
from mautrix.types import EventType, MessageEvent
from mautrix.util.async_db import Database, UpgradeTable

from haven.errors import HavenError
from haven.ids import RoomId, UserId
from haven.phrases import Phrases

from .catchup import Catchup
from .clock import SystemClock
from .commands.dispatcher import Dispatcher
from .config import Config, Settings, WrongSetting
from .dealers import open_upgrades, register_dealers
from .desk import open_desk
from .engine import Engine, build
from .entrance.entrance import open_entrance
from .events import Incoming, Nudge, message, news
from .faults import reference_of
from .homeserver import MautrixHomeserver
from .homeserver_messages import Messenger
from .i18n import LANGUAGES, read_phrases
from .migrations import upgrades
from .personal.personal import open_personal
from .replies import Replies
from .safety.safety import open_safety
from .service.disappearing import open_disappearing
from .service.links import Links
from .service.services import Services
from .store import Store, now_ms

LATE = 3_600_000
"""Milliseconds after which a command that nobody heard is not carried out any more: people have gone on since."""


class HavenBot(Plugin):
    """The plugin, as maubot sees it. Handlers only mark and wake: mautrix runs them side by side."""

    _engine: Engine | None = None
    _task: asyncio.Task[None] | None = None
    _catchup: Catchup | None = None

    @classmethod
    def get_config_class(cls) -> type[Config]:
        """See maubot."""
        return Config

    @classmethod
    def get_db_upgrade_table(cls) -> UpgradeTable:
        """See maubot."""
        return upgrades

    async def start(self) -> None:
        """Begin. Raises `WrongSetting`, and then nothing has been started."""
        settings = await self._settings()
        await self._open(settings)
        self.client.add_event_handler(InternalEventType.SYNC_SUCCESSFUL, self._synced, wait_sync=True)
        self.client.add_event_handler(EventType.ROOM_MESSAGE, self._heard)

    async def stop(self) -> None:
        """Lay everything down."""
        self.client.remove_event_handler(InternalEventType.SYNC_SUCCESSFUL, self._synced)
        self.client.remove_event_handler(EventType.ROOM_MESSAGE, self._heard)
        await self._close()

    async def on_external_config_update(self) -> None:
        """Begin anew with what the operator has set; a wrong setting is named in the log and changes nothing."""
        try:
            settings = await self._settings()
        except WrongSetting:
            return
        await self._close()
        await self._open(settings)

    async def _settings(self) -> Settings:
        assert isinstance(self.config, Config)  # noqa: S101 - maubot makes it of `get_config_class`
        try:
            settings = self.config.read(LANGUAGES)
            await self._check_version(settings)
        except WrongSetting as wrong:
            self.log.error("%s", wrong.sentence)  # noqa: TRY400 - a sentence for the operator, not a trace
            raise
        return settings

    async def _check_version(self, settings: Settings) -> None:
        try:
            known = await MautrixHomeserver(self.client).room_versions()
        except HavenError:
            return
        if known and settings.version not in known:
            raise WrongSetting(
                "room_version", f"must be one that the homeserver knows: {', '.join(sorted(known))}"
            )

    async def _open(self, settings: Settings) -> None:
        assert isinstance(self.database, Database)  # noqa: S101 - maubot makes it, as maubot.yaml asks
        homeserver, phrases = MautrixHomeserver(self.client), await self._phrases()
        messages = Messenger(homeserver)
        store, replies = Store(self.database), Replies(messages, phrases)
        engine = build(homeserver, settings, store, replies, SystemClock())
        desk = open_desk(self.database, engine, replies)
        engine.watch.changed = Links(engine.communities, replies, store).noticed
        entrance = open_entrance(self.database, engine, desk, replies, homeserver)
        safety = open_safety(engine, desk, messages, homeserver)
        personal = open_personal(self.database, desk, entrance, safety.reports.reporters)
        communities, jobs = engine.communities, engine.jobs
        services = Services(
            communities,
            jobs,
            messages,
            settings,
            phrases,
            homeserver,
            desk,
            entrance,
            safety,
            personal,
            open_upgrades(self.database, engine, desk, replies, homeserver),
        )
        register_dealers(services, engine)
        open_disappearing(engine, desk, messages)
        engine.answer = Dispatcher(services).handle
        self._catchup = Catchup(homeserver, store, self._take, engine.clock, self._spaces, self._witnessed)
        engine.besides.append(self._catchup.run)
        self._engine = engine
        self._task = asyncio.create_task(self._run(engine), name=f"haven {self.id}")

    async def _close(self) -> None:
        task, self._engine, self._task, self._catchup = self._task, None, None, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self, engine: Engine) -> None:
        try:
            await engine.run()
        except Exception as error:
            reference_of(self.log, error, "the engine, which has stopped")

    async def _phrases(self) -> Phrases:
        folder = f"{__name__.rpartition('.')[0]}/i18n"
        return await read_phrases(lambda name: self.loader.read_file(f"{folder}/{name}"))

    async def _synced(self, told: dict[str, Any]) -> None:
        """The homeserver has told what is new. Read as it came: mautrix passes over the first answer after a start."""
        self._take(told["data"])
        if self._catchup is not None:
            self._catchup.came_to(told["data"]["next_batch"])

    def _take(self, answer: Mapping[str, Any]) -> None:
        if self._engine is not None:
            for each in news(answer, self._user):
                if not isinstance(each, Incoming) or each.at > now_ms() - LATE:
                    self._engine.take(each)

    def _spaces(self) -> Collection[RoomId]:
        world = self._engine.rooms.world if self._engine is not None else {}
        return [room for room, seen in world.items() if seen.is_space]

    def _witnessed(self, answer: Mapping[str, Any]) -> None:
        """What was done while we were away: old news, which changes nothing of what we see of the rooms."""
        if self._engine is not None:
            for each in news(answer, self._user):
                if isinstance(each, Nudge):
                    self._engine.witness(each)

    async def _heard(self, event: MessageEvent) -> None:
        """A message that mautrix has handed on: for us those that it had to decrypt, the others we know."""
        said = message(event.serialize(), RoomId(event.room_id), self._user)
        if said is not None and self._engine is not None:
            self._engine.hear(said)

    @property
    def _user(self) -> UserId:
        return UserId(self.client.mxid)

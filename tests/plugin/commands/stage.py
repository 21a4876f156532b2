"""A community in memory with people of every role, and commands said in it: the real engine, words and all."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from haven.founding import Founding, Titles, WishedGroup
from haven.ids import EventId, RoomId, RoomVersion, UserId
from haven.model import Community, JoinPolicy, Kind, Role, Settings, Visibility
from haven.ports import Content
from plugin.commands import Dispatcher
from plugin.config import Settings as Configured
from plugin.dealers import open_upgrades, register_dealers
from plugin.desk import open_desk
from plugin.engine import Engine, build
from plugin.entrance.entrance import open_entrance
from plugin.events import Incoming, Nudge, posted, reaction
from plugin.homeserver_messages import Messenger
from plugin.personal.personal import open_personal
from plugin.replies import Replies
from plugin.safety.safety import open_safety
from plugin.service.roles import Grant
from plugin.service.services import Services
from plugin.service.work import Report
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.homeserver_client import FakeClient
from tests.fakes.homeserver_faults import Request
from tests.fakes.homeserver_room import Event
from tests.plugin.catalogues import all_phrases
from tests.plugin.life import FastClock

NAME = "Fathers"
TITLES = Titles("Announcements", "General chat", "Admins")
GROUPS = (
    WishedGroup("Madrid", topic="For those in Madrid"),
    WishedGroup("Brno", Visibility.REQUEST),
    WishedGroup("Quiet", Visibility.HIDDEN),
)
BRIDGE = "haven-bridge"
PEOPLE = {
    "owner": Role.OWNER,
    "admin": Role.ADMIN,
    "moderator": Role.MODERATOR,
    "greeter": Role.GREETER,
    "announcer": Role.ANNOUNCER,
    "groupadmin": Role.GROUP_ADMIN,
    "member": Role.MEMBER,
}
"""Who is in the community, by the name of their account. `stranger` is in none of its rooms."""


@dataclass
class Stage:
    """Everything on it. ``space`` is the community's; a direct chat with the bot is made for whoever needs one."""

    server: FakeHomeserver
    engine: Engine
    services: Services
    dispatcher: Dispatcher
    space: RoomId = RoomId("")

    @property
    def bot(self) -> UserId:
        """The bot."""
        return self.engine.homeserver.user

    def person(self, name: str) -> FakeClient:
        """Somebody, by the name of their account."""
        return self.server.person(name)

    def user(self, name: str) -> UserId:
        """The id of somebody."""
        return self.person(name).user

    async def community(self) -> Community:
        """The community as it is now."""
        return await self.engine.communities.fresh(self.space)

    async def room(self, name: str) -> RoomId:
        """A room by its name, or its kind."""
        groups = (await self.community()).groups
        return next(group.room for group in groups if name in {group.name, group.kind})

    async def direct(self, name: str) -> RoomId:
        """A direct chat of somebody with the bot."""
        from haven.ports import NewRoom

        room = await self.person(name).create_room(
            NewRoom(f"{name} and bot", RoomVersion("11"), invite=[self.bot])
        )
        await self.person("bot").join(room)
        await self.engine.rooms.look()
        return room

    async def say(
        self,
        name: str,
        body: str,
        room: RoomId | str = "general",
        html: str = "",
        mentions: tuple[UserId, ...] = (),
    ) -> list[Event]:
        """Somebody says something; gives what the bot has said since, anywhere."""
        where = RoomId(room) if room.startswith("!") else await self.room(room)
        before = set(self._said())
        incoming = await self.incoming(name, body, where, html, mentions)
        await self.dispatcher.handle(incoming)
        await self.engine.jobs.idle()
        return [event for event in self._said().values() if event.id not in before]

    async def incoming(
        self, name: str, body: str, where: RoomId, html: str = "", mentions: tuple[UserId, ...] = ()
    ) -> Incoming:
        """A message as the engine hears it; those who may not speak in the room are heard all the same."""
        event = EventId(f"$said-{name}-{len(self.server.rooms[where].events)}-{abs(hash(body)) % 10_000}")
        return Incoming(where, event, self.user(name), body, html, mentions)

    async def answer(self, name: str, body: str, room: RoomId | str = "general", html: str = "") -> str:
        """What the bot answers, as one text; an edited message counts as what it says in the end."""
        return text_of(await self.say(name, body, room, html))

    def _said(self) -> dict[EventId, Event]:
        found = (event for room in self.server.rooms.values() for event in room.timeline)
        return {e.id: e for e in found if e.type == "m.room.message" and e.sender == self.bot}

    def written(self) -> list[Request]:
        """What the bot has written since the log was emptied, messages left out."""
        requests = self.server.faults.requests
        return [r for r in requests if r.user == self.bot and r.writes and r.port != "send_message"]

    def forget(self) -> None:
        """Empty the log of requests."""
        self.server.faults.requests.clear()

    def power(self, room: RoomId, name: str) -> object:
        """The level that somebody has in a room."""
        users = self.server.rooms[room].content("m.room.power_levels")["users"]
        assert isinstance(users, dict)
        return users.get(self.user(name), 0)


def text_of(events: list[Event]) -> str:
    """The plain texts of messages, the later wording of edited ones."""
    return "\n".join(str(content.get("body")) for content in contents_of(events))


def html_of(events: list[Event]) -> str:
    """The rich texts of messages, the later wording of edited ones."""
    return "\n".join(str(content.get("formatted_body")) for content in contents_of(events))


def contents_of(events: list[Event]) -> list[Content]:
    """What messages say in the end."""
    said: dict[str, Content] = {}
    for event in events:
        new, relation = event.content.get("m.new_content"), event.content.get("m.relates_to")
        if isinstance(new, dict) and isinstance(relation, dict):
            said[str(relation["event_id"])] = new
        else:
            said[event.id] = event.content
    return list(said.values())


@asynccontextmanager
async def staged(
    server: FakeHomeserver,
    store: Store,
    version: str = "12",
    configured: Configured | None = None,
    *,
    empty: bool = False,
) -> AsyncIterator[Stage]:
    """A stage with the community on it, unless it shall be ``empty``."""
    bot = server.person("bot")
    settings = configured or Configured(
        version=RoomVersion(version), bridge=server.person(BRIDGE).user, creators=("*",)
    )
    phrases, messages, clock = await all_phrases(), Messenger(bot), FastClock()
    replies = Replies(messages, phrases, clock.wait)
    engine = build(bot, settings, store, replies, clock)
    services = _services(engine, store, replies, bot)
    register_dealers(services, engine)
    stage = Stage(server, engine, services, Dispatcher(services, clock.wait))
    server.on_event(lambda event: _wire(engine, event), bot.user)
    await engine.watch.open()
    try:
        if not empty:
            await _found(stage)
        stage.forget()
        yield stage
    finally:
        await engine.turns.stop()
        await engine.jobs.stop()
        server._listeners.clear()


def _wire(engine: Engine, event: Event) -> None:
    raw = {"event_id": event.id, "sender": event.sender, "content": event.content}
    if event.key is not None:
        engine.take(Nudge(event.room, event.as_state()))
    elif event.type == "m.room.message" and event.sender != engine.homeserver.user:
        said = posted({**raw, "origin_server_ts": event.at}, event.room)
        if said is not None:
            engine.take(said)
    elif event.type == "m.reaction":
        done = reaction(raw, event.room, engine.homeserver.user)
        if done is not None:
            engine.react(done)


async def _found(stage: Stage) -> None:
    """Make the community and let everybody in."""
    direct = await stage.direct("owner")
    wish = Founding(
        "stage", NAME, stage.user("owner"), TITLES, "A safe place", GROUPS, Settings(join=JoinPolicy.OPEN)
    )
    await stage.engine.jobs.found(wish, Report(direct, EventId("$founding"), "en"))
    await stage.engine.jobs.idle()
    (stage.space,) = (await stage.engine.communities.intent()).communities
    for name in PEOPLE:
        await stage.person(name).join(stage.space)
        for room in ("announcements", "general", "Madrid"):
            await stage.person(name).join(await stage.room(room))
    await stage.engine.communities.change(stage.space, lambda community: _cast(stage, community))
    for name in ("owner", "admin", "moderator", "greeter"):
        await stage.person(name).join(await stage.room("admins"))


def _cast(stage: Stage, community: Community) -> Community:
    madrid = next(group.room for group in community.groups if group.name == "Madrid")
    announcements = community.only(Kind.ANNOUNCEMENTS)
    assert announcements is not None
    rooms = {Role.ANNOUNCER: announcements.room, Role.GROUP_ADMIN: madrid}
    for name, role in PEOPLE.items():
        if role not in {Role.OWNER, Role.MEMBER}:
            community = Grant(stage.user(name), role, rooms.get(role)).carried_out(community)
    return community


def _services(engine: Engine, store: Store, replies: Replies, bot: FakeClient) -> Services:
    """Everything that commands use, over the fake homeserver."""
    desk = open_desk(store._database, engine, replies)
    entrance = open_entrance(store._database, engine, desk, replies, bot)
    safety = open_safety(engine, desk, replies.messages, bot)
    return Services(
        engine.communities,
        engine.jobs,
        replies.messages,
        engine.settings,
        replies.phrases,
        bot,
        desk,
        entrance,
        safety,
        open_personal(store._database, desk, entrance, safety.reports.reporters),
        open_upgrades(store._database, engine, desk, replies, bot),
    )

"""A community in which every command has something to do, made once and then copied for whoever tries something in it."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from haven.ids import EventId, RoomId, RoomVersion
from haven.ports import NewRoom
from plugin.events import Reaction
from plugin.safety.expulsion_cards import EXPULSION
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.homeserver_room import copied
from tests.plugin.commands.stage import Stage, staged, text_of
from tests.plugin.commands.test_report import quiet
from tests.plugin.life import stored
from tests.plugin.rights.document import ACTORS
from tests.plugin.safety.lists import a_list

OTHERS = ("guest", "helper", "loud", "asker", "second")
"""Members whom things are done to."""

CROWD = tuple(f"crowd{number}" for number in range(11))

USUAL, CLOSED, ASLEEP, EVERYONE = "usual", "closed", "asleep", "everyone"
MADE_BY = {
    USUAL: "",
    CLOSED: "!c lockdown",
    ASLEEP: "!c deactivate Fathers",
    EVERYONE: "!c settings who_adds_groups everyone",
}
"""What the owner has said before everything else, by the name of the ground."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was made on the ground: the messages and rooms that commands are about."""

    space: RoomId
    directs: dict[str, RoomId]
    written: EventId
    code: str
    cards: dict[str, str]
    rooms: dict[str, RoomId]
    hill: RoomId
    lists: dict[str, RoomId]


@dataclass(frozen=True, slots=True)
class Mould:
    """A community as it stood at one moment: its rooms, and the file of the database."""

    version: str
    server: FakeHomeserver
    database: bytes
    facts: Facts


@dataclass
class Trial:
    """A copy of the ground in which somebody may try something."""

    stage: Stage
    facts: Facts
    database: Path

    def rows(self, query: str, *values: str) -> list[tuple[object, ...]]:
        """What the database answers."""
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(query, values).fetchall()

    def kept(self) -> tuple[str, ...]:
        """All that stands in the database."""
        with closing(sqlite3.connect(self.database)) as connection:
            return tuple(connection.iterdump())

    def state(self) -> dict[RoomId, dict[tuple[str, str], EventId]]:
        """All state of all rooms."""
        return {room.id: dict(room.state) for room in self.stage.server.rooms.values()}

    def fill(self, words: str, name: str) -> str:
        """A command with what stands for things filled in."""
        facts = self.facts
        own = facts.cards[f"idea of {name}"]
        return words.format(
            name=name, code=facts.code, hill=facts.hill, own_idea=own, **facts.cards, **facts.lists
        )

    async def say(self, name: str, body: str, room: str, reply_to: EventId = EventId("")) -> str:
        """Somebody says something; gives what the bot says to it, anywhere."""
        stage = self.stage
        where = self.facts.directs[name] if room == "direct" else self.facts.rooms[room]
        before = set(stage._said())
        incoming = await stage.incoming(name, body, where)
        await stage.dispatcher.handle(replace(incoming, reply_to=reply_to))
        await stage.engine.jobs.idle()
        await quiet(stage)
        return text_of([event for event in stage._said().values() if event.id not in before])

    async def react(self, name: str, card: str, emoji: str) -> str:
        """Somebody reacts to a card, as the engine hears it: who is not in the admins' room is heard all the same."""
        stage, found = self.stage, await self.stage.services.desk.cards.store.card(self.facts.cards[card])
        assert found is not None
        before = set(stage._said())
        stage.engine.react(Reaction(found.room, EventId(f"$by-{name}"), stage.user(name), found.event, emoji))
        await quiet(stage)
        await stage.engine.jobs.idle()
        return text_of([event for event in stage._said().values() if event.id not in before])

    async def decided(self, card: str) -> str:
        """What was decided about a card."""
        found = await self.stage.services.desk.cards.store.card(self.facts.cards[card])
        assert found is not None
        return found.decided

    @contextmanager
    def unheard(self) -> Iterator[None]:
        """What is done meanwhile the bot does not hear of, as it is just before a command is carried out."""
        server = self.stage.server
        listeners, server._listeners = server._listeners, []
        yield
        server._listeners = listeners

    async def level_by_hand(self, name: str, level: int) -> None:
        """The owner gives somebody a level in the space's settings; the bot does not hear of it before it is asked."""
        space, power = self.facts.space, "m.room.power_levels"
        content = copied(self.stage.server.rooms[space].content(power))
        users = content["users"]
        assert isinstance(users, dict)
        users[self.stage.user(name)] = level
        with self.unheard():
            await self.stage.person("owner").send_state(space, power, "", content)


@dataclass
class Grounds:
    """Every ground there is, made when it is first asked for. ``place``: where databases are put."""

    place: Path
    _moulds: dict[tuple[str, str], Mould] = field(default_factory=dict)
    _copies: int = 0

    @asynccontextmanager
    async def trial(self, version: str, ground: str = USUAL) -> AsyncIterator[Trial]:
        """A copy of a ground."""
        mould = await self._mould(version, ground)
        async with self._opened(mould) as trial:
            trial.stage.forget()
            yield trial

    async def _mould(self, version: str, ground: str) -> Mould:
        if (version, ground) not in self._moulds:
            self._moulds[version, ground] = await self._made(version, ground)
        return self._moulds[version, ground]

    async def _made(self, version: str, ground: str) -> Mould:
        if ground == USUAL:
            return await self._founded(version)
        usual = await self._mould(version, USUAL)
        async with self._opened(usual) as trial:
            said = await trial.say("owner", MADE_BY[ground], "general")
            assert "cannot" not in said, said
            return replace(usual, server=trial.stage.server, database=saved(trial.database))

    def _file(self) -> Path:
        self._copies += 1
        return self.place / f"ground{self._copies}.db"

    async def _founded(self, version: str) -> Mould:
        file, server = self._file(), FakeHomeserver()
        async with stored(str(file)) as store, staged(server, store, version) as stage:
            facts = await furnished(stage)
            await quiet(stage)
            return Mould(version, server, saved(file), facts)

    @asynccontextmanager
    async def _opened(self, mould: Mould) -> AsyncIterator[Trial]:
        file, server = self._file(), copy_of(mould.server)
        file.write_bytes(mould.database)
        async with stored(str(file)) as store, staged(server, store, mould.version, empty=True) as stage:
            stage.space = mould.facts.space
            stage.engine.watch.ready.set()
            yield Trial(stage, mould.facts, file)
        file.unlink()


def saved(database: Path) -> bytes:
    """A database as it is now, though it may be open."""
    with closing(sqlite3.connect(database)) as connection:
        return connection.serialize()


def copy_of(server: FakeHomeserver) -> FakeHomeserver:
    """A homeserver with the same rooms, which goes its own way from now on."""
    copy = FakeHomeserver(server.name)
    copy.rooms = {
        room.id: replace(room, events=dict(room.events), state=dict(room.state), departed=dict(room.departed))
        for room in server.rooms.values()
    }
    copy.display_names, copy._made = dict(server.display_names), server._made
    copy._transactions = dict(server._transactions)
    return copy


async def furnished(stage: Stage) -> Facts:
    """Give every command something to do."""
    stage.engine.watch.ready.set()
    await _peopled(stage)
    directs = {name: await stage.direct(name) for name in (*ACTORS, "asker")}
    await _said_by_owner(stage, "group set Madrid visibility request", "settings join request")
    await _said_by_owner(stage, "role add @helper:haven.test greeter", "role add @second:haven.test admin")
    await _said_by_owner(stage, "role add @elsewhere:haven.test group-admin --group Brno")
    await _said_by_owner(
        stage, "ban @foe:haven.test", "mute @loud:haven.test", "bridge link irc #brno --group Brno"
    )
    invite = await stage.answer("owner", "!c invite create --name Parroquia", await stage.room("admins"))
    code = invite.partition("Its code: ")[2].split()[0].strip("`")
    written = await stage.person("guest").send_message(
        await stage.room("general"), "m.room.message", {"msgtype": "m.text", "body": "nasty"}, "w"
    )
    hill = await _room_to_bring_in(stage, "Hill walks")
    lists = {"fresh": await a_list(stage.server), "watched": await a_list(stage.server, "@crowd*:haven.test")}
    await stage.answer("owner", f"!c banlist watch {lists['watched']}", await stage.room("admins"))
    cards = await _cards(stage, written, await _room_to_bring_in(stage, "Chess"))
    rooms = {
        name: await stage.room(name) for name in ("announcements", "general", "admins", "Madrid", "Brno")
    }
    return Facts(stage.space, directs, written, code, cards, rooms, hill, lists)


async def _peopled(stage: Stage) -> None:
    for name in (*OTHERS, "elsewhere", *CROWD):
        await stage.person(name).join(stage.space)
    for name in ("guest", "helper", "loud", "elsewhere"):
        await stage.person(name).join(await stage.room("general"))
    await stage.person("guest").join(await stage.room("Madrid"))


async def _said_by_owner(stage: Stage, *commands: str) -> None:
    for command in commands:
        said = await stage.answer("owner", f"!c {command}", await stage.room("admins"))
        assert "Done" in said or "I have asked" in said, said


async def _room_to_bring_in(stage: Stage, name: str) -> RoomId:
    """A room that everybody might bring in: all of them can change its levels."""
    maker = stage.person("maker")
    everybody = [stage.user(name) for name in ACTORS]
    users = {maker.user: 100, **dict.fromkeys(everybody, 95), stage.bot: 100}
    power = {"users": users, "events": {"m.room.power_levels": 95}}
    room = await maker.create_room(
        NewRoom(name, RoomVersion("11"), power=power, invite=[stage.bot, *everybody])
    )
    for user in (stage.bot, *everybody):
        await stage.server.client(user).join(room)
    await stage.engine.rooms.look()
    return room


async def _cards(stage: Stage, written: EventId, chess: RoomId) -> dict[str, str]:
    """What waits for a word, by what the tests call it; the values are the ids of the cards."""
    cards, entrance = stage.services.desk.cards, stage.services.entrance
    await stage.person("knocker").knock(stage.space)
    await stage.person("asker").knock(await stage.room("Madrid"))
    await quiet(stage)
    community = await stage.community()
    await entrance.requests.look(community, stage.engine.rooms.world)
    for name in (*ACTORS, "asker"):
        about = {"who": stage.user(name), "name": f"Idea of {name}", "topic": ""}
        asked = {"room": await stage.room("general"), "event": f"$idea-{name}"}
        await cards.deal("suggestion", stage.space, f"idea of {name}", {**about, **asked})
    await stage.services.safety.reports.take(
        await stage.room("general"), written, stage.user("asker"), EventId("$flag")
    )
    await stage.answer("owner", f"!c group adopt {chess}", await stage.room("admins"))
    move = {"version": "99", "who": stage.user("owner"), "space": stage.space}
    await cards.deal("upgrade", stage.space, "99", move)
    for verb in ("remove", "ban"):
        people = " ".join(stage.user(name) for name in CROWD)
        payload = {"verb": verb, "people": people, "by": stage.user("owner"), "reason": ""}
        await cards.deal(EXPULSION, stage.space, verb, payload)
    await stage.answer("owner", "!c owner transfer @second:haven.test", await stage.room("admins"))
    dealt = await cards.open("", stage.space)
    return {_called(stage, card.kind, card.key): card.id for card in dealt}


def _called(stage: Stage, kind: str, key: str) -> str:
    if kind == "knock":
        return "knock_space" if key.startswith(stage.space) else "knock_group"
    return key if kind in {"suggestion", "expulsion"} else kind

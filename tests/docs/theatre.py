"""The homeserver in memory as a theatre: the bot lives there with everything that runs beside it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from embedded.waiting import eventually
from haven.ids import EventId, RoomId, RoomVersion
from haven.ports import NewRoom, StateEvent
from plugin.events import message
from plugin.store import Store
from tests.docs.script import in_the_end
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.homeserver_client import FakeClient
from tests.plugin.commands.stage import Stage, staged

SERVER = "example.org"


@dataclass
class FakeTheatre:
    """Implements `tests.docs.player.Theatre`."""

    stage: Stage
    _rooms: dict[str, RoomId] = field(default_factory=dict)
    _last: dict[str, tuple[RoomId, EventId]] = field(default_factory=dict)
    _count: int = 0

    def person(self, who: str) -> FakeClient:
        """Somebody by the name they have on the page."""
        client = self.stage.person(who.lower())
        self.stage.server.display_names[client.user] = who
        return client

    async def place(self, name: str) -> RoomId:
        """A room by what the page calls it."""
        if name.endswith("'s chat with Haven"):
            who = name.partition("'")[0]
            if name not in self._rooms:
                self.person(who)
                self._rooms[name] = await self.stage.direct(who.lower())
            return self._rooms[name]

        async def found() -> RoomId | None:
            rooms = self.stage.server.rooms.values()
            named = [room for room in rooms if room.content("m.room.name").get("name") == name]
            return named[-1].id if named else None

        room = await eventually(found, f"there is {name}")
        assert room is not None
        return room

    async def say(self, who: str, place: str, text: str, to: str) -> str:
        """See `tests.docs.player.Theatre`."""
        room, self._count = await self.place(place), self._count + 1
        answers = {"m.relates_to": {"m.in_reply_to": {"event_id": self._last[to][1]}}} if to else {}
        content = {"msgtype": "m.text", "body": text, **answers}
        event = await self.person(who).send_message(room, "m.room.message", content, f"say{self._count}")
        self._last[who] = (room, event)
        raw = {"event_id": event, "sender": self.person(who).user, "content": content}
        heard = message(raw, room, self.stage.bot)
        assert heard is not None
        await self.stage.dispatcher.handle(heard)
        await self.stage.engine.jobs.idle()
        return event

    async def said(self, place: str) -> Sequence[tuple[str, str, str]]:
        """See `tests.docs.player.Theatre`."""
        timeline = self.stage.server.rooms[await self.place(place)].timeline
        mine = [each for each in timeline if each.type == "m.room.message" and each.sender == self.stage.bot]
        return in_the_end((event.id, event.content) for event in mine)

    async def join(self, who: str, place: str) -> None:
        """See `tests.docs.player.Theatre`."""
        await self.person(who).join(await self.place(place))

    async def knock(self, who: str, place: str, reason: str) -> None:
        """See `tests.docs.player.Theatre`."""
        await self.person(who).knock(await self.place(place), (), reason)

    async def leave(self, who: str, place: str) -> None:
        """See `tests.docs.player.Theatre`."""
        await self.person(who).leave(await self.place(place))

    async def react(self, who: str, place: str, to: str, emoji: str) -> None:
        """See `tests.docs.player.Theatre`."""
        room, event = self._last[to] if to else await self._card(place, emoji)
        relation = {"rel_type": "m.annotation", "event_id": event, "key": emoji}
        self._count += 1
        await self.person(who).send_message(
            room, "m.reaction", {"m.relates_to": relation}, f"react{self._count}"
        )

    async def _card(self, place: str, emoji: str) -> tuple[RoomId, EventId]:
        """The newest message beneath which the bot offers that choice."""
        room = await self.place(place)

        async def offered() -> EventId | None:
            timeline = self.stage.server.rooms[room].timeline
            mine = [each for each in timeline if each.type == "m.reaction" and each.sender == self.stage.bot]
            relations = [each.content["m.relates_to"] for each in mine]
            fitting = [one for one in relations if isinstance(one, dict) and one["key"] == emoji]
            return EventId(str(fitting[-1]["event_id"])) if fitting else None

        event = await eventually(offered, f"{emoji} is offered")
        assert event is not None
        return room, event

    async def own_room(self, who: str, name: str) -> None:
        """See `tests.docs.player.Theatre`."""
        person = self.person(who)
        power = {"users": {person.user: 100, self.stage.bot: 100}}
        wanted = NewRoom(
            name, RoomVersion("11"), state=self._alias(who, name), power=power, invite=[self.stage.bot]
        )
        await self.stage.person("bot").join(await person.create_room(wanted))

    async def ban_list(self, who: str, name: str, banned: str) -> None:
        """See `tests.docs.player.Theatre`."""
        person, rule = self.person(who), {"entity": banned, "recommendation": "m.ban", "reason": "spam"}
        state = (
            *self._alias(who, name),
            StateEvent("m.room.join_rules", "", person.user, {"join_rule": "public"}),
            StateEvent("m.policy.rule.user", "spam", person.user, rule),
        )
        await person.create_room(NewRoom(name, RoomVersion("11"), state=state))

    def _alias(self, who: str, name: str) -> tuple[StateEvent, ...]:
        content = {"alias": alias_of(name)}
        return (StateEvent("m.room.canonical_alias", "", self.person(who).user, content),)


def alias_of(name: str) -> str:
    """The alias of a room that somebody has of their own."""
    return f"#{name.lower().replace(' ', '-')}:{SERVER}"


@asynccontextmanager
async def theatre(store: Store) -> AsyncIterator[FakeTheatre]:
    """A bot that has no community yet, on example.org."""
    async with staged(FakeHomeserver(SERVER), store, empty=True) as stage:
        running = asyncio.create_task(stage.engine.run())
        try:
            yield FakeTheatre(stage)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

"""A community whose bot lives: everything runs as in maubot, one life after the other over the same homeserver and store."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from embedded.waiting import eventually
from haven.ids import RoomId, UserId
from plugin.config import Settings as Configured
from plugin.store import Store, now_ms
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.homeserver_room import Event
from tests.plugin.commands.stage import Stage, contents_of, staged

SPACE = "space"
ANSWERS = ("✅", "❌")


@dataclass
class Life:
    """One life of the bot. ``ahead``: how far its clock for timers is before ours, in ms."""

    stage: Stage
    ahead: int = 0

    @property
    def space(self) -> RoomId:
        """The space."""
        return self.stage.space

    def said(self, room: RoomId, *, without: frozenset[str] = frozenset()) -> list[str]:
        """What the bot says in a room, each message as it reads in the end."""
        timeline = self.stage.server.rooms[room].timeline
        mine = [e for e in timeline if e.type == "m.room.message" and e.sender == self.stage.bot]
        return [str(content["body"]) for content in contents_of([e for e in mine if e.id not in without])]

    async def until(self, check: Callable[[], object], what: str) -> None:
        """Wait until it is so."""

        async def asked() -> bool:
            return bool(check())

        await eventually(asked, what, timeout=60, interval=0.01)

    async def told(self, room: str | RoomId, words: str) -> str:
        """Wait until the bot has said something with these words in a room; gives the message."""
        where = RoomId(room) if room.startswith("!") else await self.stage.room(room)
        await self.until(lambda: any(words in text for text in self.said(where)), f"{words} is said")
        return next(text for text in self.said(where) if words in text)

    async def card(self, words: str) -> Event:
        """Wait for the card that says this; gives its event."""
        room = await self.stage.room("admins")
        timeline = self.stage.server.rooms[room].timeline

        def found() -> list[Event]:
            told = [e for e in self.stage.server.rooms[room].timeline if e.sender == self.stage.bot]
            return [e for e in told if e.type == "m.room.message" and words in str(e.content.get("body"))]

        await self.until(found, f"a card says {words}; so far {timeline}")
        return found()[0]

    async def react(self, name: str, event: Event, emoji: str) -> None:
        """Somebody reacts to an event; on a card of the bot once the choice is offered."""
        if event.sender == self.stage.bot and emoji in ANSWERS:
            await self.until(lambda: emoji in self._offered(event), f"{emoji} is offered")
        content = {"m.relates_to": {"rel_type": "m.annotation", "event_id": event.id, "key": emoji}}
        await self.stage.person(name).send_message(
            event.room, "m.reaction", content, f"react-{name}-{event.id}-{emoji}"
        )

    def _offered(self, card: Event) -> list[str]:
        timeline = self.stage.server.rooms[card.room].timeline
        mine = [e.content for e in timeline if e.type == "m.reaction" and e.sender == self.stage.bot]
        about = [relation for said in mine if isinstance(relation := said.get("m.relates_to"), dict)]
        return [str(relation["key"]) for relation in about if relation["event_id"] == card.id]

    def membership(self, name: str, room: RoomId | None = None) -> str:
        """What somebody is in a room, in the space where none is given."""
        return self.stage.server.rooms[room or self.space].membership(self.stage.user(name))

    def waits(self, name: str) -> bool:
        """Whether somebody has come and is not greeted yet."""
        known = self.stage.services.entrance.arrivals._known.get(self.space, {})
        one = known.get(self.stage.user(name))
        return one is not None and not one.greeted

    async def member_reason(self, name: str, room: RoomId | None = None) -> str:
        """The reason of somebody's last change of membership."""
        content = self.stage.server.rooms[room or self.space].content("m.room.member", self.stage.user(name))
        return str(content.get("reason", ""))

    async def knock(self, name: str, room: RoomId | None = None, reason: str = "") -> None:
        """Somebody asks to be let in."""
        await self.stage.person(name).knock(room or self.space, (), reason)

    async def until_open(self, cards: int) -> None:
        """Wait until so many requests are before the admins."""
        desk = self.stage.services.desk

        async def so_many() -> bool:
            return len(await desk.cards.open("knock", self.space)) == cards

        await eventually(so_many, f"{cards} cards are open", timeout=20, interval=0.01)

    async def setting(self, key: str, value: str) -> None:
        """An admin sets something."""
        await self.stage.say("admin", f"!c settings {key} {value}", await self.stage.room("admins"))


@asynccontextmanager
async def living(
    server: FakeHomeserver,
    store: Store,
    *,
    space: RoomId | None = None,
    ahead: int = 0,
    configured: Configured | None = None,
) -> AsyncIterator[Life]:
    """One life. ``space``: of an earlier life; without one a community is founded, which one asks to join."""
    async with staged(server, store, configured=configured, empty=space is not None) as stage:
        life = Life(stage, ahead)
        stage.services.desk.timers.epoch = lambda: now_ms() + life.ahead
        stage.space = space or stage.space
        task = asyncio.create_task(stage.engine.run())
        try:
            if space is None:
                await _looked_at(life)
                await life.setting("join", "request")
            yield life
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _looked_at(life: Life) -> None:
    """Wait until the bot knows who has always been there."""
    arrivals = life.stage.services.entrance.arrivals

    async def known() -> bool:
        return UserId("") in await arrivals.store.members(life.space)

    await eventually(known, "the door is looked after", interval=0.01)

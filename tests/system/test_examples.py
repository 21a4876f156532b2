"""The examples of docs/admins.md on real servers: every command is taken as the page tells, and every card answered."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from embedded.matrix import Event, MatrixRefused
from embedded.maubot import Maubot
from embedded.person import Person
from embedded.places import ROOT
from embedded.synapse import Synapse
from embedded.waiting import eventually
from tests.conftest import Newcomer
from tests.docs.player import Player
from tests.docs.script import Words, in_the_end, script
from tests.system.plugin_world import Bot, plugin_in

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

PEOPLE = ("Ana", "Luis", "Tom", "Joe", "Bob", "Mia")
SERVER = "example.org"


@dataclass
class RealTheatre:
    """Implements `tests.docs.player.Theatre`."""

    bot: Bot
    people: dict[str, Person]
    _rooms: dict[str, str] = field(default_factory=dict)
    _last: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def server(self) -> str:
        """The name of the homeserver."""
        return self.bot.person.user_id.partition(":")[2]

    async def place(self, name: str) -> str:
        """A room by what the page calls it."""
        if name not in self._rooms:
            who = name.partition("'s chat with Haven")[0]
            chat = who != name
            self._rooms[name] = await (self.bot.chat(self.people[who]) if chat else self._made(name))
        return self._rooms[name]

    async def _made(self, name: str) -> str:
        async def found() -> str:
            for community in (await self.bot.communities()).values():
                rooms = {
                    community.name: community.space,
                    **{each.name: each.room for each in community.groups},
                }
                if name in rooms:
                    return rooms[name]
            return ""

        return await eventually(found, f"there is {name}")

    async def _messages(self, place: str) -> list[Event]:
        return await self.bot.person.messages(await self.place(place), limit=500)

    async def say(self, who: str, place: str, text: str, to: str) -> str:
        """See `tests.docs.player.Theatre`."""
        room, person = await self.place(place), self.people[who]
        event = await (person.reply(room, self._last[to][1], text) if to else person.say(room, text))
        self._last[who] = (room, event)
        return event

    async def said(self, place: str) -> Sequence[tuple[str, str, str]]:
        """See `tests.docs.player.Theatre`."""
        mine = [each for each in await self._messages(place) if each.sender == self.bot.person.user_id]
        return in_the_end(
            (each.id, each.content) for each in mine if each.type == "m.room.message" and each.content
        )

    async def join(self, who: str, place: str) -> None:
        """See `tests.docs.player.Theatre`; once they may."""
        room = await self.place(place)

        async def joined() -> bool:
            try:
                return bool(await self.people[who].join(room))
            except MatrixRefused:
                return False

        await eventually(joined, f"{who} joins {place}")

    async def knock(self, who: str, place: str, reason: str) -> None:
        """See `tests.docs.player.Theatre`."""
        await self.people[who].knock(await self.place(place), reason)

    async def leave(self, who: str, place: str) -> None:
        """See `tests.docs.player.Theatre`."""
        await self.people[who].leave(await self.place(place))

    async def react(self, who: str, place: str, to: str, emoji: str) -> None:
        """See `tests.docs.player.Theatre`."""
        room, event = self._last[to] if to else await self._card(place, emoji)
        await self.people[who].react(room, event, emoji)

    async def _card(self, place: str, emoji: str) -> tuple[str, str]:
        async def offered() -> str:
            reactions = [each for each in await self._messages(place) if each.type == "m.reaction"]
            relations = [
                r.content.get("m.relates_to", {}) for r in reactions if r.sender == self.bot.person.user_id
            ]
            fitting = [str(one["event_id"]) for one in relations if one.get("key") == emoji]
            return fitting[-1] if fitting else ""

        return await self.place(place), await eventually(offered, f"{emoji} is offered")

    async def own_room(self, who: str, name: str) -> None:
        """See `tests.docs.player.Theatre`."""
        person, bot = self.people[who], self.bot.person
        power = {"users": {person.user_id: 100, bot.user_id: 100}}
        room = await person.create_room(
            name,
            room_alias_name=local(name),
            room_version="11",
            invite=[bot.user_id],
            power_level_content_override=power,
        )
        await bot.join(room)

    async def ban_list(self, who: str, name: str, banned: str) -> None:
        """See `tests.docs.player.Theatre`."""
        person, rule = self.people[who], {"entity": banned, "recommendation": "m.ban", "reason": "spam"}
        room = await person.create_room(name, preset="public_chat", room_alias_name=local(name))
        await person.send_state(room, "m.policy.rule.user", rule, "spam")


def local(name: str) -> str:
    """The local part of the alias of a room that somebody has of their own."""
    return name.lower().replace(" ", "-")


@pytest.fixture
async def theatre(
    maubot: Maubot, homeserver: Synapse, mbp: Path, newcomer: Newcomer
) -> AsyncIterator[RealTheatre]:
    """A bot of its own, and the people of the page by the names they have there."""
    people = {name: await newcomer(name.lower()) for name in PEOPLE}
    for name, person in people.items():
        await person.set_displayname(name)
    bridge, bot = await newcomer("bridge"), await newcomer("haven")
    async with plugin_in(maubot, homeserver, mbp, bot, f'bridge_bot: "{bridge.user_id}"\n') as running:
        yield RealTheatre(running, people)


async def test_the_examples_are_taken_by_real_servers(theatre: RealTheatre) -> None:
    names = {f"@{name.lower()}:{SERVER}": person.user_id for name, person in theatre.people.items()}
    names |= {f"@bot:{SERVER}": theatre.bot.person.user_id, SERVER: theatre.server}
    steps = script(ROOT / "docs" / "admins.md")
    await Player(theatre, Words(names, exact=False)).play(steps)
    (community,) = (await theatre.bot.communities()).values()
    assert community.owner == theatre.people["Luis"].user_id
    assert {"First months", "Single fathers", "Evening walks"} <= {group.name for group in community.groups}

"""The plugin as an operator has it, in an unchanged maubot before a real homeserver, and what the homeserver says came of it."""

import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from embedded.matrix import Event, MatrixRefused
from embedded.maubot import Maubot
from embedded.person import Person
from embedded.proxy import Asked, Proxy
from embedded.synapse import Synapse
from embedded.waiting import eventually
from haven.desired import Actors
from haven.ids import EventId, RoomId, UserId
from haven.intent import read_intent
from haven.model import Community, Group
from haven.plan import plan_for
from haven.ports import StateEvent
from haven.snapshot import Room, World, room_of

PLUGIN = "chat.haven.community"
STILL_AT_IT = "steps done"
"""What a command says that is not done."""

_CODE = re.compile(r"\b[0-9a-z]{26}\b")


@dataclass(frozen=True, slots=True)
class Bot:
    """One instance of the plugin, its account, and the proxy between maubot and the homeserver."""

    maubot: Maubot
    proxy: Proxy
    person: Person
    instance: str

    @property
    def actors(self) -> Actors:
        """Who works for Haven here."""
        return Actors(UserId(self.person.user_id))

    async def world(self) -> World:
        """Every room that the bot is in, as the homeserver tells it now; asked without maubot and the plugin."""
        rooms = [RoomId(room) for room in await self.person.joined_rooms()]
        return {room: await self._room(room) for room in rooms}

    async def _room(self, room: RoomId) -> Room:
        events = await self.person.all_state(room)
        return room_of(
            room,
            (
                StateEvent(
                    event.type,
                    event.state_key or "",
                    UserId(event.sender),
                    event.content,
                    EventId(event.id),
                    event.timestamp,
                )
                for event in events
            ),
        )

    async def communities(self) -> dict[str, Community]:
        """The communities that there are, by name."""
        intent = read_intent(await self.world(), self.actors)
        return {community.name: community for community in intent.communities.values()}

    async def whole(self, name: str, groups: int) -> Community:
        """Wait until the community of that name has so many rooms besides its space and nothing is left to do in it."""

        async def found() -> list[Community]:
            try:
                world = await self.world()
            except MatrixRefused:  # a room that was left between two questions
                return []
            communities = read_intent(world, self.actors).communities.values()
            named = [each for each in communities if each.name == name and len(each.groups) == groups]
            return [each for each in named if not plan_for(each, world, self.actors)]

        return (await eventually(found, f"{name} is whole", timeout=110, interval=0.2))[0]

    async def slots(self, name: str) -> Counter[str]:
        """How many rooms there are for each slot of the community of that name."""
        world = await self.world()
        space = next(room for room in world.values() if room.is_space and room.name == name)
        wish = space.slot.partition("/")[0]
        return Counter(room.slot for room in world.values() if room.slot.startswith(f"{wish}/"))

    async def chat(self, somebody: Person) -> str:
        """A direct chat of somebody with the bot, which has joined."""
        room = await somebody.create_dm(self.person.user_id)

        async def joined() -> bool:
            return self.person.user_id in await somebody.joined(room)

        await eventually(joined, "the bot accepts the invitation")
        return room

    def said(self) -> Counter[tuple[str, str]]:
        """What was asked of the homeserver through the proxy, but for /sync."""
        return Counter({what: count for what, count in self.proxy.counts.items() if what[1] != "/sync"})


@asynccontextmanager
async def plugin_in(
    maubot: Maubot, homeserver: Synapse, mbp: Path, bot: Person, config: str = ""
) -> AsyncIterator[Bot]:
    """The plugin uploaded into a running maubot, with one instance of it behind a proxy."""
    async with Proxy(homeserver.url) as proxy:
        instance = bot.user_id[1:].partition(":")[0]
        if PLUGIN not in await maubot.plugins():
            await maubot.upload(mbp)
        await maubot.add_client(bot.user_id, bot.token, homeserver_url=proxy.url, autojoin=False)
        await maubot.add_instance(instance, PLUGIN, bot.user_id, config)
        try:
            yield Bot(maubot, proxy, bot, instance)
        finally:
            if not maubot.process.running:
                await maubot.start()
            await maubot.stop_instance(instance)
            maubot.forget_client(bot.user_id)


def is_sync(asked: Asked) -> bool:
    """Whether a request only listens."""
    return asked.route == "/sync"


def group(community: Community, name: str) -> Group:
    """The room of that name."""
    return next(each for each in community.groups if each.name == name)


async def founded(bot: Bot, owner: Person, name: str, *groups: str) -> Community:
    """A community that anybody may join, its owner in every room."""
    chat, more = await bot.chat(owner), " ".join(f"--group {each}" for each in groups)
    await owner.say(chat, f'!community create "{name}" {more}')
    made = await bot.whole(name, len(groups) + 3)
    await owner.wait_for_invite(made.space)
    for room in (made.space, *(each.room for each in made.groups)):
        await owner.join(room)
    assert "is now open" in await told(owner, made, "!c settings join open")
    return made


async def told(who: Person, community: Community, command: str, room: str = "Admins") -> str:
    """What the bot answers to a command in a room of the community, by the room's name."""
    return await answered(who, group(community, room).room, command)


async def answered(who: Person, room: str, command: str) -> str:
    """What the bot answers to a command, in the end: what takes long first says how far it is."""
    asked = await who.say(room, command)
    replies: set[str] = set()

    def answers(event: Event) -> bool:
        if event.relates_to.get("m.in_reply_to", {}).get("event_id") == asked:
            replies.add(event.id)
        ours = event.id in replies or event.relates_to.get("event_id") in replies
        return ours and event.type == "m.room.message" and STILL_AT_IT not in event.body

    return (await who.wait_for(room, answers, after=asked, timeout=60)).body


async def card(ana: Person, community: Community, words: str) -> str:
    """The card in the admins' room that says this, once its choices are offered."""
    admins = group(community, "Admins").room

    async def offered() -> str:
        said = await ana.messages(admins)
        under = {event.relates_to.get("event_id") for event in said if event.type == "m.reaction"}
        return next((event.id for event in said if words in event.body and event.id in under), "")

    return await eventually(offered, f"a card says {words}")


def code_in(told: str) -> str:
    """The invite code in what the bot says."""
    found = _CODE.search(told)
    assert found, told
    return found[0]

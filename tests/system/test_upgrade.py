"""Upgrading a group and the space on a real homeserver, 10 to 11 and 11 to 12: what goes along, and how members come over."""

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from embedded.matrix import Event, MatrixRefused, path
from embedded.maubot import Maubot
from embedded.person import Person
from embedded.proxy import Answered, Asked, Drop
from embedded.synapse import Synapse
from embedded.waiting import eventually
from haven.model import Community, Kind
from haven.succession import predecessor
from tests.conftest import Newcomer
from tests.system.plugin_world import Bot, group, plugin_in

pytestmark = pytest.mark.system

ROOMS = 5


@dataclass(frozen=True, slots=True)
class Place:
    """A community in one version that is to go to the next, with its owner and a member."""

    bot: Bot
    name: str
    ana: Person
    eva: Person
    new: str

    async def now(self) -> Community:
        """The community, once nothing is left to do in it."""
        return await self.bot.whole(self.name, ROOMS)

    async def room(self, name: str) -> str:
        """A room of the community as it is today."""
        return group(await self.now(), name).room

    async def version(self, room: str) -> str:
        """The version of a room."""
        create = await self.bot.person.state(room, "m.room.create")
        return str((create or {})["room_version"])

    async def heard(self, room: str, *words: str) -> Event:
        """A message of the bot with all these words, once it is there."""
        return await self.ana.wait_for(room, lambda event: all(each in str(event.content) for each in words))


@pytest.fixture(scope="module", params=[("10", "11"), ("11", "12")], ids="-".join)
async def place(
    request: pytest.FixtureRequest, maubot: Maubot, homeserver: Synapse, mbp: Path, newcomer: Newcomer
) -> AsyncIterator[Place]:
    old, new = request.param
    name, ana, eva = f"Movers {old}", await newcomer("ana"), await newcomer("eva")
    config = f'room_version: "{old}"\n'
    async with plugin_in(maubot, homeserver, mbp, await newcomer("haven"), config) as bot:
        chat = await bot.chat(ana)
        await ana.say(chat, f'!community create "{name}" --group Madrid --group Quiet')
        made = await bot.whole(name, ROOMS)
        await ana.wait_for_invite(made.space)
        for room in (made.space, *(each.room for each in made.groups)):
            await ana.join(room)
        place = Place(bot, name, ana, eva, new)
        desk = group(made, "Admins").room
        await ana.say(desk, "!c settings join open")
        await place.heard(desk, "join")
        await eventually(lambda: _joins(eva, made.space), "the space is open")
        await eva.join(group(made, "Madrid").room)
        await eva.join(group(made, "Quiet").room)
        await ana.say(desk, "!c group set Quiet visibility hidden")
        await place.heard(desk, "is now hidden")
        yield place


async def _joins(who: Person, room: str) -> bool:
    try:
        await who.join(room)
    except MatrixRefused:
        return False
    return True


async def _leads(who: Person, alias: str, room: str) -> bool:
    return (await who.account.request("GET", path("directory", "room", alias))).get("room_id") == room


async def test_an_open_group_goes_on_and_its_members_walk_over(place: Place) -> None:
    before, desk = await place.room("Madrid"), await place.room("Admins")
    await place.ana.send_state(before, "m.room.pinned_events", {"pinned": ["$one"]})
    alias = f"#madrid-{place.new}:{place.ana.user_id.partition(':')[2]}"
    await place.ana.account.request("PUT", path("directory", "room", alias), body={"room_id": before})
    await place.ana.say(desk, f"!c upgrade Madrid --to {place.new}")
    await place.heard(desk, f"has room version {place.new} now")
    after = await place.room("Madrid")
    assert after != before
    assert await place.version(after) == place.new
    pinned = await place.bot.person.state(after, "m.room.pinned_events")
    assert pinned == {"pinned": ["$one"]}
    await eventually(lambda: _leads(place.ana, alias, after), "the alias leads to the new room")
    tombstone = await place.eva.state(before, "m.room.tombstone")
    assert tombstone is not None
    assert tombstone["replacement_room"] == after
    await place.eva.join(after)
    assert place.eva.user_id in await place.bot.person.joined(after)
    with pytest.raises(MatrixRefused):
        await place.eva.say(before, "Is anybody still here?")


async def test_a_hidden_group_asks_its_members_over(place: Place) -> None:
    before, desk = await place.room("Quiet"), await place.room("Admins")
    await place.ana.say(desk, f"!c upgrade Quiet --to {place.new}")
    await place.heard(desk, "Quiet", f"has room version {place.new} now")
    after = await place.room("Quiet")
    assert after != before
    await place.eva.wait_for_invite(after)
    await place.ana.join(after)
    children = {room["room_id"] for room in await place.eva.hierarchy((await place.now()).space)}
    assert not children & {before, after}


async def test_the_space_goes_on_and_restricted_joins_work_through_it(
    place: Place, newcomer: Newcomer
) -> None:
    made, desk = await place.now(), await place.room("Admins")
    await place.ana.ban(made.space, "@nobody:elsewhere.test", "spam")
    await place.ana.say(desk, f"!c upgrade --to {place.new}")
    card = await place.heard(desk, "wants to bring the space")
    await place.ana.react(desk, card.id, "✅")
    await place.heard(desk, f"a new space with room version {place.new}")
    after = (await place.now()).space
    assert after != made.space
    assert await place.version(after) == place.new
    assert (await place.bot.person.members(after))["@nobody:elsewhere.test"].membership == "ban"
    for who in (place.ana, place.eva):
        await who.wait_for_invite(after)
    await place.eva.join(group(made, "General chat").room)
    await place.eva.join(after)
    fay = await newcomer("fay")
    await fay.join(after)
    await fay.join(await place.room("Madrid"))
    await place.ana.join(after)
    await place.ana.say(desk, "!c show")
    await place.heard(desk, "3 members")
    create = await place.ana.state(after, "m.room.create")
    assert create is not None
    assert create["predecessor"]["room_id"] == made.space
    levels = await place.ana.state(after, "m.room.power_levels")
    assert levels is not None
    assert levels["users"].get(place.ana.user_id) == (95 if place.new == "11" else 100)


async def test_killed_as_the_rooms_change_places_it_goes_on_afterwards(place: Place) -> None:
    before, desk, bot = await place.room("Announcements"), await place.room("Admins"), place.bot
    died = asyncio.Event()

    async def after(asked: Asked, answer: Answered) -> Answered | None:
        if asked.method == "PUT" and "m.room.tombstone" in asked.path:
            bot.proxy.after = None
            bot.maubot.process.signal(signal.SIGKILL)
            died.set()
            raise Drop
        return answer

    bot.proxy.after = after
    await place.ana.say(desk, f"!c upgrade announcements --to {place.new}")
    async with asyncio.timeout(60):
        await died.wait()
    await bot.maubot.kill()
    await bot.maubot.start()
    await place.heard(desk, "Announcements", f"has room version {place.new} now")
    made = await place.now()
    after_it = [room.id for room in (await bot.world()).values() if predecessor(room) == before]
    assert after_it == [group(made, "Announcements").room]
    assert made.only(Kind.ANNOUNCEMENTS) == group(made, "Announcements")
    await place.eva.join(after_it[0])
    with pytest.raises(MatrixRefused):
        await place.eva.say(after_it[0], "May I?")


async def test_a_room_that_its_owner_upgraded_with_a_client_is_followed(place: Place) -> None:
    before, desk = await place.room("General chat"), await place.room("Admins")
    upgrade = path("rooms", before, "upgrade")
    answer = await place.ana.account.request("POST", upgrade, {"new_version": place.new})
    await place.heard(desk, "General chat", "was upgraded by hand")
    await place.ana.say(desk, f'!c upgrade "General chat" --to {place.new}')
    await place.heard(desk, "General chat", f"has room version {place.new} now")
    assert await place.room("General chat") == answer["replacement_room"]
    await place.eva.join(await place.room("General chat"))

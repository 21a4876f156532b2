"""A community on one homeserver with members of another: everything between the two goes by federation, certificates verified."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from embedded.federation import Federation
from embedded.matrix import MatrixRefused
from embedded.maubot import Maubot
from embedded.person import Person
from embedded.synapse import Synapse
from embedded.waiting import eventually
from haven.model import Community, Group
from tests.system.plugin_world import Bot, card, code_in, group, plugin_in, told

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

NAME = "Far and near"
ROOMS = 5


@dataclass(frozen=True, slots=True)
class Towns:
    """A community at ``home``, where its owner ana and the bot live, and the homeserver of people ``abroad``."""

    home: Synapse
    abroad: Synapse
    bot: Bot
    ana: Person
    community: Community

    @property
    def via(self) -> Sequence[str]:
        """What every link to the community says."""
        return [self.home.server_name]

    @property
    def madrid(self) -> Group:
        """A group that members join by themselves."""
        return group(self.community, "Madrid")

    @property
    def admins(self) -> str:
        """The admins' room."""
        return group(self.community, "Admins").room

    async def servers(self, room: str) -> list[str]:
        """Through which servers the space says that a room can be reached."""
        child = await self.ana.state(self.community.space, "m.space.child", room) or {}
        return list(child.get("via", []))

    def invited(self) -> int:
        """How often the bot has asked for somebody to be invited."""
        return self.bot.said()["POST", "/rooms/{room}/invite"]

    async def welcomed(self, name: str) -> Person:
        """Somebody abroad who knocked, was approved by a reaction, and is in the space."""
        person = await self.abroad.register(name)
        await person.knock(self.community.space, f"I am {name}", self.via)
        await self.ana.react(self.admins, await card(self.ana, self.community, f"I am {name}"), "✅")
        await person.wait_for_invite(self.community.space)
        await self.enters(person, self.community.space)
        return person

    async def enters(self, person: Person, room: str) -> None:
        """Somebody abroad joins a room, as often as it takes.

        Synapse refuses for a moment whoever is faster than federation: who joins a group before our homeserver heard that they are in the space,
        takes an invitation that their homeserver was told of before ours had stored it, or one that has not come to it as an event of the
        room too ("duplicate auth_events", synapse/events/builder.py).
        """

        async def joined() -> bool:
            try:
                await person.join(room, self.via)
            except MatrixRefused as refusal:
                if refusal.status != 403:
                    raise
                return False
            return True

        await eventually(joined, "federation has told everybody", interval=0.2)


@pytest.fixture(scope="module")
async def towns(server_data: Path, mbp: Path) -> AsyncIterator[Towns]:
    place = server_data / "federation"
    async with AsyncExitStack() as stack:
        federation = await Federation.make(place)
        home = await stack.enter_async_context(Synapse(place / "home", federation=federation))
        abroad = await stack.enter_async_context(Synapse(place / "abroad", federation=federation))
        account, ana = await home.register("haven"), await home.register("ana")
        maubot = await stack.enter_async_context(Maubot(place / "maubot", home.url))
        bot = await stack.enter_async_context(plugin_in(maubot, home, mbp, account))
        await ana.say(await bot.chat(ana), f'!community create "{NAME}" --group Madrid --group Brno')
        community = await bot.whole(NAME, ROOMS)
        await ana.wait_for_invite(community.space)
        for room in (community.space, *(each.room for each in community.groups)):
            await ana.join(room)
        yield Towns(home, abroad, bot, ana, community)


async def test_who_lives_elsewhere_knocks_is_let_in_and_joins_a_group_through_the_space(towns: Towns) -> None:
    eva = await towns.welcomed("eva")
    listed = {str(room["room_id"]) for room in await eva.hierarchy(towns.community.space)}
    assert towns.madrid.room in listed
    assert towns.admins not in listed
    await towns.enters(eva, towns.madrid.room)
    said = await eva.say(towns.madrid.room, "Hello from afar")
    heard = await towns.ana.wait_for(towns.madrid.room, lambda event: event.id == said)
    assert heard.body == "Hello from afar"


async def test_a_second_one_of_there_joins_though_their_own_homeserver_cannot_let_them_in(
    towns: Towns,
) -> None:
    """Nobody there may invite, so the homeserver must ask ours although it is in the room itself."""
    first, second = await towns.welcomed("first"), await towns.welcomed("second")
    for person in (first, second):
        await towns.enters(person, towns.madrid.room)
    assert {first.user_id, second.user_id} <= await towns.ana.joined(towns.madrid.room)


async def test_where_to_find_a_room_says_the_homeservers_of_its_members(towns: Towns) -> None:
    brno, home, abroad = group(towns.community, "Brno").room, towns.home.server_name, towns.abroad.server_name
    assert await towns.servers(brno) == [home]
    eva = await towns.welcomed("traveller")
    await towns.enters(eva, brno)

    async def both() -> bool:
        return await towns.servers(brno) == [home, abroad]

    await eventually(both, "the new homeserver is one to find the room by")
    parent = await towns.ana.state(brno, "m.space.parent", towns.community.space) or {}
    assert parent["via"] == [home, abroad]
    await eva.leave(brno)

    async def one() -> bool:
        return await towns.servers(brno) == [home]

    await eventually(one, "a homeserver without members is none to find the room by")


async def test_who_lives_elsewhere_opens_the_door_with_a_code_in_a_chat(towns: Towns) -> None:
    code = code_in(await told(towns.ana, towns.community, "!c invite create --name Abroad"))
    leo = await towns.abroad.register("leo")
    chat = await towns.bot.chat(leo)
    await leo.say(chat, f"!c join {code}")
    await leo.wait_for_invite(towns.community.space)
    await towns.enters(leo, towns.community.space)
    await towns.enters(leo, towns.madrid.room)
    assert leo.user_id in await towns.ana.joined(towns.madrid.room)


async def test_who_lives_elsewhere_is_banned_everywhere_and_stays_out(towns: Towns) -> None:
    eva = await towns.welcomed("mallory")
    open_to_her = [str(each.room) for each in towns.community.groups if each.room != towns.admins]
    for room in open_to_her:
        await towns.enters(eva, room)
    assert "banned everywhere" in await told(towns.ana, towns.community, f"!c ban {eva.user_id} unkind")
    for room in (towns.community.space, towns.admins, *open_to_her):
        assert (await towns.ana.members(room))[eva.user_id].membership == "ban"
    for room in (towns.community.space, *open_to_her):
        await eva.wait_for(
            room, lambda event: event.state_key == eva.user_id and event.content["membership"] == "ban"
        )
        with pytest.raises(MatrixRefused):
            await eva.join(room, towns.via)
    with pytest.raises(MatrixRefused):
        await eva.knock(towns.community.space, "again", towns.via)


async def test_who_leaves_the_space_elsewhere_is_out_of_every_room_here(towns: Towns) -> None:
    eva = await towns.welcomed("passing")
    await towns.enters(eva, towns.madrid.room)
    await eva.leave(towns.community.space)

    async def out() -> bool:
        return eva.user_id not in await towns.ana.joined(towns.madrid.room)

    await eventually(out, "she is out of the group")
    assert eva.user_id not in await towns.ana.joined(towns.community.space)


async def test_who_is_approved_while_their_homeserver_is_away_is_invited_when_it_is_back(
    towns: Towns,
) -> None:
    late = await towns.abroad.register("late")
    await late.knock(towns.community.space, "I am late", towns.via)
    shown = await card(towns.ana, towns.community, "I am late")
    await towns.abroad.kill()
    before = towns.invited()
    await towns.ana.react(towns.admins, shown, "✅")

    async def tried() -> bool:
        return towns.invited() > before

    await eventually(tried, "the bot invites somebody whose homeserver does not answer")
    await towns.abroad.start()
    await late.wait_for_invite(towns.community.space, timeout=120)
    await towns.enters(late, towns.community.space)

    async def is_in() -> bool:
        return late.user_id in await towns.ana.joined(towns.community.space)

    assert await eventually(is_in, "the other homeserver knows that they are in")

"""Coming into a community on a real homeserver: knocks and codes, answered by reaction, across restarts of the bot."""

import secrets
from pathlib import Path

import pytest

from embedded.maubot import Maubot
from embedded.person import Person
from embedded.synapse import Synapse
from embedded.waiting import eventually
from haven.model import Community
from tests.conftest import Newcomer
from tests.system.plugin_world import Bot, card, code_in, group, plugin_in, told

pytestmark = pytest.mark.system

ROOMS = 5


@pytest.fixture(scope="module")
async def community(bot: Bot, ana: Person) -> Community:
    """A community that one asks to join, its owner in the admins' room."""
    chat = await bot.chat(ana)
    await ana.say(chat, '!community create "Open door" --group Madrid --group Brno')
    made = await bot.whole("Open door", ROOMS)
    await ana.wait_for_invite(made.space)
    for room in (made.space, group(made, "Admins").room):
        await ana.join(room)
    return made


async def invited_and_in(person: Person, community: Community) -> None:
    """They accept the invitation to the space and join a group through it."""
    await person.wait_for_invite(community.space)
    await person.join(community.space)
    await person.join(group(community, "Madrid").room)


async def new_code(ana: Person, community: Community, options: str = "") -> str:
    """The code of a new invite."""
    return code_in(await told(ana, community, f"!c invite create {options}"))


async def test_a_knock_becomes_a_card_and_a_reaction_opens_the_door(
    bot: Bot, ana: Person, community: Community, newcomer: Newcomer
) -> None:
    eva = await newcomer("eva")
    await eva.knock(community.space, "I am Eva, a friend of Ana")
    shown = await card(ana, community, "I am Eva, a friend of Ana")
    await ana.react(group(community, "Admins").room, shown, "✅")
    await invited_and_in(eva, community)
    assert eva.user_id in await ana.joined(community.space)


async def test_knocks_and_answers_while_the_bot_is_down_count(
    bot: Bot, ana: Person, community: Community, newcomer: Newcomer
) -> None:
    early, late = await newcomer("early"), await newcomer("late")
    await early.knock(community.space, "before the crash")
    shown = await card(ana, community, "before the crash")
    await bot.maubot.kill()
    await late.knock(community.space, "during the night")
    await ana.react(group(community, "Admins").room, shown, "✅")
    await bot.maubot.start()
    await invited_and_in(early, community)
    shown = await card(ana, community, "during the night")
    await ana.react(group(community, "Admins").room, shown, "❌")

    async def turned_away() -> bool:
        member = await ana.state(community.space, "m.room.member", late.user_id)
        return bool(member and member["membership"] == "leave")

    await eventually(turned_away, "the late one is turned away")
    assert early.user_id in await ana.joined(community.space)


async def test_a_code_opens_the_door_by_knock_and_by_chat_and_only_so_often(
    bot: Bot, ana: Person, community: Community, newcomer: Newcomer
) -> None:
    one, two, three = await newcomer("one"), await newcomer("two"), await newcomer("three")
    code = await new_code(ana, community, "--name Friends --uses 2")
    await one.knock(community.space, f"Here is my code: {code}")
    await invited_and_in(one, community)
    chat = await bot.chat(two)
    await two.say(chat, f"!c join {code}")
    await invited_and_in(two, community)
    chat = await bot.chat(three)
    asked = await three.say(chat, f"!c join {code}")
    told = await three.wait_for(chat, lambda event: event.sender == bot.person.user_id, after=asked)
    assert "as often as it could be" in str(told.content["body"])
    assert code not in bot.maubot.log()


async def test_who_comes_is_told_what_there_is_and_who_leaves_is_out_of_every_room(
    bot: Bot, ana: Person, community: Community, newcomer: Newcomer
) -> None:
    leo = await newcomer("leo")
    chat = await bot.chat(leo)
    await leo.knock(community.space, await new_code(ana, community))
    await invited_and_in(leo, community)
    await leo.wait_for(chat, lambda event: "Welcome to Open door" in str(event.content.get("body")))
    await leo.leave(community.space)

    async def out() -> bool:
        return leo.user_id not in await bot.person.joined(group(community, "Madrid").room)

    await eventually(out, "he is out of the group")
    await ana.wait_for(
        group(community, "Admins").room,
        lambda event: f"{leo.user_id} left the community" in str(event.content.get("body")),
    )
    assert not await leo.joined_rooms() & {each.room for each in community.groups}


async def test_an_administrator_of_the_homeserver_joins_everybody_to_the_announcements(
    maubot: Maubot, homeserver: Synapse, mbp: Path, newcomer: Newcomer
) -> None:
    herald = await homeserver.register(f"herald{secrets.token_hex(3)}", admin=True)
    olga, pia = await newcomer("olga"), await newcomer("pia")
    async with plugin_in(maubot, homeserver, mbp, herald, "server_admin: true") as bot:
        await olga.say(await bot.chat(olga), '!community create "Herald"')
        made = await bot.whole("Herald", ROOMS - 2)
        await olga.join(await olga.wait_for_invite(made.space))
        await olga.invite(made.space, pia.user_id)
        await pia.join(await pia.wait_for_invite(made.space))
        news = group(made, "Announcements").room

        async def both_in() -> bool:
            return {olga.user_id, pia.user_id} <= await bot.person.joined(news)

        await eventually(both_in, "both are in the announcements")
        assert pia.user_id not in await bot.person.joined(group(made, "General chat").room)

"""Keeping a community safe on a real homeserver: bans that hold everywhere, answers in their threads, reports, mutes, lockdown."""

import pytest

from embedded.matrix import MatrixRefused
from embedded.person import Person
from embedded.waiting import eventually
from haven.model import Community
from tests.conftest import Newcomer
from tests.system.plugin_world import Bot, founded, group, told

pytestmark = pytest.mark.system

NAME = "Safe place"
ROOMS = 5


@pytest.fixture(scope="module")
async def community(bot: Bot, ana: Person) -> Community:
    """A community that anybody may join, its owner in every room."""
    return await founded(bot, ana, NAME, "Madrid", "Brno")


async def member(newcomer: Newcomer, community: Community, name: str) -> Person:
    """Somebody who has joined the space and every room that is open to members."""
    person = await newcomer(name)
    for room in (community.space, *(each.room for each in community.groups if each.name != "Admins")):
        await person.join(room)
    return person


async def taken_out(who: Person, room: str, event: str) -> None:
    """Wait until an event has been redacted."""

    async def gone() -> bool:
        return not (await who.event(room, event)).content

    await eventually(gone, "it is taken out")


async def test_a_ban_holds_everywhere_also_in_a_group_added_later(
    bot: Bot, ana: Person, community: Community, newcomer: Newcomer
) -> None:
    eva = await member(newcomer, community, "eva")
    assert "banned everywhere" in await told(ana, community, f"!c ban {eva.user_id} unkind")
    for room in (community.space, *(each.room for each in community.groups)):
        assert (await ana.members(room))[eva.user_id].membership == "ban"
    await ana.say(group(community, "Admins").room, "!c group add Lisbon")
    lisbon = group(await bot.whole(NAME, ROOMS + 1), "Lisbon").room
    for room in (lisbon, group(community, "Madrid").room, community.space):
        with pytest.raises(MatrixRefused):
            await eva.join(room)
    assert "may come again" in await told(ana, community, f"!c unban {eva.user_id}")
    for room in (community.space, lisbon):
        await eva.join(room)


async def test_who_is_put_out_does_not_walk_back_in_by_the_restricted_rule(
    bot: Bot, ana: Person, community: Community, newcomer: Newcomer
) -> None:
    leo = await member(newcomer, community, "leo")
    await ana.kick(community.space, leo.user_id, "by hand")
    madrid = group(community, "Madrid").room

    async def out() -> bool:
        return leo.user_id not in await ana.joined(madrid)

    await eventually(out, "the rooms follow")
    with pytest.raises(MatrixRefused):
        await leo.join(madrid)


async def test_who_was_put_out_comes_back_by_an_open_door_only_when_they_are_let_in(
    bot: Bot, ana: Person, community: Community, newcomer: Newcomer
) -> None:
    kim, admins = await member(newcomer, community, "kim"), group(community, "Admins").room
    await ana.kick(community.space, kim.user_id, "by hand")
    await kim.join(community.space)

    async def out() -> bool:
        return (await ana.members(community.space))[kim.user_id].membership == "leave"

    await eventually(out, "she is put out again")
    await ana.wait_for(admins, lambda event: "would like to come back" in str(event.content.get("body")))
    await ana.say(admins, f"!c approve {kim.user_id}")

    async def invited() -> bool:
        return (await ana.members(community.space))[kim.user_id].membership == "invite"

    await eventually(invited, "she is invited")
    await kim.join(community.space)
    await told(ana, community, "!c show")
    assert (await ana.members(community.space))[kim.user_id].membership == "join"


async def test_a_ban_by_hand_while_the_bot_is_away_is_done_everywhere_and_in_the_log(
    bot: Bot, ana: Person, community: Community, newcomer: Newcomer
) -> None:
    mia, madrid = await member(newcomer, community, "mia"), group(community, "Madrid").room
    await told(ana, community, "!c show")
    await bot.maubot.kill()
    await ana.ban(community.space, mia.user_id, "at night")
    await bot.maubot.start()

    async def banned() -> bool:
        return (await ana.members(madrid))[mia.user_id].membership == "ban"

    await eventually(banned, "the rooms follow")
    said = await ana.wait_for(
        group(community, "Admins").room,
        lambda event: f"{ana.user_id} banned {mia.user_id} (by hand)" in event.body,
    )
    assert "at night" in said.body


async def test_a_stray_answer_is_taken_out_and_one_in_the_thread_stays(
    bot: Bot, ana: Person, community: Community, newcomer: Newcomer
) -> None:
    eva, news = await member(newcomer, community, "eva"), group(community, "Announcements").room
    chat = await bot.chat(eva)
    assert "threads" in await told(ana, community, "!c settings replies threads")
    announcement = await ana.say(news, "Meeting on Friday")
    relation = {"rel_type": "m.thread", "event_id": announcement}
    answer = await eva.say(news, "I will come", **{"m.relates_to": relation})
    stray = await eva.reply(news, announcement, "So will I")
    await taken_out(ana, news, stray)
    await eva.wait_for(chat, lambda event: "Reply in thread" in str(event.content.get("body")))
    last = await eva.say(news, "Hello?")
    await taken_out(ana, news, last)
    assert (await ana.event(news, answer)).content["body"] == "I will come"
    assert (await ana.event(news, announcement)).content["body"] == "Meeting on Friday"


async def test_a_flag_becomes_a_card_and_a_reaction_deletes(
    bot: Bot, ana: Person, community: Community, newcomer: Newcomer
) -> None:
    eva, leo = await member(newcomer, community, "eva"), await member(newcomer, community, "leo")
    madrid, admins = group(community, "Madrid").room, group(community, "Admins").room
    message = await eva.say(madrid, "a nasty word")
    flag = await leo.react(madrid, message, "🚩")
    await taken_out(ana, madrid, flag)
    card = await ana.wait_for(admins, lambda event: message in str(event.content.get("body")))
    assert "nasty" not in str(card.content)
    assert leo.user_id not in str(card.content)
    await ana.react(admins, card.id, "🗑️")
    await taken_out(ana, madrid, message)


async def test_quiet_for_one_and_for_all(
    bot: Bot, ana: Person, community: Community, newcomer: Newcomer
) -> None:
    eva, brno = await member(newcomer, community, "eva"), group(community, "Brno").room
    assert "is quiet" in await told(ana, community, f"!c mute {eva.user_id} --for 1h")
    with pytest.raises(MatrixRefused):
        await eva.say(brno, "Hello")
    assert "may speak again" in await told(ana, community, f"!c unmute {eva.user_id}")
    await eva.say(brno, "Hello")
    assert "Everything is closed" in await told(ana, community, "!c lockdown")
    with pytest.raises(MatrixRefused):
        await eva.say(brno, "Hello")
    assert "as it was" in await told(ana, community, "!c open")
    await eva.say(brno, "Hello again")

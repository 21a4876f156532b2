"""The plugin's engine in an unchanged maubot before a real Synapse: founding, keeping in step, loading, configuration."""

import zipfile
from pathlib import Path

import pytest

from embedded.maubot import Maubot, MaubotRefused
from embedded.person import Person
from embedded.synapse import Synapse
from embedded.waiting import eventually
from haven.model import Community, Kind
from tests.conftest import Newcomer
from tests.system.plugin_world import PLUGIN, Bot, group, plugin_in

pytestmark = pytest.mark.system

POWER = "m.room.power_levels"
CREATE = '!community create "{name}" --group Madrid --group Brno'
ROOMS = 5


async def founded(bot: Bot, owner: Person, name: str) -> Community:
    """A community of that name, its owner in the space and in every room they may join."""
    chat = await bot.chat(owner)
    await owner.say(chat, CREATE.format(name=name))
    community = await bot.whole(name, ROOMS)
    await owner.wait_for_invite(community.space)
    for room in (community.space, *(each.room for each in community.groups)):
        await owner.join(room)
    # When it has answered, it has also seen everybody come.
    asked = await owner.say(chat, "!community list")
    await owner.wait_for(chat, lambda event: event.sender == bot.person.user_id, after=asked)
    return community


async def levels(bot: Bot, community: Community, user: str) -> set[int]:
    rooms = (community.space, *(each.room for each in community.groups))
    return {await bot.person.power(room, user) for room in rooms}


async def grant(by: Person, room: str, user: str, level: int) -> None:
    content = await by.state(room, POWER)
    assert content is not None
    await by.send_state(room, POWER, {**content, "users": {**content["users"], user: level}})


async def comes_to(bot: Bot, community: Community, user: str, level: int) -> None:
    async def there() -> bool:
        return await levels(bot, community, user) == {level}

    await eventually(there, f"the level is {level} everywhere")


@pytest.mark.parametrize("version", ["10", "11", "12"])
async def test_a_person_founds_a_community_in_a_chat(bot: Bot, newcomer: Newcomer, version: str) -> None:
    ana = await newcomer("ana")
    await bot.maubot.configure(bot.instance, f"room_version: '{version}'")
    name = f"Fathers {version}"
    community = await founded(bot, ana, name)
    world = await bot.world()
    assert set((await bot.slots(name)).values()) == {1}
    assert {world[room].version for room in (community.space, *(g.room for g in community.groups))} == {
        version
    }
    assert world[community.space].is_space
    rules = {each.kind: world[each.room].content("m.room.join_rules") for each in community.groups}
    restricted = {
        "join_rule": "restricted",
        "allow": [{"type": "m.room_membership", "room_id": community.space}],
    }
    assert rules == {
        Kind.ANNOUNCEMENTS: restricted, Kind.GENERAL: restricted, Kind.GROUP: restricted,
        Kind.ADMINS: {"join_rule": "invite"},
    }  # fmt: skip
    news = await bot.person.state(group(community, "Announcements").room, POWER)
    assert news is not None
    assert (news["events_default"], news["events"]["m.reaction"]) == (70, 0)
    assert await levels(bot, community, ana.user_id) == {100 if version == "12" else 95}
    assert await levels(bot, community, bot.person.user_id) == {0 if version == "12" else 100}
    children = [
        event.key for event in world[community.space].keyed("m.space.child") if event.content.get("via")
    ]
    assert set(children) == {each.room for each in community.groups}


async def test_an_admin_made_and_unmade_by_hand_in_the_space_is_so_in_every_room(
    bot: Bot, newcomer: Newcomer
) -> None:
    ana, eva = await newcomer("ana"), await newcomer("eva")
    community = await founded(bot, ana, "By hand")
    bot.proxy.forget()
    await grant(ana, community.space, eva.user_id, 90)
    await comes_to(bot, community, eva.user_id, 90)
    # What the admins are told of it (who did it, and that eva is no member) comes when it comes.
    asked = {what: count for what, count in bot.said().items() if "/send/" not in what[1]}
    writes = {what: count for what, count in asked.items() if what[0] != "GET"}
    assert writes == {("PUT", "/rooms/{room}/state/m.room.power_levels/"): ROOMS}
    assert sum(asked.values()) - ROOMS <= 2
    await grant(ana, community.space, eva.user_id, 0)
    await comes_to(bot, community, eva.user_id, 0)


async def test_what_admins_do_while_the_bot_is_down_is_in_step_after_it_comes_back(
    bot: Bot, newcomer: Newcomer
) -> None:
    ana, eva = await newcomer("ana"), await newcomer("eva")
    community = await founded(bot, ana, "While down")
    await bot.maubot.kill()
    await grant(ana, community.space, eva.user_id, 90)
    await bot.maubot.start()
    await comes_to(bot, community, eva.user_id, 90)
    await bot.maubot.stop_instance(bot.instance)
    await grant(ana, community.space, eva.user_id, 0)
    assert await levels(bot, community, eva.user_id) != {0}
    await bot.maubot.start_instance(bot.instance)
    await comes_to(bot, community, eva.user_id, 0)


async def test_a_command_given_while_the_bot_is_down_is_carried_out_once_after_it_comes_back(
    bot: Bot, newcomer: Newcomer
) -> None:
    ana = await newcomer("ana")
    chat = await bot.chat(ana)
    await bot.maubot.kill()
    asked = await ana.say(chat, '!community create "Asked for in the night"')
    await bot.maubot.start(caught_up=False)
    await ana.wait_for(chat, lambda event: event.sender == bot.person.user_id, after=asked)
    community = await bot.whole("Asked for in the night", 3)
    assert community.owner == ana.user_id


async def test_two_communities_live_on_one_bot(bot: Bot, newcomer: Newcomer) -> None:
    ana, zoe, eva = await newcomer("ana"), await newcomer("zoe"), await newcomer("eva")
    hers = await founded(bot, ana, "One")
    theirs = await founded(bot, zoe, "Two")
    await grant(ana, hers.space, eva.user_id, 90)
    await comes_to(bot, hers, eva.user_id, 90)
    assert await levels(bot, theirs, eva.user_id) == {0}


async def test_a_stranger_cannot_add_a_group(bot: Bot, newcomer: Newcomer) -> None:
    ana, eve = await newcomer("ana"), await newcomer("eve")
    community = await founded(bot, ana, "Closed")
    chat = await bot.chat(eve)
    asked = await eve.say(chat, f"!community group add Mine --in {community.space}")
    await eve.wait_for(chat, lambda event: event.sender == bot.person.user_id, after=asked)
    assert len((await bot.communities())["Closed"].groups) == ROOMS


async def test_a_group_is_added_by_command_and_can_be_joined(bot: Bot, newcomer: Newcomer) -> None:
    ana, eva = await newcomer("ana"), await newcomer("eva")
    community = await founded(bot, ana, "Growing")
    await ana.invite(community.space, eva.user_id)
    await eva.join(community.space)
    await ana.say(group(community, "Admins").room, "!community group add Praha")
    grown = await bot.whole("Growing", ROOMS + 1)
    await eva.join(group(grown, "Praha").room)
    assert eva.user_id in await bot.person.joined(group(grown, "Praha").room)


async def test_no_invitation_but_to_a_direct_chat_is_accepted(bot: Bot, newcomer: Newcomer) -> None:
    ana = await newcomer("ana")
    room = await ana.create_room("Ours", invite=[bot.person.user_id])
    await bot.chat(ana)
    assert bot.person.user_id not in await ana.joined(room)


async def test_a_wrong_setting_in_a_running_bot_is_named_and_changes_nothing(
    bot: Bot, newcomer: Newcomer
) -> None:
    ana = await newcomer("ana")
    await bot.maubot.configure(bot.instance, "removal_limit: many")
    chat = await bot.chat(ana)
    asked = await ana.say(chat, "!community help")
    await ana.wait_for(chat, lambda event: event.sender == bot.person.user_id, after=asked)
    assert "configuration: removal_limit must" in bot.maubot.log()
    await bot.maubot.configure(bot.instance, "removal_limit: 10")


OTHER = """\
id: test.other
version: "1.0.0"
modules: [plugin]
main_class: plugin/Other
database: false
"""
SOURCE = """\
from maubot import MessageEvent, Plugin
from maubot.handlers import command

class Other(Plugin):
    @command.new("other")
    async def other(self, event: MessageEvent) -> None:
        await event.reply("the other")
"""


async def test_it_lives_beside_another_plugin_with_a_package_of_the_same_name(
    homeserver: Synapse, mbp: Path, newcomer: Newcomer, own_data: Path
) -> None:
    """Whichever is loaded first, in one process."""
    other = own_data / "other.mbp"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("maubot.yaml", OTHER)
        archive.writestr("plugin/__init__.py", SOURCE)
    async with Maubot(own_data / "maubot", homeserver.url) as maubot:
        second, ana = await newcomer("other"), await newcomer("ana")
        await maubot.upload(other)
        await maubot.add_client(second.user_id, second.token)
        await maubot.add_instance("other", "test.other", second.user_id)
        async with plugin_in(maubot, homeserver, mbp, await newcomer("haven")) as bot:
            await founded(bot, ana, "Neighbours")
            await maubot.kill()
            await maubot.start()
            await bot.whole("Neighbours", ROOMS)
            chat = await ana.create_dm(second.user_id)
            await ana.wait_for(
                chat,
                lambda event: event.state_key == second.user_id and event.content["membership"] == "join",
            )
            asked = await ana.say(chat, "!other")
            answer = await ana.wait_for(chat, lambda event: event.sender == second.user_id, after=asked)
            assert answer.body.endswith("the other")


@pytest.mark.parametrize(
    "config",
    [
        "room_version: 12",
        "language: xx",
        "creators: nobody",
        "bridge_bot: bridge",
        "removal_limit: -1",
        "reread_minutes: soon",
        "accept_invites: maybe",
        "room_versoin: '12'",
    ],
)
async def test_a_wrong_setting_is_named_and_nothing_starts(
    maubot: Maubot, mbp: Path, newcomer: Newcomer, config: str
) -> None:
    account = await newcomer("wrong")
    if PLUGIN not in await maubot.plugins():
        await maubot.upload(mbp)
    await maubot.add_client(account.user_id, account.token, autojoin=False)
    with pytest.raises(MaubotRefused) as refusal:
        await maubot.add_instance(account.user_id[1:].partition(":")[0], PLUGIN, account.user_id, config)
    assert f"configuration: {config.partition(':')[0]} " in refusal.value.message

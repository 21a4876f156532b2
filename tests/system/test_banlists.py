"""Ban lists on a real homeserver: somebody else's is followed live and by whoever comes later, one's own stands open to others."""

from pathlib import Path

import pytest

from embedded.matrix import MatrixRefused
from embedded.maubot import Maubot
from embedded.person import Person
from embedded.synapse import Synapse
from embedded.waiting import eventually
from haven.model import Community
from tests.conftest import Newcomer
from tests.system.plugin_world import Bot, founded, group, plugin_in, told

pytestmark = pytest.mark.system

RULE = "m.policy.rule.user"


@pytest.fixture(scope="module")
async def community(bot: Bot, ana: Person) -> Community:
    """A community that anybody may join."""
    return await founded(bot, ana, "Listed", "Madrid")


@pytest.fixture(scope="module")
async def keeper(newcomer: Newcomer) -> Person:
    """Somebody who keeps a ban list."""
    return await newcomer("keeper")


async def a_list(keeper: Person) -> str:
    """A list that anybody can read, as Draupnir makes them."""
    room = await keeper.create_room(
        name="Spammers",
        preset="public_chat",
        creation_content={"type": "support.feline.policy.lists.msc.v1"},
    )
    await keeper.send_state(room, "org.matrix.mjolnir.shortcode", {"shortcode": "spam"})
    return room


async def names(keeper: Person, room: str, entity: str, kind: str = RULE) -> None:
    """A list names somebody, or some."""
    rule = {"entity": entity, "recommendation": "m.ban", "reason": "spam"}
    await keeper.send_state(room, kind, rule, f"rule:{entity}")


async def membership(ana: Person, room: str, who: Person, wanted: str) -> None:
    """Wait until somebody is that in a room."""

    async def so() -> bool:
        member = (await ana.members(room)).get(who.user_id)
        return member is not None and member.membership == wanted

    await eventually(so, f"the membership is {wanted}")


async def test_a_list_is_followed_live_and_let_go(
    bot: Bot, ana: Person, community: Community, keeper: Person, newcomer: Newcomer
) -> None:
    eva, leo = await newcomer("eva"), await newcomer("leo")
    madrid, room = group(community, "Madrid").room, await a_list(keeper)
    for each in (community.space, madrid):
        await eva.join(each)
    await names(keeper, room, eva.user_id, "org.matrix.mjolnir.rule.user")
    said = await told(ana, community, f"!c banlist watch https://matrix.to/#/{room}?via=nowhere.test")
    assert "One person here is on it and is banned now" in said
    for each in (community.space, madrid):
        await membership(ana, each, eva, "ban")
    name, _, server = leo.user_id.partition(":")
    await names(keeper, room, f"{name[:-1]}?:{server}")
    await leo.join(community.space)
    await membership(ana, community.space, leo, "ban")
    with pytest.raises(MatrixRefused):
        await leo.join(madrid)
    await keeper.send_state(room, RULE, {}, f"rule:{name[:-1]}?:{server}")
    await membership(ana, community.space, leo, "leave")
    await leo.join(community.space)
    assert "One ban that came from it alone" in await told(ana, community, "!c banlist unwatch Spammers")
    await membership(ana, madrid, eva, "leave")

    async def left() -> bool:
        return bot.person.user_id not in await keeper.joined(room)

    await eventually(left, "the bot has left the list")


async def test_who_is_named_while_the_bot_is_away_is_banned_when_it_comes_back(
    bot: Bot, ana: Person, community: Community, keeper: Person, newcomer: Newcomer
) -> None:
    mia, room = await newcomer("mia"), await a_list(keeper)
    await mia.join(community.space)
    assert "I follow Spammers" in await told(ana, community, f"!c banlist watch {room}")
    await bot.maubot.stop_instance(bot.instance)
    await names(keeper, room, mia.user_id)
    await names(keeper, room, ana.user_id)
    await bot.maubot.start_instance(bot.instance)
    await membership(ana, community.space, mia, "ban")
    admins = group(community, "Admins").room
    await ana.wait_for(admins, lambda event: "who has a role here" in str(event.content.get("body")))
    assert (await ana.members(community.space))[ana.user_id].membership == "join"
    await told(ana, community, f"!c banlist unwatch {room}")
    await membership(ana, community.space, mia, "leave")


async def test_a_rule_against_our_own_homeserver_bans_nobody_and_is_told(
    bot: Bot, ana: Person, community: Community, keeper: Person, newcomer: Newcomer
) -> None:
    tom, room = await newcomer("tom"), await a_list(keeper)
    await tom.join(community.space)
    await names(keeper, room, tom.user_id.partition(":")[2], "m.policy.rule.server")
    await told(ana, community, f"!c banlist watch {room}")
    admins = group(community, "Admins").room
    await ana.wait_for(admins, lambda event: "would ban me too" in str(event.content.get("body")))
    assert (await ana.members(community.space))[tom.user_id].membership == "join"
    await told(ana, community, f"!c banlist unwatch {room}")


async def test_our_bans_can_be_followed_by_others(
    bot: Bot, ana: Person, community: Community, keeper: Person, newcomer: Newcomer
) -> None:
    ida = await newcomer("ida")
    await told(ana, community, f"!c ban {ida.user_id} selling things")
    assert "published from now on" in await told(ana, community, "!c banlist publish on")

    async def stands() -> str:
        record = await ana.state(community.space, "chat.haven.banlists") or {}
        return str(record.get("own", ""))

    own = await eventually(stands, "the list is there")
    await keeper.join(own)

    async def rule() -> object:
        return await keeper.state(own, RULE, f"rule:{ida.user_id}")

    wanted = {"entity": ida.user_id, "recommendation": "m.ban", "reason": "selling things"}
    assert await eventually(rule, "the ban stands there") == wanted
    with pytest.raises(MatrixRefused):
        await keeper.send_state(own, RULE, wanted, "mine")
    await told(ana, community, f"!c unban {ida.user_id}")

    async def taken_back() -> bool:
        return await keeper.state(own, RULE, f"rule:{ida.user_id}") == {}

    await eventually(taken_back, "the rule is taken back")


@pytest.mark.parametrize("version", ["10", "11"])
async def test_bans_are_published_in_older_room_versions_too(
    homeserver: Synapse, maubot: Maubot, mbp: Path, newcomer: Newcomer, version: str
) -> None:
    ana, ida = await newcomer("ana"), await newcomer("ida")
    async with plugin_in(maubot, homeserver, mbp, await newcomer("old"), f'room_version: "{version}"') as bot:
        made = await founded(bot, ana, f"Version {version}", "Madrid")
        await told(ana, made, f"!c ban {ida.user_id} selling things")
        await told(ana, made, "!c banlist publish on")

        async def stands() -> object:
            record = await ana.state(made.space, "chat.haven.banlists") or {}
            own = str(record.get("own", ""))
            return own and await bot.person.state(own, RULE, f"rule:{ida.user_id}")

        rule = await eventually(stands, "the ban stands there")
        assert rule == {"entity": ida.user_id, "recommendation": "m.ban", "reason": "selling things"}

"""Running the groups of a community on a real homeserver: suggested, set, adopted, let go, and who owns it all."""

import pytest

from embedded.matrix import Event, MatrixRefused, path
from embedded.person import Person
from embedded.waiting import eventually
from haven.model import Community
from tests.conftest import Newcomer
from tests.system.plugin_world import Bot, founded, group, told

pytestmark = pytest.mark.system

NAME = "Many rooms"
ROOMS = 4


@pytest.fixture(scope="module")
async def community(bot: Bot, ana: Person) -> Community:
    """A community that anybody may join, its owner in every room."""
    return await founded(bot, ana, NAME, "Madrid")


@pytest.fixture(scope="module")
async def eva(community: Community, newcomer: Newcomer) -> Person:
    """A member."""
    eva = await newcomer("eva")
    for room in (community.space, group(community, "General chat").room, group(community, "Madrid").room):
        await eva.join(room)
    return eva


async def heard(who: Person, community: Community, words: str) -> Event:
    """A message of the bot in the admins' room, once it is there."""
    return await who.wait_for(
        group(community, "Admins").room, lambda event: words in str(event.content.get("body"))
    )


async def listed(who: Person, community: Community) -> set[str]:
    """The rooms that somebody's client shows them in the space."""
    return {str(room["room_id"]) for room in await who.hierarchy(community.space)}


async def test_a_member_suggests_a_group_and_a_reaction_makes_it(
    bot: Bot, ana: Person, eva: Person, community: Community
) -> None:
    assert "before the admins" in await told(eva, community, "!c suggest Praga", "General chat")
    card = await heard(ana, community, "suggests a group: Praga")
    await ana.react(card.room, card.id, "✅")
    made = await bot.whole(NAME, ROOMS + 1)
    await eva.join(group(made, "Praga").room)
    await heard(ana, community, "approved a group")


async def test_a_group_is_hidden_and_shown_again(ana: Person, eva: Person, community: Community) -> None:
    madrid = group(community, "Madrid").room
    assert madrid in await listed(eva, community)
    assert "is now hidden" in await told(ana, community, "!c group set Madrid visibility hidden")
    assert "is now open" in await told(ana, community, "!c group set Madrid visibility open")
    assert madrid in await listed(eva, community)
    assert "is now 1" in await told(ana, community, "!c group set Madrid order 1")


async def test_a_role_given_by_hand_is_in_the_log(ana: Person, eva: Person, community: Community) -> None:
    levels = await ana.state(community.space, "m.room.power_levels")
    assert levels is not None
    users = {**levels["users"], eva.user_id: 50}
    await ana.send_state(community.space, "m.room.power_levels", {**levels, "users": users})
    await heard(ana, community, f"{ana.user_id} made {eva.user_id} moderator (by hand)")
    assert "by hand" in await told(ana, community, "!c log --last 5")


async def test_a_room_of_one_s_own_is_adopted(
    bot: Bot, ana: Person, eva: Person, community: Community
) -> None:
    chess = await ana.create_room(
        name="Chess", topic="Since 1990", invite=[bot.person.user_id], visibility="public"
    )
    said = await told(ana, community, f"!c group adopt {chess}")
    assert "I need power level 100" in said
    levels = await ana.state(chess, "m.room.power_levels")
    assert levels is not None
    users = {**levels["users"], bot.person.user_id: 100}
    await ana.send_state(chess, "m.room.power_levels", {**levels, "users": users})
    await told(ana, community, f"!c group adopt {chess} --visibility open")
    card = await heard(ana, community, "wants to take a room into the community: Chess")
    await ana.react(card.room, card.id, "✅")
    assert "public directory" in str(card.content["body"])
    await heard(ana, community, "took a room into the community: Chess")
    listing = await ana.account.request("GET", path("directory", "list", "room", chess))
    assert listing["visibility"] == "private"
    directory = await ana.account.request("GET", path("publicRooms"))
    ours = {community.space, *(each.room for each in community.groups), chess}
    assert not ours & {room["room_id"] for room in directory["chunk"]}
    assert chess in await listed(eva, community)
    await eva.join(chess)
    await ana.kick(chess, bot.person.user_id)
    missed = await heard(ana, community, "I am not in a room of the community any more")
    assert chess in str(missed.content["body"])
    await ana.invite(chess, bot.person.user_id)

    async def back() -> bool:
        return bot.person.user_id in await ana.joined(chess)

    await eventually(back, "the bot is back")
    assert "Chess" in await told(ana, community, "!c group list")


async def test_an_archive_is_read_only_and_a_group_is_let_go(
    ana: Person, eva: Person, community: Community
) -> None:
    madrid = group(community, "Madrid").room
    assert "is archived" in await told(ana, community, "!c group archive Madrid")
    with pytest.raises(MatrixRefused):
        await eva.say(madrid, "can anybody hear me?")
    assert "no longer part" in await told(ana, community, f"!c group remove {madrid}")
    await eva.say(madrid, "now they can")
    assert madrid not in await listed(eva, community)


async def test_it_changes_hands_and_rests(ana: Person, community: Community, newcomer: Newcomer) -> None:
    luis = await newcomer("luis")
    await luis.join(community.space)
    await told(ana, community, f"!c role add {luis.user_id} admin")
    admins = group(community, "Admins").room
    await luis.wait_for_invite(admins)
    await luis.join(admins)
    await told(ana, community, f"!c owner transfer {luis.user_id}")
    card = await heard(luis, community, "wants to hand the community over")
    await luis.react(admins, card.id, "✅")
    await heard(luis, community, "handed the community over")
    assert (await luis.power(community.space, luis.user_id), await luis.power(admins, ana.user_id)) == (
        100,
        90,
    )
    assert "cannot do that" in await told(ana, community, f'!c deactivate "{NAME}"')
    assert "is dissolved" in await told(luis, community, f'!c deactivate "{NAME}"')

    async def empty() -> bool:
        return await listed(luis, community) <= {community.space}

    await eventually(empty, "the space lists nothing")
    assert "is back" in await told(luis, community, "!c reactivate")
    assert len(await listed(luis, community)) > 2

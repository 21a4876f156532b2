"""Requests: who knocks comes before the admins, and is let in or turned away."""

from collections.abc import AsyncIterator

import pytest

from haven.ids import EventId
from plugin.durations import DAY
from plugin.events import Reaction
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.plugin.entrance.lives import Life, living


@pytest.fixture
async def life(server: FakeHomeserver, store: Store) -> AsyncIterator[Life]:
    """A community that one asks to join, and its bot."""
    async with living(server, store) as made:
        yield made


async def test_a_knock_is_a_card_and_a_reaction_of_a_greeter_lets_in(life: Life) -> None:
    await life.knock("zoe", reason="I am a father of two")
    card = await life.card("would like to join Fathers")
    assert "I am a father of two" in str(card.content["body"])
    assert "@zoe:haven.test" in str(card.content["body"])
    await life.react("greeter", card, "✅")
    await life.until(lambda: life.membership("zoe") == "invite", "she is invited")
    await life.told("admins", "@greeter:haven.test has let @zoe:haven.test into “Fathers”")
    await life.told("admins", "@greeter:haven.test let @zoe:haven.test in; room: Fathers (by reaction)")
    await life.stage.person("zoe").join(life.space)
    await life.stage.person("zoe").join(await life.stage.room("Madrid"))


async def test_a_no_is_told_to_who_knocked(life: Life) -> None:
    await life.knock("zoe")
    card = await life.card("They gave no reason")
    await life.react("moderator", card, "❌")
    await life.until(lambda: life.membership("zoe") == "leave", "she is turned away")
    assert "have not let you in this time" in await life.member_reason("zoe")
    await life.told("admins", "@moderator:haven.test has turned @zoe:haven.test away")


async def test_a_command_answers_by_person_or_by_id_with_a_reason(life: Life) -> None:
    await life.knock("zoe")
    await life.knock("yan")
    await life.card("@zoe:haven.test")
    await life.card("@yan:haven.test")
    admins = await life.stage.room("admins")
    listed = await life.stage.answer("greeter", "!c requests", admins)
    assert "2 people ask to be let in" in listed
    assert "has let @zoe:haven.test into" in await life.stage.answer(
        "greeter", "!c approve @zoe:haven.test", admins
    )
    ids = [card.id for card in await life.stage.services.desk.cards.open("knock", life.space)]
    assert "turned @yan:haven.test away" in await life.stage.answer(
        "admin", f"!c reject {ids[0]} We are full", admins
    )
    assert (life.membership("zoe"), life.membership("yan")) == ("invite", "leave")
    assert await life.member_reason("yan") == "We are full"
    assert "Nobody is waiting" in await life.stage.answer("greeter", "!c requests", admins)


async def test_requests_asked_for_among_others_are_told_in_the_admins_room(life: Life) -> None:
    await life.knock("zoe", reason="a secret")
    await life.card("@zoe:haven.test")
    general = await life.stage.room("general")
    assert "a secret" not in "\n".join(life.said(general))
    await life.stage.say("greeter", "!c requests", general)
    assert "a secret" not in "\n".join(life.said(general))


@pytest.mark.parametrize("name", ["member", "announcer"])
async def test_who_may_not_answer_is_told_so(life: Life, name: str) -> None:
    await life.knock("zoe")
    await life.card("@zoe:haven.test")
    for command in ("requests", "approve @zoe:haven.test", "reject @zoe:haven.test"):
        assert "You cannot do that as" in await life.stage.answer(name, f"!c {command}")
    assert life.membership("zoe") == "knock"


async def test_a_right_lost_a_moment_ago_is_lost(life: Life) -> None:
    await life.knock("zoe")
    card = await life.card("@zoe:haven.test")
    await life.stage.say("admin", "!c role remove @greeter:haven.test greeter")
    word = "You cannot do that as `member`"
    await life.stage.services.desk.cards.reacted(
        Reaction(card.room, EventId("$late"), life.stage.user("greeter"), card.id, "✅")
    )
    await life.told("admins", word)
    assert life.membership("zoe") == "knock"


async def test_knocks_made_while_nobody_was_there_are_cards_at_the_start(
    server: FakeHomeserver, store: Store
) -> None:
    async with living(server, store) as life:
        space = life.space
    await server.person("zoe").knock(space, (), "while you slept")
    async with living(server, store, space=space) as life:
        card = await life.card("while you slept")
        await life.react("owner", card, "✅")
        await life.until(lambda: life.membership("zoe") == "invite", "she is invited")
        shown = [
            e for e in server.rooms[card.room].timeline if "while you slept" in str(e.content.get("body"))
        ]
        assert shown == [card]


async def test_what_is_done_by_hand_or_withdrawn_stands_on_the_card(life: Life) -> None:
    names = ("zoe", "yan", "xen", "wim")
    for name in names:
        await life.knock(name)
        await life.card(f"@{name}:haven.test")
    await life.stage.person("greeter").invite(life.space, life.stage.user("zoe"))
    await life.stage.person("yan").leave(life.space)
    await life.stage.person("moderator").kick(life.space, life.stage.user("xen"))
    await life.stage.person("moderator").ban(life.space, life.stage.user("wim"))
    await life.told("admins", "@zoe:haven.test has been let in meanwhile")
    await life.told("admins", "@yan:haven.test does not ask any more")
    await life.told("admins", "@xen:haven.test has been turned away meanwhile")
    await life.told("admins", "@wim:haven.test has been turned away meanwhile")
    await life.until_open(cards=0)


async def test_a_request_that_nobody_answers_ends_kindly(life: Life) -> None:
    await life.knock("zoe")
    await life.card("@zoe:haven.test")
    life.ahead = 13 * DAY
    life.stage.services.desk.timers._wake.set()
    assert life.membership("zoe") == "knock"
    life.ahead = 14 * DAY + 1_000
    life.stage.services.desk.timers._wake.set()
    await life.told("admins", "Nobody has answered @zoe:haven.test in time")
    assert life.membership("zoe") == "leave"
    assert "welcome to ask again" in await life.member_reason("zoe")


async def test_who_asks_again_and_again_is_asked_to_wait(life: Life) -> None:
    for _ in range(3):
        await life.knock("zoe")
        await life.until(lambda: life.membership("zoe") == "knock", "she knocks")
        await life.until_open(1)
        await life.stage.say("greeter", "!c reject @zoe:haven.test", await life.stage.room("admins"))
    await life.knock("zoe")
    await life.until(lambda: life.membership("zoe") == "leave", "she is turned away")
    assert "wait until tomorrow" in await life.member_reason("zoe")


async def test_a_group_on_request_is_for_members(life: Life) -> None:
    brno = await life.stage.room("Brno")
    await life.knock("zoe", brno)
    await life.until(lambda: life.membership("zoe", brno) == "leave", "she is sent to the community")
    assert "join the community first" in await life.member_reason("zoe", brno)
    await life.knock("member", brno, "I live there")
    card = await life.card("would like to join the group Brno")
    await life.react("greeter", card, "✅")
    await life.until(lambda: life.membership("member", brno) == "invite", "he is invited")


async def test_a_group_admin_answers_for_their_group_and_no_other(life: Life) -> None:
    admins, brno = await life.stage.room("admins"), await life.stage.room("Brno")
    await life.stage.say("admin", "!c role add @announcer:haven.test group-admin --group Brno", admins)
    await life.knock("zoe")
    await life.knock("member", brno)
    await life.card("@zoe:haven.test")
    await life.card("group Brno")
    chat = await life.stage.direct("announcer")
    listed = await life.stage.answer("announcer", "!c requests", chat)
    assert "@member:haven.test" in listed
    assert "@zoe:haven.test" not in listed
    assert "Nothing is waiting" in await life.stage.answer("announcer", "!c approve @zoe:haven.test", chat)
    ids = {
        card.payload["who"]: card.id
        for card in await life.stage.services.desk.cards.open("knock", life.space)
    }
    refused = await life.stage.answer("announcer", f"!c approve {ids['@zoe:haven.test']}", chat)
    assert "You cannot do that as" in refused
    assert "has let @member:haven.test into “Brno”" in await life.stage.answer(
        "announcer", "!c approve @member:haven.test", chat
    )
    assert (life.membership("zoe"), life.membership("member", brno)) == ("knock", "invite")


async def test_many_who_knock_do_not_flood_the_admins(life: Life) -> None:
    await life.setting("wave_limit", "0")
    for number in range(30):
        await life.knock(f"p{number:02}")
    await life.until_open(25)
    admins = await life.stage.room("admins")
    assert "5 more are waiting" in await life.stage.answer("greeter", "!c requests", admins)
    carded = {card.payload["who"] for card in await life.stage.services.desk.cards.open("knock", life.space)}
    others = sorted({f"@p{number:02}:haven.test" for number in range(30)} - carded)
    assert f"has let {others[0]} into" in await life.stage.answer(
        "greeter", f"!c approve {others[0]}", admins
    )
    await life.stage.say("greeter", f"!c approve {min(carded)}", admins)
    await life.until_open(25)

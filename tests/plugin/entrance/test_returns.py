"""Who was put out does not walk back in by an open door; an invitation, the admins' yes and the end of a ban let them in."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from embedded.waiting import NeverHappened
from haven.ids import RoomId
from plugin.durations import DAY
from plugin.entrance.invite import code_in
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.homeserver_faults import Killed
from tests.plugin.entrance.lives import Life, living
from tests.plugin.entrance.test_coming_and_going import looked
from tests.plugin.entrance.test_crashes import short

ASKED = "@member:haven.test) was put out of Fathers"
AGAIN = "would like to come back"


@pytest.fixture
async def life(server: FakeHomeserver, store: Store) -> AsyncIterator[Life]:
    """A community that anybody may join, and its bot."""
    async with living(server, store) as made:
        await made.setting("join", "open")
        yield made


async def gone(life: Life) -> None:
    """Wait until the bot knows that the member was put out."""
    arrivals, who = life.stage.services.entrance.arrivals, life.stage.user("member")
    await life.until(lambda: arrivals._known[life.space][who].left, "the bot knows that he is out")


async def out_again(life: Life) -> None:
    """Wait until the member is in no room of the community."""
    await life.until(lambda: life.membership("member") == "leave", "he is put out again")
    await looked(life)


def asked(life: Life, room: RoomId) -> list[str]:
    """The cards about who wants to come back, as they read now."""
    return [text for text in life.said(room) if AGAIN in text]


async def put_out(life: Life, how: str) -> None:
    """The member is put out: by command, or by hand in the space."""
    if how == "command":
        await life.stage.say("moderator", "!c remove @member:haven.test too loud")
    else:
        await life.stage.person("moderator").kick(life.space, life.stage.user("member"), "too loud")


@pytest.mark.parametrize("how", ["command", "hand"])
async def test_who_was_put_out_is_put_out_again_and_the_admins_are_asked_once(life: Life, how: str) -> None:
    await put_out(life, how)
    await gone(life)
    for _ in range(3):
        await life.stage.person("member").join(life.space)
        await out_again(life)
    assert "somebody of its team has to invite you" in await life.member_reason("member")
    admins = await life.stage.room("admins")
    assert len(asked(life, admins)) == 1
    assert ASKED in asked(life, admins)[0]


async def test_who_is_back_before_anybody_looks_is_put_out_too(life: Life) -> None:
    await life.stage.person("moderator").kick(life.space, life.stage.user("member"))
    await life.stage.person("member").join(life.space)
    await out_again(life)
    await life.card(AGAIN)
    assert life.membership("member") == "leave"


@pytest.mark.parametrize("door", ["reaction", "command"])
async def test_the_admins_let_them_in(life: Life, door: str) -> None:
    await put_out(life, "command")
    await gone(life)
    await life.stage.person("member").join(life.space)
    card = await life.card(AGAIN)
    await out_again(life)
    if door == "reaction":
        await life.react("greeter", card, "✅")
    else:
        await life.stage.say("greeter", "!c approve @member:haven.test", await life.stage.room("admins"))
    await life.until(lambda: life.membership("member") == "invite", "he is invited")
    await life.stage.person("member").join(life.space)
    await looked(life)
    assert life.membership("member") == "join"
    await life.stage.person("member").leave(life.space)
    await gone(life)
    await life.stage.person("member").join(life.space)
    await looked(life)
    assert life.membership("member") == "join"


async def test_a_no_is_kept_and_nobody_is_asked_again(life: Life) -> None:
    await put_out(life, "hand")
    await gone(life)
    await life.stage.person("member").join(life.space)
    card = await life.card(AGAIN)
    await out_again(life)
    await life.react("greeter", card, "❌")
    await life.until_open(0)
    await life.stage.person("member").join(life.space)
    await out_again(life)
    await life.until_open(0)
    assert "turned @member" in await life.told("admins", "has turned @member:haven.test away")


async def test_an_invitation_by_hand_lets_them_in(life: Life) -> None:
    await put_out(life, "hand")
    await gone(life)
    await life.stage.person("admin").invite(life.space, life.stage.user("member"))
    await life.stage.person("member").join(life.space)
    await looked(life)
    assert life.membership("member") == "join"
    assert asked(life, await life.stage.room("admins")) == []


async def test_a_code_lets_them_in_when_the_admins_say_yes(life: Life) -> None:
    await put_out(life, "command")
    await gone(life)
    chat = await life.stage.direct("member")
    made = await life.stage.answer("greeter", "!c invite create", await life.stage.room("admins"))
    await life.stage.say("member", f"!c join {code_in(made)}", chat)
    card = await life.card("would like to join")
    await life.react("greeter", card, "✅")
    await life.until(lambda: life.membership("member") == "invite", "he is invited")
    await life.stage.person("member").join(life.space)
    await looked(life)
    assert life.membership("member") == "join"


async def test_the_end_of_a_ban_lets_them_in(life: Life) -> None:
    await put_out(life, "hand")
    await gone(life)
    await life.stage.say("moderator", "!c ban @member:haven.test")
    await life.stage.say("moderator", "!c unban @member:haven.test")
    await life.stage.person("member").join(life.space)
    await looked(life)
    assert life.membership("member") == "join"


async def test_it_holds_across_a_restart_and_for_longer_than_a_month(
    server: FakeHomeserver, store: Store
) -> None:
    async with living(server, store) as life:
        await life.setting("join", "open")
        await put_out(life, "hand")
        await gone(life)
        space = life.space
    await server.person("member").join(space)
    async with living(server, store, space=space, ahead=50 * DAY) as life:
        await out_again(life)
        await life.card(AGAIN)
        assert life.membership("member") == "leave"


async def test_who_was_invited_while_nobody_was_there_stays(server: FakeHomeserver, store: Store) -> None:
    async with living(server, store) as life:
        await life.setting("join", "open")
        await put_out(life, "hand")
        await gone(life)
        space = life.space
    await server.person("admin").invite(space, server.person("member").user)
    await server.person("member").join(space)
    async with living(server, store, space=space) as life:
        arrivals, who = life.stage.services.entrance.arrivals, life.stage.user("member")
        await life.until(lambda: space in arrivals._known and not arrivals._known[space][who].left, "seen")
        await looked(life)
        assert life.membership("member") == "join"


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize("point", range(1, 10))
async def test_dying_while_putting_out_leaves_nobody_in_and_asks_once(
    server: FakeHomeserver, store: Store, point: int, after_effect: bool
) -> None:
    async with living(server, store) as life:
        await life.setting("join", "open")
        await put_out(life, "hand")
        await gone(life)
        space, admins, bot = life.space, await life.stage.room("admins"), life.stage.bot
    async with living(server, store, space=space) as life:
        await short(life, server)
        server.faults.kill(at=point, user=bot, after_effect=after_effect)
        await server.person("member").join(space)
        with suppress(NeverHappened, TimeoutError, Killed):
            async with asyncio.timeout(0.8):
                await out_again(life)
    server.faults.forgive()
    async with living(server, store, space=space) as life:
        await out_again(life)
        await life.card(AGAIN)
        assert len(asked(life, admins)) == 1

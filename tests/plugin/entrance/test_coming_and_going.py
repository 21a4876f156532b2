"""Who has come is told what there is, once; who goes is out of every room; and waves close the door a little."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from haven.ids import UserId
from plugin.durations import DAY, MINUTE
from plugin.entrance.steps import GATHER
from plugin.store import Store, now_ms
from tests.fakes.homeserver import FakeHomeserver
from tests.plugin.entrance.lives import Life, living


@pytest.fixture
async def life(server: FakeHomeserver, store: Store) -> AsyncIterator[Life]:
    """A community that anybody may join, and its bot."""
    async with living(server, store) as made:
        await made.setting("join", "open")
        yield made


async def come(life: Life, *names: str) -> None:
    """They join the space, and the bot notices."""
    for name in names:
        await life.stage.person(name).join(life.space)
    arrivals = life.stage.services.entrance.arrivals

    def noticed() -> bool:
        known = arrivals._known.get(life.space, {})
        return all(life.stage.user(name) in known for name in names)

    await life.until(noticed, "the bot has noticed them")


async def later(life: Life, milliseconds: int) -> None:
    """Let that much time pass for timers, and have them look."""
    life.ahead += milliseconds
    life.stage.services.desk.timers._wake.set()


async def looked(life: Life) -> None:
    """Wait until the bot has looked at all that has happened."""
    entrance = life.stage.services.entrance
    await asyncio.sleep(0.05)
    await life.until(lambda: not entrance._rounds.pending, "all is looked at")


async def test_who_has_a_chat_is_told_there_and_once(life: Life) -> None:
    chat = await life.stage.direct("zoe")
    await come(life, "zoe")
    await later(life, GATHER)
    told = await life.told(chat, "Welcome to Fathers")
    assert "Madrid" in told
    assert "Brno" in told
    assert "Quiet" not in told
    assert "via=haven.test" in told
    await life.stage.person("zoe").leave(life.space)
    await life.told("admins", "@zoe:haven.test left the community")
    await come(life, "zoe")
    await later(life, 2 * MINUTE)
    await looked(life)
    assert len([text for text in life.said(chat) if "Welcome" in text]) == 1


async def test_the_others_are_told_together_once_they_are_in_the_general_chat(life: Life) -> None:
    general = await life.stage.room("general")
    await come(life, "zoe", "yan")
    await later(life, GATHER)
    assert not any("Welcome" in text for text in life.said(general))
    for name in ("zoe", "yan"):
        await life.stage.person(name).join(general)
    await looked(life)
    await later(life, GATHER)
    told = await life.told(general, "Welcome, ")
    assert "@yan:haven.test" in told
    assert "@zoe:haven.test" in told
    events = [
        e for e in life.stage.server.rooms[general].timeline if "Welcome, " in str(e.content.get("body"))
    ]
    assert [event.content["m.mentions"] for event in events] == [{}]


async def test_nobody_is_told_anything_where_it_is_switched_off(life: Life) -> None:
    await life.setting("first_steps", "off")
    chat = await life.stage.direct("zoe")
    await come(life, "zoe")
    await looked(life)
    await later(life, GATHER)
    await life.until(lambda: not life.waits("zoe"), "it is decided")
    assert life.said(chat) == []


async def test_who_skips_the_announcements_is_reminded_once(life: Life) -> None:
    news, general = await life.stage.room("announcements"), await life.stage.room("general")
    chat = await life.stage.direct("zoe")
    await come(life, "zoe", "yan", "xen")
    for name in ("yan", "xen"):
        await life.stage.person(name).join(general)
    await life.stage.person("xen").join(news)
    await looked(life)
    await later(life, GATHER)
    await life.told(chat, "Welcome to Fathers")
    await life.told(general, "Welcome, ")
    await later(life, DAY + MINUTE)
    await life.told(chat, "not in the announcements yet")
    await life.until(lambda: life.membership("yan", news) == "invite", "he is invited to the announcements")
    await later(life, 3 * DAY)
    await looked(life)
    assert len([text for text in life.said(chat) if "announcements yet" in text]) == 1


async def test_who_leaves_the_space_is_out_of_every_room_and_only_the_admins_are_told(life: Life) -> None:
    rooms = [await life.stage.room(name) for name in ("announcements", "general", "Madrid")]
    await life.stage.person("member").leave(life.space)
    await life.told("admins", "@member:haven.test left the community (by hand)")
    await life.until(lambda: {life.membership("member", room) for room in rooms} == {"leave"}, "he is out")
    assert not any("@member" in text for room in rooms for text in life.said(room))


async def test_leaving_by_command_ends_in_every_room_too(life: Life) -> None:
    rooms = [life.space, *[await life.stage.room(name) for name in ("announcements", "general", "Madrid")]]
    chat = await life.stage.direct("member")
    assert "You have left “Fathers”" in await life.stage.answer("member", "!c leave", chat)
    assert {life.membership("member", room) for room in rooms} == {"leave"}
    await life.told("admins", "@member:haven.test left the community (by command)")
    code_of = await life.stage.answer("greeter", "!c invite create", await life.stage.room("admins"))
    code = code_of.split("Its code: `")[1].split("`")[0]
    assert "I have invited you" in await life.stage.answer("member", f"!c join {code}", chat)


async def test_an_owner_does_not_leave_their_community_alone(life: Life) -> None:
    assert "hand the community over first" in await life.stage.answer("owner", "!c leave")
    assert life.membership("owner") == "join"


async def test_a_wave_closes_the_door_a_little_and_is_told_once(life: Life) -> None:
    await life.setting("wave_limit", "20")
    await looked(life)
    admins, general = await life.stage.room("admins"), await life.stage.room("general")
    names = [f"p{number:02}" for number in range(40)]
    for name in names:
        await life.stage.person(name).join(life.space)
        if life.stage.server.rooms[life.space].content("m.room.join_rules")["join_rule"] != "public":
            break
    settings = None
    await life.told(admins, "more than 20 people came within 10 minutes")
    settings = (await life.stage.community()).settings
    assert (settings.join, settings.codes) == ("request", "approval")
    await looked(life)
    await later(life, GATHER)
    await looked(life)
    assert len([text for text in life.said(admins) if "people came within" in text]) == 1
    assert not any("Welcome" in text for text in life.said(general))


async def test_a_wave_goes_on_across_a_restart_and_while_nobody_is_there(store: Store) -> None:
    server = FakeHomeserver(clock=now_ms)
    async with living(server, store) as life:
        await life.setting("join", "open")
        await life.setting("wave_limit", "6")
        space, admins = life.space, await life.stage.room("admins")
        await come(life, "a", "b", "c")
        await looked(life)
    for name in ("d", "e"):
        await server.person(name).join(space)
    async with living(server, store, space=space) as life:
        await life.until(lambda: life.waits("e"), "they are noticed")
        await looked(life)
        assert (await life.stage.community()).settings.join == "open"
    for name in ("f", "g"):
        await server.person(name).join(space)
    async with living(server, store, space=space) as life:
        await life.told(admins, "more than 6 people came within 10 minutes")
        assert (await life.stage.community()).settings.join == "request"
        assert await life.stage.services.entrance.waves.is_on(await life.stage.community())
    async with living(server, store, space=space) as life:
        assert await life.stage.services.entrance.waves.is_on(await life.stage.community())
        await looked(life)
        assert len([text for text in life.said(admins) if "people came within" in text]) == 1


async def test_who_came_over_a_long_time_while_nobody_was_there_is_no_wave(store: Store) -> None:
    passed = 0
    server = FakeHomeserver(clock=lambda: now_ms() - DAY + passed)
    async with living(server, store) as life:
        await life.setting("join", "open")
        await life.setting("wave_limit", "3")
        space = life.space
    for number in range(8):
        passed += 20 * MINUTE
        await server.person(f"p{number}").join(space)
    async with living(server, store, space=space) as life:
        await life.until(lambda: life.waits("p7"), "they are noticed")
        await looked(life)
        assert (await life.stage.community()).settings.join == "open"


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize("point", range(1, 8))
async def test_dying_over_a_wave_closes_the_door_afterwards(
    store: Store, point: int, after_effect: bool
) -> None:
    server = FakeHomeserver(clock=now_ms)
    async with living(server, store) as life:
        await life.setting("join", "open")
        await life.setting("wave_limit", "3")
        space, bot = life.space, life.stage.bot
        await come(life, "a", "b")
        await looked(life)
    for name in ("c", "d", "e"):
        await server.person(name).join(space)
    async with living(server, store, space=space) as life:
        server.faults.kill(at=point, user=bot, after_effect=after_effect)
        await asyncio.sleep(0.5)
    server.faults.forgive()
    async with living(server, store, space=space, ahead=MINUTE) as life:
        await life.told("admins", "more than 3 people came within 10 minutes")
        assert (await life.stage.community()).settings.join == "request"


async def test_people_who_come_one_by_one_are_no_wave(life: Life) -> None:
    await life.setting("wave_limit", "3")
    for number in range(6):
        await come(life, f"p{number}")
        await looked(life)
        await later(life, 4 * MINUTE)
    assert (await life.stage.community()).settings.join == "open"


async def test_who_comes_and_goes_while_nobody_is_there_is_noticed_afterwards(
    server: FakeHomeserver, store: Store
) -> None:
    async with living(server, store) as life:
        space, general = life.space, await life.stage.room("general")
        await life.setting("join", "open")
    await server.person("zoe").join(space)
    await server.person("zoe").join(general)
    await server.person("member").leave(space)
    async with living(server, store, space=space) as life:
        await life.told("admins", "@member:haven.test left the community")
        await life.until(lambda: life.waits("zoe"), "she is noticed")
        await looked(life)
    async with living(server, store, space=space, ahead=GATHER + MINUTE) as life:
        await life.told(general, "Welcome, @zoe:haven.test")
        await looked(life)
    async with living(server, store, space=space, ahead=3 * MINUTE) as life:
        await looked(life)
        await later(life, MINUTE)
        assert len([text for text in life.said(general) if "Welcome, " in text]) == 1
        left = [text for text in life.said(await life.stage.room("admins")) if "left the community" in text]
        assert len(left) == 1


async def test_nobody_who_was_there_before_is_welcomed(server: FakeHomeserver, store: Store) -> None:
    async with living(server, store) as life:
        known = await life.stage.services.entrance.arrivals.store.members(life.space)
        assert UserId("@member:haven.test") in known
        assert await life.stage.services.entrance.arrivals.waiting(life.space) == ()

"""Who is not in the announcements is counted for the admins and reminded when one asks for it; nobody is named."""

from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from haven.errors import RateLimited
from haven.ids import RoomId
from plugin.durations import DAY, HOUR
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.homeserver_faults import Killed
from tests.plugin.commands.stage import text_of
from tests.plugin.entrance.lives import Life, living

REMIND = "!c announcement remind"


@pytest.fixture
async def life(server: FakeHomeserver, store: Store) -> AsyncIterator[Life]:
    """A community that says nothing to newcomers by itself, and its bot."""
    async with living(server, store) as made:
        await made.setting("join", "open")
        await made.setting("first_steps", "off")
        yield made


async def later(life: Life, milliseconds: int = HOUR) -> None:
    """Let that much time pass for timers, and have them look."""
    life.ahead += milliseconds
    life.stage.services.desk.timers._wake.set()


async def come(life: Life, *names: str) -> RoomId:
    """They join the space only; gives the announcements."""
    for name in names:
        await life.stage.person(name).join(life.space)
    await life.stage.engine.rooms.observe()
    return await life.stage.room("announcements")


async def test_admins_see_how_many_are_missing_and_others_do_not(life: Life) -> None:
    assert "announcements yet" not in await life.stage.answer("admin", "!c show")
    await come(life, "zoe", "yan")
    said = await life.stage.answer("admin", "!c show")
    assert "2 of 9 are not in the announcements yet" in said
    assert "zoe" not in said
    for name in ("member", "moderator", "announcer"):
        assert "announcements yet" not in await life.stage.answer(name, "!c show")


async def test_who_has_a_chat_is_told_there_and_the_others_are_invited(life: Life) -> None:
    chat = await life.stage.direct("zoe")
    news = await come(life, "zoe", "yan")
    said = await life.stage.answer("announcer", REMIND)
    assert "I remind 2 people" in said
    assert "yan" not in said
    await later(life)
    await life.told(chat, "You are not in the announcements")
    await life.until(lambda: life.membership("yan", news) == "invite", "yan is invited")
    assert life.membership("zoe", news) == ""
    log = await life.stage.answer("admin", "!c log --last 1", "admins")
    assert "@announcer:haven.test had members reminded of the announcements: 2" in log


async def test_who_has_left_them_is_counted_and_left_in_peace(life: Life) -> None:
    news = await come(life, "zoe")
    await life.stage.person("member").leave(news)
    await life.stage.person("zoe").join(news)
    await life.stage.engine.rooms.observe()
    assert "One of 8 is not in the announcements yet" in await life.stage.answer("admin", "!c show")
    said = await life.stage.answer("admin", REMIND)
    assert "Nobody needs a reminder" in said
    assert "One person has left them" in said
    await later(life)
    assert life.membership("member", news) == "leave"


async def test_once_a_day_is_enough(life: Life) -> None:
    await come(life, "zoe")
    assert "I remind one person" in await life.stage.answer("admin", REMIND)
    assert "reminded within the last day" in await life.stage.answer("owner", REMIND)
    await later(life, DAY)
    assert "reminded within" not in await life.stage.answer("owner", REMIND)


@pytest.mark.parametrize("name", ["member", "moderator", "greeter", "stranger"])
async def test_it_is_for_those_who_announce(life: Life, name: str) -> None:
    news = await come(life, "zoe")
    said = await life.stage.answer(name, REMIND)
    assert "cannot do that" in said or "Only members" in said
    await later(life)
    assert life.membership("zoe", news) == ""


async def test_who_has_come_meanwhile_hears_nothing(life: Life) -> None:
    chat = await life.stage.direct("zoe")
    news = await come(life, "zoe", "yan")
    await life.stage.say("admin", REMIND)
    await life.stage.person("zoe").join(news)
    await life.stage.engine.rooms.observe()
    await later(life)
    await life.until(lambda: life.membership("yan", news) == "invite", "yan is invited")
    assert not any("not in the announcements" in text for text in life.said(chat))


async def test_limits_of_the_homeserver_are_waited_out(life: Life) -> None:
    news = await come(life, "zoe", "yan", "xan")
    life.stage.server.faults.fail_next(2, RateLimited(1), port="invite")
    await life.stage.say("admin", REMIND)
    for name in ("zoe", "yan", "xan"):
        for _ in range(3):
            await later(life)
        await life.until(lambda name=name: life.membership(name, news) == "invite", f"{name} is invited")  # type: ignore[misc]  # a default
    assert life.stage.server.faults.count("invite", user=life.stage.bot) >= 3 + 2


async def test_without_announcements_there_is_nothing_to_remind_of(life: Life) -> None:
    news = await life.stage.room("announcements")
    await life.stage.person("bot").send_state(news, "chat.haven.group", "", {})
    await life.stage.engine.rooms.observe()
    assert "no announcements room" in text_of(await life.stage.say("owner", REMIND))


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize("point", range(1, 6))
async def test_dying_over_it_everybody_is_reminded_once(
    server: FakeHomeserver, store: Store, point: int, after_effect: bool
) -> None:
    async with living(server, store) as life:
        await life.setting("join", "open")
        await life.setting("first_steps", "off")
        chat, space, bot = await life.stage.direct("zoe"), life.space, life.stage.bot
        news = await come(life, "zoe", "yan")
        incoming = await life.stage.incoming("admin", REMIND, await life.stage.room("admins"))
        server.faults.kill(at=point, user=bot, after_effect=after_effect)
        with suppress(Killed):
            await life.stage.dispatcher.handle(incoming)
    server.faults.forgive()
    async with living(server, store, space=space) as life:
        await life.stage.dispatcher.handle(incoming)
        await later(life)
        await life.told(chat, "You are not in the announcements")
        await life.until(lambda: life.membership("yan", news) == "invite", "yan is invited")
        await later(life, 2 * DAY)
        assert len([text for text in life.said(chat) if "You are not in the announcements" in text]) == 1

"""The bot dies at any request while somebody comes in: afterwards nothing is lost, and nothing has happened twice."""

import asyncio
from contextlib import suppress

import pytest

from embedded.waiting import NeverHappened
from haven.ids import RoomId
from plugin.entrance.invite import code_in
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.homeserver_faults import Killed
from tests.plugin.entrance.lives import Life, living


async def short(life: Life, server: FakeHomeserver) -> None:
    """Wait until the bot has been killed, or has nothing more to do."""
    requests = -1
    while requests != len(server.faults.requests) and not life.stage.person("bot")._dead:
        requests = len(server.faults.requests)
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize("point", range(1, 9))
async def test_dying_over_a_knock_and_its_answer(
    server: FakeHomeserver, store: Store, point: int, after_effect: bool
) -> None:
    async with living(server, store) as life:
        space, admins, bot = life.space, await life.stage.room("admins"), life.stage.bot
    async with living(server, store, space=space) as life:
        await short(life, server)
        server.faults.kill(at=point, user=bot, after_effect=after_effect)
        await server.person("zoe").knock(space, (), "please")
        with suppress(NeverHappened, TimeoutError, Killed):
            async with asyncio.timeout(0.8):
                card = await life.card("would like to join")
                await life.react("greeter", card, "✅")
                await life.until(lambda: life.membership("zoe") == "invite", "she is invited")
                await short(life, server)
    server.faults.forgive()
    async with living(server, store, space=space) as life:
        card = await life.card("@zoe:haven.test")
        with suppress(Exception):
            await life.react("greeter", card, "✅")
        await life.until(lambda: life.membership("zoe") == "invite", "she is invited")
        await life.until_open(0)
        await life.told(admins, "@greeter:haven.test let @zoe:haven.test in; room")
        said = life.said(admins)
        assert len([text for text in said if "let @zoe:haven.test in; room" in text]) == 1, said
        assert [text for text in said if "would like to join" in text] == []
        assert len([text for text in said if "has let @zoe" in text or "let in meanwhile" in text]) == 1, said
    assert server.faults.count("invite", user=bot) <= 2


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize("point", range(1, 7))
async def test_dying_over_a_code_counts_once_and_lets_in(
    server: FakeHomeserver, store: Store, point: int, after_effect: bool
) -> None:
    async with living(server, store) as life:
        space, bot = life.space, life.stage.bot
        code = code_in(await life.stage.answer("greeter", "!c invite create --uses 1", "admins"))
        chat = await life.stage.direct("zoe")
        server.faults.kill(at=point, user=bot, after_effect=after_effect)
        with suppress(Killed):
            await life.stage.dispatcher.handle(await life.stage.incoming("zoe", f"!c join {code}", chat))
    server.faults.forgive()
    async with living(server, store, space=space) as life:
        if life.membership("zoe") != "invite":
            await life.stage.say("zoe", f"!c join {code}", chat)
        assert life.membership("zoe") == "invite"
        (invite,) = await life.stage.services.entrance.invites.store.of_space(space)
        assert invite.used == 1
        assert await used_up(life, code)


async def used_up(life: Life, code: str) -> bool:
    """Whether a code lets nobody else in."""
    chat: RoomId = await life.stage.direct("yan")
    said = await life.stage.answer("yan", f"!c join {code}", chat)
    return "used as often" in said and life.membership("yan") == ""


@pytest.mark.parametrize("point", range(1, 8))
async def test_dying_over_a_wave_closes_the_door_and_tells_it_once(
    server: FakeHomeserver, store: Store, point: int
) -> None:
    async with living(server, store) as life:
        space, admins, bot = life.space, await life.stage.room("admins"), life.stage.bot
        await life.setting("join", "open")
        await life.setting("wave_limit", "3")
        waves, community = life.stage.services.entrance.waves, await life.stage.community()
        server.faults.kill(at=point, user=bot, after_effect=point % 2 == 0)
        with suppress(Killed):
            await waves.came(community, [waves.epoch()] * 5)
    server.faults.forgive()
    async with living(server, store, space=space, ahead=60_000) as life:
        await life.told(admins, "more than 3 people came")
        settings = (await life.stage.community()).settings
        assert (settings.join, settings.codes) == ("request", "approval")
        assert len([text for text in life.said(admins) if "more than 3 people came" in text]) == 1

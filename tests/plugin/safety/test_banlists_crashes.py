"""The bot dies at any request over ban lists: afterwards all is as it should be, and told once."""

import asyncio
from contextlib import suppress

import pytest

from embedded.waiting import NeverHappened
from haven.banlists import BANLISTS
from haven.errors import GiveUp
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.homeserver_faults import Killed
from tests.plugin.entrance.lives import living
from tests.plugin.safety.lists import a_list, is_banned, lists_made, name, published, quiet, user, watched


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize("point", [*range(1, 8), 10, 14])
async def test_dying_over_a_new_rule_bans_once_and_tells_once(
    server: FakeHomeserver, store: Store, point: int, after_effect: bool
) -> None:
    room = await a_list(server)
    async with living(server, store) as life:
        space, bot, admins = life.space, life.stage.bot, await life.stage.room("admins")
        await watched(life, room)
        await quiet(life, server)
        server.faults.kill(at=point, user=bot, after_effect=after_effect)
        await name(server, room, user("member"))
        with suppress(NeverHappened, TimeoutError, Killed):
            async with asyncio.timeout(0.8):
                await is_banned(life, "member")
                await quiet(life, server)
    server.faults.forgive()
    async with living(server, store, space=space, ahead=120_000) as life:
        await is_banned(life, "member")
        await life.told(admins, f"{user('member')}, who is on a ban list")
        await quiet(life, server)
        said = [text for text in life.said(admins) if "who is on a ban list" in text]
        assert len(said) == 1, said


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize("point", range(1, 8))
async def test_dying_over_publishing_makes_one_list(
    server: FakeHomeserver, store: Store, point: int, after_effect: bool
) -> None:
    async with living(server, store) as life:
        space, bot = life.space, life.stage.bot
        await life.stage.say("admin", "!c ban @member:haven.test rude", "admins")
        await quiet(life, server)
        incoming = await life.stage.incoming(
            "admin", "!c banlist publish on", await life.stage.room("admins")
        )
        server.faults.kill(at=point, user=bot, after_effect=after_effect)
        with suppress(Killed, GiveUp):
            await life.stage.dispatcher.handle(incoming)
        await quiet(life, server)
    server.faults.forgive()
    async with living(server, store, space=space) as life:
        await life.stage.say("admin", "!c banlist publish on", "admins")

        def stands() -> bool:
            own = server.rooms[space].content(BANLISTS).get("own")
            return bool(own) and published(server, life) == {user("member"): "rude"}

        await life.until(stands, "it is published")
        await quiet(life, server)
        assert await lists_made(server) == 1


@pytest.mark.parametrize("point", range(1, 8))
async def test_dying_over_watching_and_unwatching(server: FakeHomeserver, store: Store, point: int) -> None:
    room = await a_list(server, user("member"))
    async with living(server, store) as life:
        space, bot, admins = life.space, life.stage.bot, await life.stage.room("admins")
        await quiet(life, server)
        server.faults.kill(at=point, user=bot, after_effect=point % 2 == 0)
        with suppress(Killed):
            await life.stage.dispatcher.handle(
                await life.stage.incoming("admin", f"!c banlist watch {room}", admins)
            )
    server.faults.forgive()
    async with living(server, store, space=space) as life:
        await watched(life, room)
        await is_banned(life, "member")
        await quiet(life, server)
        server.faults.kill(at=point, user=bot, after_effect=point % 2 == 0)
        with suppress(Killed):
            await life.stage.dispatcher.handle(
                await life.stage.incoming("admin", f"!c banlist unwatch {room}", admins)
            )
    server.faults.forgive()
    async with living(server, store, space=space) as life:
        await life.stage.say("admin", f"!c banlist unwatch {room}", admins)
        await life.until(lambda: life.membership("member") == "leave", "she may come again")
        assert user("member") not in (await life.stage.community()).banned

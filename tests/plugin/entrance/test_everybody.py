"""Local members are joined to the announcements where the bot may do that."""

from haven.ids import UserId
from plugin.config import Settings
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.plugin.entrance.lives import Life, living


async def settled(life: Life) -> None:
    """Wait until the bot has noticed Zoe."""
    await life.until(lambda: life.waits("zoe"), "she is noticed")


async def test_local_members_are_joined_once_and_others_never(server: FakeHomeserver, store: Store) -> None:
    server.admins.add(UserId("@bot:haven.test"))
    async with living(server, store, configured=Settings(server_admin=True)) as life:
        news = await life.stage.room("announcements")
        await life.setting("join", "open")
        away = server.client(UserId("@far:away.test"))
        await away.join(life.space, ("haven.test",))
        await server.person("zoe").join(life.space)
        await life.until(lambda: life.membership("zoe", news) == "join", "she is in the announcements")
        assert server.rooms[news].membership(away.user) == ""
        await server.person("zoe").leave(news)
        await server.person("yan").join(life.space)
        await life.until(lambda: life.membership("yan", news) == "join", "he is in the announcements")
        assert life.membership("zoe", news) == "leave"


async def test_a_bot_that_is_no_administrator_tries_once(server: FakeHomeserver, store: Store) -> None:
    async with living(server, store, configured=Settings(server_admin=True)) as life:
        await life.setting("join", "open")
        everybody = life.stage.services.entrance.everybody
        for name in ("zoe", "yan"):
            await server.person(name).join(life.space)
        await life.until(lambda: not everybody.able, "it knows")
        await settled(life)
        assert server.faults.count("join_for") == 1


async def test_nobody_is_joined_where_the_operator_says_nothing(server: FakeHomeserver, store: Store) -> None:
    async with living(server, store) as life:
        await life.setting("join", "open")
        await server.person("zoe").join(life.space)
        await settled(life)
        assert server.faults.count("join_for") == 0

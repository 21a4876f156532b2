"""Ban lists in every room version that a community can be in."""

import pytest

from haven.banlists import BANLISTS
from haven.ids import RoomId
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.plugin.commands.stage import staged
from tests.plugin.safety.lists import RULE, a_list, user


@pytest.mark.parametrize("version", ["10", "11", "12"])
async def test_lists_are_followed_and_published(server: FakeHomeserver, store: Store, version: str) -> None:
    theirs = await a_list(server, user("member"))
    async with staged(server, store, version) as stage:
        await stage.say("moderator", f"!c ban {user('stranger')} rude", "admins")
        said = await stage.answer("admin", f"!c banlist watch {theirs}", "admins")
        assert "is on it and is banned now" in said
        assert server.rooms[stage.space].membership(stage.user("member")) == "ban"
        await stage.say("admin", "!c banlist publish on", "admins")
        await stage.services.safety.list_watch.look(stage.space)
        own = server.rooms[RoomId(str(server.rooms[stage.space].content(BANLISTS)["own"]))]
        assert own.version == version
        rule = own.content(RULE, f"rule:{user('stranger')}")
        assert rule == {"entity": user("stranger"), "recommendation": "m.ban", "reason": "rude"}
        await stage.say("admin", f"!c banlist unwatch {theirs}", "admins")
        assert server.rooms[stage.space].membership(stage.user("member")) == "leave"

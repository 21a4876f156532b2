"""`group archive`, `group remove`, `deactivate`, `reactivate`."""

from dataclasses import replace

import pytest

from haven.errors import Refused
from plugin.store import Store, now_ms
from tests.fakes.homeserver import FakeHomeserver
from tests.plugin.commands.stage import Stage, staged, text_of

DAY = 24 * 3_600_000


async def names(stage: Stage) -> set[str]:
    return {group.name for group in (await stage.community()).groups}


@pytest.mark.parametrize("version", ["10", "11", "12"])
async def test_an_archive_can_be_read_and_nothing_else_and_is_opened_again(
    server: FakeHomeserver, store: Store, version: str
) -> None:
    async with staged(server, store, version) as stage:
        madrid, member = await stage.room("Madrid"), stage.person("member")
        assert "is archived" in await stage.answer("admin", "!c group archive Madrid")
        assert madrid not in await stage.person("greeter").hierarchy(stage.space)
        assert stage.server.is_joined(madrid, member.user)
        with pytest.raises(Refused):
            await member.send_message(madrid, "m.room.message", {"msgtype": "m.text", "body": "x"}, "1")
        await stage.person("late").join(stage.space)
        with pytest.raises(Refused):
            await stage.person("late").join(madrid)
        assert "archived already" in await stage.answer("admin", "!c group archive Madrid")
        assert "archived: to be read only" in await stage.answer("admin", "!c group list", "admins")
        await stage.say("admin", "!c group set Madrid archived off")
        await member.send_message(madrid, "m.room.message", {"msgtype": "m.text", "body": "x"}, "2")
        await stage.person("late").join(madrid)
        assert "archived a group: Madrid (by command)" in await stage.answer("admin", "!c log", "admins")


async def test_a_group_admin_archives_and_takes_out_their_own(stage: Stage) -> None:
    assert "is archived" in await stage.answer("groupadmin", "!c group archive Madrid")
    assert "no longer part" in await stage.answer("groupadmin", "!c group remove Madrid")
    assert "Madrid" not in await names(stage)


async def test_a_group_that_is_taken_out_lives_on(stage: Stage) -> None:
    madrid, member = await stage.room("Madrid"), stage.person("member")
    inside = stage.server.rooms[madrid].members("join")
    assert "no longer part of the community" in await stage.answer("admin", "!c group remove Madrid")
    assert "Madrid" not in await names(stage)
    room = stage.server.rooms[madrid]
    assert room.members("join") == inside
    await member.send_message(madrid, "m.room.message", {"msgtype": "m.text", "body": "x"}, "1")
    assert madrid not in await member.hierarchy(stage.space)
    assert stage.server.is_joined(stage.space, member.user)
    assert "took a group out of the community: Madrid" in await stage.answer("admin", "!c log", "admins")
    await stage.say("admin", "!c group add Madrid")
    assert "Madrid" in await names(stage)


async def test_members_who_are_in_no_other_group_go_with_it_after_a_preview(stage: Stage) -> None:
    brno = await stage.room("Brno")
    await stage.person("bot").invite(brno, stage.user("announcer"))
    await stage.person("announcer").join(brno)
    admins = await stage.room("admins")
    stage.forget()
    said = await stage.say("admin", "!c group remove Madrid --remove-members", "general")
    preview = text_of([event for event in said if event.room == admins])
    assert "would be removed from the community" in preview
    assert "@member:haven.test" in preview
    assert "@announcer:haven.test" not in preview
    assert "@moderator:haven.test" not in preview
    assert stage.written() == []
    command = preview[preview.index("!c group remove") :].strip("`")
    await stage.say("admin", command, admins)
    assert "Madrid" not in await names(stage)
    assert not stage.server.is_joined(stage.space, stage.user("member"))
    assert stage.server.is_joined(stage.space, stage.user("announcer"))


async def test_with_members_is_for_admins_only(stage: Stage) -> None:
    assert "cannot do that" in await stage.answer("groupadmin", "!c group remove Madrid --remove-members")
    assert "Madrid" in await names(stage)


@pytest.mark.parametrize("command", ["group archive", "group remove"])
@pytest.mark.parametrize(
    ("name", "group", "words"),
    [
        ("admin", "general", "belongs to every community"),
        ("admin", "admins", "belongs to every community"),
        ("admin", "Lisboa", "no group"),
        ("groupadmin", "Brno", "cannot do that"),
        ("groupadmin", "Quiet", "no group"),
        ("moderator", "Madrid", "cannot do that"),
        ("stranger", "Madrid", "Only members"),
    ],
)
async def test_what_cannot_be_is_said(stage: Stage, command: str, name: str, group: str, words: str) -> None:
    stage.forget()
    assert words in await stage.answer(name, f"!c {command} {group}")
    assert stage.written() == []


@pytest.mark.parametrize("version", ["10", "11", "12"])
async def test_a_community_is_dissolved_when_its_name_is_typed_and_comes_back(
    server: FakeHomeserver, store: Store, version: str
) -> None:
    async with staged(server, store, version) as stage:
        madrid, member = await stage.room("Madrid"), stage.person("member")
        for wrong in ("", " Mothers", " Father"):
            stage.forget()
            assert '!c deactivate "Fathers"' in await stage.answer("owner", f"!c deactivate{wrong}")
            assert stage.written() == []
        assert "is dissolved" in await stage.answer("owner", '!c deactivate "fathers"')
        assert await member.hierarchy(stage.space) == ()
        await member.send_message(madrid, "m.room.message", {"msgtype": "m.text", "body": "x"}, "1")
        assert stage.server.is_joined(madrid, member.user)
        for command in (
            "group add Praga",
            "role add @member:haven.test admin",
            "settings replies open",
            "repair",
        ):
            assert "is deactivated" in await stage.answer("owner", f"!c {command}"), command
        assert "is deactivated" in await stage.answer("member", "!c show")
        assert "is deactivated" in await stage.answer("owner", "!c deactivate Fathers")
        assert "cannot do that" in await stage.answer("admin", "!c reactivate")
        assert "is back" in await stage.answer("owner", "!c reactivate")
        assert madrid in await member.hierarchy(stage.space)
        assert (await stage.community()).group(madrid) is not None
        assert "not deactivated" in await stage.answer("owner", "!c reactivate")
        log = await stage.answer("owner", "!c log", "admins")
        assert log.index("took the community up again") < log.index("dissolved the community")


@pytest.mark.parametrize("name", ["admin", "moderator", "member"])
async def test_only_the_owner_dissolves(stage: Stage, name: str) -> None:
    assert "cannot do that" in await stage.answer(name, "!c deactivate Fathers")
    assert (await stage.community()).deactivated is None


async def test_after_thirty_days_it_stays_dissolved(stage: Stage) -> None:
    long_ago = now_ms() - 31 * DAY
    await stage.engine.communities.change(stage.space, lambda now: replace(now, deactivated=long_ago))
    assert "more than 30 days ago" in await stage.answer("owner", "!c reactivate")
    assert (await stage.community()).deactivated == long_ago

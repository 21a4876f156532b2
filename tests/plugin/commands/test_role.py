"""`role add`, `role remove`, `roles`."""

import pytest

from haven.model import Role
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.plugin.commands.stage import BRIDGE, PEOPLE, Stage, staged

EVERYWHERE = ("announcements", "general", "Madrid", "Brno", "Quiet", "admins")


@pytest.mark.parametrize("version", ["10", "11", "12"])
async def test_an_admin_is_one_in_every_room_and_then_no_longer(
    server: FakeHomeserver, store: Store, version: str
) -> None:
    async with staged(server, store, version) as stage:
        assert "is now `admin`" in await stage.answer("admin", "!c role add @member:haven.test admin")
        rooms = [stage.space, *[await stage.room(name) for name in EVERYWHERE]]
        assert [stage.power(room, "member") for room in rooms] == [90] * 7
        assert "no longer `admin`" in await stage.answer("owner", "!c role remove @member:haven.test admin")
        assert [stage.power(room, "member") for room in rooms] == [0] * 7


@pytest.mark.parametrize("version", ["10", "11", "12"])
async def test_announcers_and_group_admins_hold_in_one_room(
    server: FakeHomeserver, store: Store, version: str
) -> None:
    async with staged(server, store, version) as stage:
        announcements, madrid = await stage.room("announcements"), await stage.room("Madrid")
        await stage.say("admin", "!c role add @member:haven.test announcer")
        assert (stage.power(announcements, "member"), stage.power(madrid, "member")) == (70, 0)
        await stage.say("admin", "!c role add @member:haven.test group-admin --group Madrid")
        assert (stage.power(announcements, "member"), stage.power(madrid, "member")) == (70, 60)
        await stage.say("admin", "!c role remove @member:haven.test announcer")
        assert (stage.power(announcements, "member"), stage.power(madrid, "member")) == (0, 60)


@pytest.mark.parametrize("version", ["10", "11", "12"])
async def test_somebody_is_something_else_in_one_group_and_stays_so(
    server: FakeHomeserver, store: Store, version: str
) -> None:
    async with staged(server, store, version) as stage:
        madrid, brno = await stage.room("Madrid"), await stage.room("Brno")
        await stage.say("admin", "!c role add @member:haven.test moderator --group Madrid")
        said = await stage.answer("admin", "!c role add @moderator:haven.test member --group Madrid")
        assert "is now `member` in Madrid" in said
        for _ in range(2):
            assert [stage.power(room, "member") for room in (madrid, brno)] == [50, 0]
            assert [stage.power(room, "moderator") for room in (madrid, brno)] == [0, 50]
            levels = stage.server.rooms[madrid].content("m.room.power_levels")
            await stage.person("owner").send_state(madrid, "m.room.power_levels", "", {**levels, "ban": 51})
            await stage.engine.communities.repair(stage.space)
        told = await stage.answer("member", "!c roles")
        assert "@member:haven.test: `moderator` in Madrid" in told
        assert "@moderator:haven.test: only `member` in Madrid" in told
        await stage.say("admin", "!c role remove @member:haven.test moderator --group Madrid")
        await stage.say("admin", "!c role add @moderator:haven.test moderator --group Madrid")
        assert [stage.power(madrid, name) for name in ("member", "moderator")] == [0, 50]
        assert not {stage.user("member"), stage.user("moderator")} & {
            user for group in (await stage.community()).groups for user in group.exceptions
        }


async def test_who_is_less_in_one_group_does_not_undo_it_themselves(stage: Stage) -> None:
    madrid = await stage.room("Madrid")
    await stage.say("admin", "!c role add @moderator:haven.test member --group Madrid")
    await stage.say("admin", "!c role add @member:haven.test moderator --group Madrid")
    command = "!c role remove @moderator:haven.test member --group Madrid"
    assert "cannot do that as `moderator`" in await stage.answer("moderator", command)
    assert stage.power(madrid, "moderator") == 0
    own = await stage.answer("member", "!c role remove @member:haven.test moderator --group Madrid")
    assert "no longer `moderator` in Madrid" in own
    assert stage.power(madrid, "member") == 0


async def test_of_an_admin_only_the_owner_says_that_they_are_less_in_a_group(stage: Stage) -> None:
    await stage.say("owner", "!c role add @member:haven.test admin")
    command = "!c role add @member:haven.test greeter --group Madrid"
    assert "Only the owner" in await stage.answer("admin", command)
    assert "is now `greeter` in Madrid" in await stage.answer("owner", command)
    assert stage.power(await stage.room("Madrid"), "member") == 40


async def test_a_mention_says_who(stage: Stage) -> None:
    rich = '!c role add <a href="https://matrix.to/#/%40member%3Ahaven.test">Ana María</a> moderator'
    said = await stage.answer("admin", "!c role add Ana María moderator", html=rich)
    assert "@member:haven.test" in said
    assert (await stage.community()).role_of(stage.user("member")) is Role.MODERATOR


async def test_a_bare_name_is_who_the_message_mentions(stage: Stage) -> None:
    await stage.say("admin", "!c role add Ana greeter", mentions=(stage.user("member"), stage.bot))
    assert (await stage.community()).role_of(stage.user("member")) is Role.GREETER


async def test_a_grant_costs_one_reading_one_put_for_each_room_the_answer_and_a_line_in_the_log(
    stage: Stage,
) -> None:
    general = await stage.room("general")
    await stage.engine.communities.repair(stage.space)
    stage.forget()
    await stage.say("admin", "!c role add @member:haven.test moderator", general)
    requests = [r.port for r in stage.server.faults.requests if r.user == stage.bot]
    assert sorted(requests) == ["invite", "room_state", "send_message", "send_message", *["send_state"] * 7]


REFUSED = [
    ("admin", "role add @owner:haven.test admin", "exactly one owner"),
    ("admin", "role add @member:haven.test owner", "exactly one owner"),
    ("admin", "role remove @owner:haven.test owner", "exactly one owner"),
    ("admin", "role add @member:haven.test group-admin", "Say in which"),
    ("admin", "role add @member:haven.test admin --group Madrid", "leave `--group` out"),
    ("admin", "role add @owner:haven.test member --group Madrid", "exactly one owner"),
    ("admin", "role add @member:haven.test moderator --group admins", "Nobody can be `moderator`"),
    ("admin", "role add @moderator:haven.test moderator --group Madrid", "is `moderator` already"),
    ("admin", "role remove @moderator:haven.test moderator --group Madrid", "is not `moderator`"),
    ("admin", "role add @stranger:haven.test moderator --group Madrid", "is not a member"),
    ("moderator", "role add @member:haven.test moderator --group Madrid", "cannot do that as `moderator`"),
    ("groupadmin", "role add @member:haven.test moderator --group Madrid", "cannot do that as `member`"),
    ("admin", "role add @member:haven.test announcer --group Madrid", "Nobody can be `announcer`"),
    ("admin", "role add @member:haven.test group-admin --group Lisbon", "no group “Lisbon”"),
    ("admin", "role add @bot:haven.test admin", "That is me"),
    ("admin", f"role add @{BRIDGE}:haven.test admin", "That is the bridge"),
    ("admin", "role add @nobody:haven.test admin", "is not a member"),
    ("admin", "role add @stranger:haven.test admin", "is not a member"),
    ("admin", "role add @moderator:haven.test moderator", "is `moderator` already"),
    ("admin", "role add @announcer:haven.test announcer", "is `announcer` already"),
    ("admin", "role add @member:haven.test member", "is `member` already"),
    ("admin", "role remove @member:haven.test admin", "is not `admin`"),
    ("admin", "role remove @member:haven.test announcer", "is not `announcer`"),
    ("admin", "role remove @member:haven.test member", "stays a member"),
    ("admin", "role add somebody admin", "whom you mean"),
    ("admin", "role add @member:haven.test king", "can be: admin"),
    ("moderator", "role add @member:haven.test greeter", "cannot do that as `moderator`"),
    ("moderator", "role remove @admin:haven.test admin", "cannot do that as `moderator`"),
    ("announcer", "role add @member:haven.test announcer", "cannot do that as `member`"),
    ("member", "role add @member:haven.test admin", "cannot do that as `member`"),
    ("stranger", "role add @stranger:haven.test admin", "Only members"),
    ("stranger", "role add @stranger:haven.test group-admin --group Nowhere", "Only members"),
]


@pytest.mark.parametrize(("name", "command", "words"), REFUSED, ids=str)
async def test_refusals_say_why_and_write_nothing(stage: Stage, name: str, command: str, words: str) -> None:
    before = {room.id: dict(room.state) for room in stage.server.rooms.values()}
    stage.forget()
    assert words in await stage.answer(name, f"!c {command}")
    assert stage.written() == []
    assert {room.id: dict(room.state) for room in stage.server.rooms.values()} == before


async def test_only_the_owner_lowers_admins(stage: Stage) -> None:
    await stage.say("owner", "!c role add @member:haven.test admin")
    stage.forget()
    assert "Only the owner" in await stage.answer("admin", "!c role remove @member:haven.test admin")
    assert "Only the owner" in await stage.answer("admin", "!c role add @member:haven.test greeter")
    assert stage.written() == []
    assert "no longer" in await stage.answer("owner", "!c role remove @member:haven.test admin")


@pytest.mark.parametrize("name", ["admin", "moderator", "greeter"])
async def test_everybody_may_step_down(stage: Stage, name: str) -> None:
    assert "no longer" in await stage.answer(name, f"!c role remove @{name}:haven.test {PEOPLE[name]}")
    assert (await stage.community()).role_of(stage.user(name)) is Role.MEMBER


async def test_an_announcer_may_step_down(stage: Stage) -> None:
    assert "no longer" in await stage.answer("announcer", "!c role remove @announcer:haven.test announcer")
    assert stage.power(await stage.room("announcements"), "announcer") == 0


async def test_no_more_admins_than_the_community_may_have(stage: Stage) -> None:
    await stage.say("owner", "!c settings admin_limit 1")
    stage.forget()
    assert "has 1 admins" in await stage.answer("owner", "!c role add @member:haven.test admin")
    assert stage.written() == []


async def test_a_right_lost_a_moment_ago_is_lost(stage: Stage) -> None:
    """The levels of the space are read when the command is carried out, also where sync has said nothing yet."""
    stage.server._listeners.clear()
    content = stage.server.rooms[stage.space].content("m.room.power_levels")
    users = content["users"]
    assert isinstance(users, dict)
    less = {user: level for user, level in users.items() if user != stage.user("admin")}
    await stage.person("owner").send_state(stage.space, "m.room.power_levels", "", {**content, "users": less})
    stage.forget()
    assert "cannot do that as `member`" in await stage.answer("admin", "!c role add @member:haven.test admin")
    assert stage.written() == []


async def test_roles_lists_everybody_who_has_one(stage: Stage) -> None:
    said = await stage.answer("member", "!c roles")
    for name, role in PEOPLE.items():
        assert (f"@{name}:haven.test: `{role}`" in said) == (role is not Role.MEMBER)
    assert "`group-admin` in Madrid" in said


async def test_the_role_of_owner_is_not_offered_but_who_asks_for_it_is_told_how(stage: Stage) -> None:
    offered = await stage.answer("owner", f"!c role add {stage.user('member')} boss")
    assert "group-admin" in offered
    assert "owner" not in offered.lower()
    assert "owner transfer" in await stage.answer("owner", f"!c role add {stage.user('member')} OWNER")

"""After an upgrade: who is asked over, what is let go when, what follows along, and rooms that somebody upgraded by hand."""

from pathlib import Path

import pytest

from haven.ids import RoomId
from haven.model import Role
from haven.succession import KEPT_FOR
from plugin.service.followers import FOLLOW
from plugin.store import Store, now_ms
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.homeserver_faults import survives
from tests.plugin.commands.stage import Stage, staged, text_of
from tests.plugin.commands.test_upgrade import allowed, confirmed, content, in_step, next_life, set_state
from tests.plugin.life import FastClock, stored

DAY = 24 * 3_600_000


async def looked_after(stage: Stage) -> None:
    """The timer of old rooms rings once."""
    timers = stage.services.desk.timers
    (timer,) = await timers.store.timers(FOLLOW)
    await timers.rings[FOLLOW](timer)


def later(stage: Stage, days: int) -> None:
    """It is some days later."""
    now = now_ms() + days * DAY
    stage.engine.communities.epoch = lambda: now
    stage.services.desk.timers.epoch = lambda: now


async def upgraded(stage: Stage, group: str) -> tuple[RoomId, RoomId]:
    """A group goes to version 12: the old room and the new one."""
    old = await stage.room(group)
    said = await stage.answer("admin", f"!c upgrade {group} --to 12", "admins")
    assert "has room version 12 now" in said
    return old, await stage.room(group)


async def test_members_of_a_closed_group_are_asked_over_and_those_of_an_open_one_need_not_be(
    server: FakeHomeserver, store: Store
) -> None:
    async with staged(server, store, "11") as stage:
        bot, guest = server.client(stage.bot), stage.person("guest")
        for name, room in (("Quiet", await stage.room("Quiet")), ("Madrid", await stage.room("Madrid"))):
            for person in (stage.person("member"), guest):
                if person.user not in server.rooms[room].members():
                    await bot.invite(room, person.user)
                    await person.join(room)
            _, new = await upgraded(stage, name)
            await looked_after(stage)
            invited = server.rooms[new].members("invite")
            assert guest.user in invited
            assert (stage.user("member") in invited) is (name == "Quiet")


async def test_who_was_put_out_is_not_asked_over_and_does_not_walk_in(
    server: FakeHomeserver, store: Store
) -> None:
    async with staged(server, store, "11") as stage:
        old, new = await upgraded(stage, "Madrid")
        await stage.say("owner", f"!c ban {stage.user('member')} spam", "admins")
        for room in (old, new, stage.space):
            assert server.rooms[room].membership(stage.user("member")) == "ban"
        await stage.say("owner", f"!c unban {stage.user('member')}", "admins")
        assert server.rooms[old].membership(stage.user("member")) == "leave"


async def test_after_a_week_the_old_room_is_let_go_but_for_who_still_needs_it(
    server: FakeHomeserver, store: Store
) -> None:
    async with staged(server, store, "11") as stage:
        room = await stage.room("Quiet")
        await server.client(stage.bot).invite(room, stage.user("member"))
        await stage.person("member").join(room)
        old, new = await upgraded(stage, "Quiet")
        later(stage, 8)
        await stage.engine.communities.reconcile(stage.space)
        assert allowed(stage, new) == [old]
        await looked_after(stage)
        await stage.engine.communities.reconcile(stage.space)
        assert content(stage, new, "m.room.join_rules") == {"join_rule": "invite"}
        assert content(stage, old, "chat.haven.group") == {}
        assert stage.user("member") in server.rooms[old].members()
        assert (await in_step(stage)).all_former == ()


async def test_after_a_week_the_old_space_is_let_go(server: FakeHomeserver, store: Store) -> None:
    async with staged(server, store, "11") as stage:
        before = stage.space
        await stage.say("owner", "!c settings join request", "admins")
        await confirmed(stage, "12")
        after = (await stage.community()).space
        madrid = await stage.room("Madrid")
        assert content(stage, before, "m.space.child", after)["via"]
        await looked_after(stage)
        await stage.person("member").join(after)
        later(stage, 8)
        await stage.engine.communities.reconcile(after)
        assert allowed(stage, madrid) == [after]
        assert content(stage, before, "chat.haven.community") == {}
        assert content(stage, before, "m.space.child", madrid) == {}
        assert content(stage, before, "m.space.child", after)["via"]
        assert content(stage, after, "m.room.join_rules") == {"join_rule": "knock"}
        assert (await in_step(stage)).all_former == ()


async def test_nobody_is_taken_for_gone_or_for_new_while_the_community_moves(
    server: FakeHomeserver, store: Store
) -> None:
    async with staged(server, store, "11") as stage:
        entrance = stage.services.entrance
        await entrance.look(await stage.community(), stage.engine.rooms.world)
        await confirmed(stage, "12")
        await looked_after(stage)
        community = await stage.community()
        await entrance.look(community, stage.engine.rooms.world)
        assert await entrance.arrivals.waiting(community.space) == ()
        rows = await store._database.fetch("SELECT DISTINCT space FROM arrival")
        assert [row["space"] for row in rows] == [community.space]
        gone = await store._database.fetch("SELECT who FROM arrival WHERE gone > 0")
        assert not gone
        assert "members" in await stage.answer("member", "!c show")


async def test_the_admins_room_takes_its_open_cards_along(server: FakeHomeserver, store: Store) -> None:
    async with staged(server, store, "11") as stage:
        await stage.say("member", "!c suggest Lisboa")
        old = await stage.room("admins")
        await stage.say("admin", "!c upgrade admins --to 12", "general")
        new = await stage.room("admins")
        assert new != old
        (card,) = await stage.services.desk.cards.open("suggestion", stage.space)
        assert card.room == new
        said = [each for each in server.rooms[new].timeline if each.id == card.event]
        assert "Lisboa" in text_of(said)
        await looked_after(stage)
        assert stage.user("moderator") in server.rooms[new].members("invite")
        record = content(stage, stage.space, "chat.haven.community")
        assert record["admins"] == new
        await in_step(stage)


async def test_a_request_made_before_is_answered_after(server: FakeHomeserver, store: Store) -> None:
    async with staged(server, store, "11") as stage:
        await stage.say("owner", "!c settings join request", "admins")
        await stage.person("stranger").knock(stage.space)
        entrance = stage.services.entrance
        await entrance.requests.look(await stage.community(), stage.engine.rooms.world)
        old = stage.space
        await confirmed(stage, "12")
        community = await stage.community()
        await entrance.requests.look(community, stage.engine.rooms.world)
        assert len(await stage.services.desk.cards.open("knock", community.space)) == 1
        await stage.say("admin", f"!c approve {stage.user('stranger')}", "admins")
        assert server.rooms[community.space].membership(stage.user("stranger")) == "invite"
        assert server.rooms[old].membership(stage.user("stranger")) == "leave"
        await stage.engine.rooms.observe()
        await entrance.requests.look(await stage.community(), stage.engine.rooms.world)
        assert await stage.services.desk.cards.open("knock", community.space) == ()


async def test_codes_roles_and_the_log_follow_the_space(server: FakeHomeserver, store: Store) -> None:
    async with staged(server, store, "11") as stage:
        await stage.say("owner", "!c mute @member:haven.test --for 1h", "admins")
        await stage.say("owner", "!c invite create --name door", "admins")
        await confirmed(stage, "12")
        community = await stage.community()
        assert "muted" in await stage.answer("owner", "!c log", "admins")
        assert "door" in await stage.answer("owner", "!c invite list", "admins")
        (timer,) = await stage.services.desk.timers.store.timers("mute")
        assert timer.payload["space"] == community.space
        assert stage.user("member") in community.muted
        assert community.role_of(stage.user("greeter")) is Role.GREETER


def test_a_week_is_a_week() -> None:
    assert KEPT_FOR == 7 * DAY


async def aliased(stage: Stage, room: RoomId) -> None:
    """A room with a main alias, another, one that it does not show, and one of another server."""
    bot = stage.server.client(stage.bot)
    for alias in ("#main:haven.test", "#more:haven.test", "#quiet:haven.test"):
        await bot.add_alias(alias, room)
    shown = {"alias": "#main:haven.test", "alt_aliases": ["#more:haven.test", "#else:where.test"]}
    await set_state(stage, room, "m.room.canonical_alias", shown)


@pytest.mark.parametrize("after_effect", [False, True])
async def test_aliases_lead_to_the_new_room_though_killed(tmp_path: Path, *, after_effect: bool) -> None:
    at, died = 1, True
    while died:
        server = FakeHomeserver()
        async with stored(f"{tmp_path}/{at}.db") as store:
            async with staged(server, store, "11") as stage:
                old = await stage.room("Madrid")
                await aliased(stage, old)
                _, new = await upgraded(stage, "Quiet")
            async with next_life(server, store) as stage:
                server.faults.kill(at, user=stage.bot, after_effect=after_effect)
                died = not await survives(stage.services.upgrades.upgrades.aliases.move(old, new))
            server.faults.forgive()
            async with next_life(server, store) as stage:
                await stage.services.upgrades.upgrades.aliases.move(old, new)
        places = {alias: place for alias, (place, _) in server.aliases.items()}
        assert places == dict.fromkeys(("#main:haven.test", "#more:haven.test", "#quiet:haven.test"), new)
        said = server.rooms[new].content("m.room.canonical_alias")
        assert said == {"alias": "#main:haven.test", "alt_aliases": ["#more:haven.test"]}
        at += 1
    assert at > 10


async def test_an_upgrade_takes_the_aliases_along(server: FakeHomeserver, store: Store) -> None:
    async with staged(server, store, "11") as stage:
        await aliased(stage, await stage.room("Madrid"))
        _, new = await upgraded(stage, "Madrid")
        assert server.aliases["#main:haven.test"][0] == new
        assert content(stage, new, "m.room.canonical_alias")["alias"] == "#main:haven.test"
        assert await upgraded(stage, "Brno")


async def test_who_leaves_by_command_before_going_over_is_out_of_everything(
    server: FakeHomeserver, store: Store
) -> None:
    async with staged(server, store, "11") as stage:
        before, madrid = stage.space, await stage.room("Madrid")
        await confirmed(stage, "12")
        await stage.say("member", "!c leave")
        for room in (before, madrid):
            assert server.rooms[room].membership(stage.user("member")) == "leave"
        await looked_after(stage)
        community = await in_step(stage)
        assert server.rooms[community.space].membership(stage.user("member")) == ""


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("!c upgrade Madrid --to 11", "it can only go to a newer one, not to 11"),
        ("!c upgrade Madrid --to 13", "There is no room version “13”"),
        ("!c upgrade --to 10", "it can only go to a newer one, not to 10"),
        ("!c upgrade --to nonsense", "Possible: 10, 11, 12"),
        ("!c upgrade Nowhere --to 12", "Nowhere"),
        ("!c upgrade Madrid", "“Madrid” has room version 11; the homeserver knows 10, 11, 12"),
        ("!c upgrade", "“Fathers” has room version 11"),
    ],
)
async def test_what_cannot_be_done_is_said_and_changes_nothing(
    server: FakeHomeserver, store: Store, command: str, words: str
) -> None:
    async with staged(server, store, "11") as stage:
        rooms = set(server.rooms)
        assert words in await stage.answer("admin", command, "admins")
        assert set(server.rooms) == rooms
        assert stage.written() == []


async def test_a_room_that_the_bot_may_not_close_is_not_upgraded(
    server: FakeHomeserver, store: Store
) -> None:
    async with staged(server, store, "11") as stage:
        room = await stage.room("Madrid")
        levels = content(stage, room, "m.room.power_levels")
        events = {**levels["events"], "m.room.tombstone": 100}
        await set_state(stage, room, "m.room.power_levels", {**levels, "events": events})
        users = {**levels["users"], stage.bot: 90}
        await set_state(stage, room, "m.room.power_levels", {**levels, "events": events, "users": users})
        assert "I need power level 100 and have 90" in await stage.answer(
            "admin", "!c upgrade Madrid --to 12", "admins"
        )


async def test_two_cards_for_two_versions_are_two_upgrades(server: FakeHomeserver, store: Store) -> None:
    async with staged(server, store, "10") as stage:
        for version in ("11", "12"):
            await stage.say("admin", f"!c upgrade --to {version}", "admins")
        for card in await stage.services.desk.cards.open("upgrade", stage.space):
            await stage.say("owner", f"!c approve {card.id}", "admins")
        community = await in_step(stage)
        assert server.rooms[community.space].version == "12"


async def test_a_space_is_kept_where_an_admin_says_no(server: FakeHomeserver, store: Store) -> None:
    async with staged(server, store, "11") as stage:
        said = await stage.answer("admin", "!c upgrade --to 12", "admins")
        assert "There is no way back to an older version" in said
        (card,) = await stage.services.desk.cards.open("upgrade", stage.space)
        await stage.say("owner", f"!c reject {card.id}", "admins")
        assert (await stage.community()).space == stage.space


async def test_an_upgrade_is_told_once_and_stands_in_the_log(server: FakeHomeserver, store: Store) -> None:
    async with staged(server, store, "10") as stage:
        _, new = await upgraded(stage, "Madrid")
        told = [e for e in server.rooms[new].timeline if e.type == "m.room.message" and e.sender == stage.bot]
        assert "What was said before stands in Madrid" in text_of(told)
        assert len(told) == 1
        assert "brought Madrid into room version 12 (by command)" in await stage.answer(
            "admin", "!c log", "admins"
        )
        await stage.say("admin", "!c upgrade Quiet --to 12", "general")
        desk = server.rooms[await stage.room("admins")].timeline
        (start,) = [event for event in desk if "I am bringing “Quiet”" in str(event.content.get("body"))][:1]
        assert "m.relates_to" not in start.content
        general = server.rooms[await stage.room("general")].timeline
        assert not [e for e in general if e.sender == stage.bot and "Quiet" in str(e.content.get("body"))]
        assert "brought a hidden group into" in await stage.answer("admin", "!c log", "admins")


async def test_a_room_that_was_upgraded_goes_on_to_the_next_version(
    server: FakeHomeserver, store: Store
) -> None:
    async with staged(server, store, "10") as stage:
        first = await stage.room("Madrid")
        await stage.say("admin", "!c upgrade Madrid --to 11", "admins")
        second, third = await upgraded(stage, "Madrid")
        assert allowed(stage, third) == [stage.space, second, first]
        await confirmed(stage, "11")
        await confirmed(stage, "12")
        community = await in_step(stage)
        assert len(community.former) == 2
        await stage.person("member").join(third, ["haven.test"])


async def test_limits_of_the_homeserver_are_waited_out(server: FakeHomeserver, store: Store) -> None:
    async with staged(server, store, "11") as stage:
        server.faults.limit(2, 5, FastClock().now)
        await confirmed(stage, "12")
        server.faults.forgive()
        assert (await stage.community()).space != stage.space
        await in_step(stage)


async def test_the_old_id_still_means_the_group(server: FakeHomeserver, store: Store) -> None:
    async with staged(server, store, "11") as stage:
        old, new = await upgraded(stage, "Madrid")
        assert "is now Madrid 2" in await stage.answer(
            "admin", f'!c group set {old} name "Madrid 2"', "admins"
        )
        assert content(stage, new, "m.room.name") == {"name": "Madrid 2"}
        assert content(stage, old, "m.room.name") == {"name": "Madrid"}

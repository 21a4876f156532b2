"""Communities are kept in step: by command, by hand in the space, while the bot was down, and against those who fight it."""

from dataclasses import replace

import pytest

from embedded.waiting import eventually
from haven.errors import Missing, NotAllowed, Refused, Unreachable
from haven.guards import Bounds
from haven.ids import RoomId, RoomVersion, UserId
from haven.model import Community, Kind, Role
from haven.ports import Content, NewRoom, StateEvent
from haven.stateevents import COMMUNITY, GROUP
from plugin.config import Settings
from plugin.keeper import FIGHT
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.homeserver_client import FakeClient
from tests.fakes.homeserver_faults import Request
from tests.plugin.life import Life, Told, found, founding, living, report

POWER = "m.room.power_levels"


async def founded(life: Life) -> Community:
    """A community whose owner has joined everything they can."""
    await found(life, founding(life.server))
    community = await life.community()
    ana = life.server.person("ana")
    for room in (community.space, *(g.room for g in community.groups if g.name != "Brno")):
        await ana.join(room)
    return community


def level(server: FakeHomeserver, room: RoomId, user: UserId) -> int:
    users = server.rooms[room].content(POWER)["users"]
    assert isinstance(users, dict)
    return int(users.get(user, 0))


async def grant(by: FakeClient, server: FakeHomeserver, room: RoomId, user: UserId, given: int) -> None:
    """Give a level by hand."""
    content = server.rooms[room].content(POWER)
    users = content["users"]
    assert isinstance(users, dict)
    await by.send_state(room, POWER, "", {**content, "users": {**users, user: given}})


def everywhere(life: Life, community: Community, user: UserId, wanted: int) -> bool:
    return all(
        level(life.server, room, user) == wanted
        for room in (community.space, *(group.room for group in community.groups))
    )


async def test_an_admin_made_by_command_costs_one_put_a_room_and_nothing_else(
    server: FakeHomeserver, store: Store
) -> None:
    eva = server.person("eva").user
    async with living(server, store) as life:
        community = await founded(life)
        await life.engine.communities.intent()
        server.faults.requests.clear()
        outcome = await life.engine.communities.change(
            community.space, lambda meant: meant.with_role(eva, Role.ADMIN)
        )
        assert outcome.in_step
        bot = life.client.user
        assert server.faults.count("send_state", user=bot) == len(community.groups) + 1
        assert server.faults.count(user=bot) == len(community.groups) + 2
        server.faults.requests.clear()
        again = await life.engine.communities.change(
            community.space, lambda meant: meant.with_role(eva, Role.ADMIN)
        )
        assert again.in_step
        assert not again.done
        assert server.faults.writes(bot) == 0


async def test_an_admin_made_and_unmade_by_hand_in_the_space_is_one_in_every_room(
    server: FakeHomeserver, store: Store
) -> None:
    ana, eva = server.person("ana"), server.person("eva").user
    async with living(server, store) as life:
        community = await founded(life)
        await grant(ana, server, community.space, eva, 90)
        await life.settled(lambda: everywhere(life, community, eva, 90), "eva is admin everywhere")
        assert (await life.community()).role_of(eva) is Role.ADMIN
        await grant(ana, server, community.space, eva, 0)
        await life.settled(lambda: everywhere(life, community, eva, 0), "eva is no admin anywhere")
        assert (await life.community()).role_of(eva) is Role.MEMBER


async def test_what_happened_while_the_bot_was_down_is_in_step_soon_after(
    server: FakeHomeserver, store: Store
) -> None:
    ana, eva = server.person("ana"), server.person("eva").user
    async with living(server, store) as life:
        community = await founded(life)
    await grant(ana, server, community.space, eva, 90)
    async with living(server, store) as life:
        await life.settled(lambda: everywhere(life, community, eva, 90), "eva is admin everywhere")
        assert (await life.community()).role_of(eva) is Role.ADMIN
    await grant(ana, server, community.space, eva, 0)
    async with living(server, store) as life:
        await life.settled(lambda: everywhere(life, community, eva, 0), "eva is no admin anywhere")
        assert (await life.community()).role_of(eva) is Role.MEMBER


async def test_drift_in_a_room_is_undone(server: FakeHomeserver, store: Store) -> None:
    ana, eva = server.person("ana"), server.person("eva").user
    async with living(server, store) as life:
        community = await founded(life)
        general = community.only(Kind.GENERAL)
        assert general is not None
        await grant(ana, server, general.room, eva, 90)
        await life.settled(lambda: level(server, general.room, eva) == 0, "the drift is undone")


async def test_events_that_never_came_are_made_up_for_by_reading_everything_again(
    server: FakeHomeserver, store: Store
) -> None:
    ana, eva = server.person("ana"), server.person("eva").user
    async with living(server, store, settings=Settings(reread=30)) as life:
        community = await founded(life)
        life.deaf = True
        await grant(ana, server, community.space, eva, 90)
        assert not everywhere(life, community, eva, 90)
        await life.settled(lambda: everywhere(life, community, eva, 90), "eva is admin everywhere")


async def test_who_looks_after_links_hears_of_every_room_at_the_start_and_of_each_change(
    server: FakeHomeserver, store: Store
) -> None:
    async with living(server, store) as life:
        community = await founded(life)
    rooms = {community.space, *(group.room for group in community.groups)}
    bad = community.groups[0].room
    heard: set[RoomId] = set()
    troubles = [Unreachable()]

    async def listener(room: RoomId) -> None:
        if room == bad:
            raise ValueError("a bug of theirs")
        if troubles and room == community.space:
            raise troubles.pop()
        heard.add(room)

    async with living(server, store, changed=listener) as life:
        await life.settled(lambda: heard == rooms - {bad}, "all but the bad one are told of")
        heard.clear()
        await server.person("ana").send_state(community.space, "m.room.topic", "", {"topic": "Together"})
        await life.settled(lambda: bool(heard), "the change is told")
        assert heard == {community.space}


async def test_trouble_of_the_homeserver_is_got_over(server: FakeHomeserver, store: Store) -> None:
    ana, eva = server.person("ana"), server.person("eva").user
    async with living(server, store) as life:
        community = await founded(life)
        await grant(ana, server, community.space, eva, 90)
        server.faults.fail_next(9, Unreachable(), port="send_state")
        server.faults.fail_next(2, Unreachable(), port="room_state")
        server.faults.requests.clear()
        await life.settled(lambda: everywhere(life, community, eva, 90), "eva is admin everywhere")
        assert server.faults.count("send_state", user=life.client.user) > 9


async def test_a_fight_is_given_up_and_reported_once(server: FakeHomeserver, store: Store) -> None:
    ana = server.person("ana")
    async with living(server, store) as life:
        community = await founded(life)
        general = community.only(Kind.GENERAL)
        admins = community.only(Kind.ADMINS)
        assert general is not None
        assert admins is not None

        async def undo() -> None:
            await ana.send_state(general.room, "m.room.join_rules", "", {"join_rule": "public"})

        def mended() -> bool:
            rule = server.rooms[general.room].content("m.room.join_rules")
            return rule["join_rule"] == "restricted" or bool(life.told.warnings)

        undone = 0
        while not life.told.warnings:
            await undo()
            undone += 1
            await life.settled(mended, "it is undone, or given up")
        assert undone >= FIGHT - 1
        assert [(room, [c.key for c in said]) for room, said in life.told.warnings] == [
            (admins.room, ["concern.fight"])
        ]
        await undo()
        await life.engine.communities.intent()
        await life.engine.clock.wait(10)
        assert server.rooms[general.room].content("m.room.join_rules")["join_rule"] == "public"
        assert (await life.engine.communities.repair(community.space)).in_step
        assert server.rooms[general.room].content("m.room.join_rules")["join_rule"] == "restricted"
        assert len(life.told.warnings) == 1


async def test_missing_power_is_reported_once_over_lives_and_again_after_it_was_mended(
    server: FakeHomeserver, store: Store
) -> None:
    ana = server.person("ana")
    settings = Settings(version=RoomVersion("11"))
    told = Told()
    async with living(server, store, settings=settings, told=told) as life:
        community = await founded(life)
        general = community.only(Kind.GENERAL)
        assert general is not None
        for name in ("eva", "zoe"):
            await life.client.invite(community.space, server.person(name).user)
        await grant(life.client, server, general.room, life.client.user, 40)
        await grant(life.client, server, community.space, server.person("eva").user, 90)
        await life.settled(lambda: len(told.warnings) == 1, "missing power is reported")
    async with living(server, store, settings=settings, told=told) as life:
        await grant(ana, server, community.space, server.person("zoe").user, 50)
        await life.settled(
            lambda: level(server, community.groups[0].room, server.person("zoe").user) == 50, "zoe is there"
        )
    assert [concern.key for _, said in told.warnings for concern in said] == ["concern.obstacle"]


async def test_a_damaged_record_is_reported_and_the_others_go_on(
    server: FakeHomeserver, store: Store
) -> None:
    ana, eva = server.person("ana"), server.person("eva").user
    async with living(server, store) as life:
        community = await founded(life)
        admins = community.only(Kind.ADMINS)
        assert admins is not None
        await found(life, founding(server, "Others", "w2"), "$other")
        others = next(
            c for c in (await life.engine.communities.intent()).communities.values() if c.name == "Others"
        )
        await ana.join(others.space)
        damaged: Content = {"version": 1, "name": 7}
        await ana.send_state(community.space, COMMUNITY, "", damaged)
        await life.settled(lambda: bool(life.told.warnings), "the damage is reported")
        await ana.invite(others.space, eva)
        await grant(ana, server, others.space, eva, 90)
        await life.settled(lambda: everywhere(life, others, eva, 90), "eva is admin of the others")
        assert {room for room, _ in life.told.warnings} == {admins.room}
        assert "concern.state_damaged" in [c.key for _, said in life.told.warnings for c in said]


async def test_a_foreign_room_that_claims_to_belong_is_left_alone_and_reported(
    server: FakeHomeserver, store: Store
) -> None:
    eva = server.person("eva")
    async with living(server, store) as life:
        community = await founded(life)
        claim = StateEvent(GROUP, "", eva.user, {"version": 1, "community": community.space, "kind": "group"})
        foreign = await eva.create_room(
            NewRoom("Foreign", RoomVersion("12"), state=(claim,), invite=(life.client.user,))
        )
        before = len(server.rooms[foreign].timeline)
        await life.client.join(foreign)
        await life.settled(lambda: bool(life.told.warnings), "it is reported")
        assert [c.key for _, said in life.told.warnings for c in said] == ["concern.foreign"]
        assert len(server.rooms[foreign].timeline) == before + 1


async def test_a_removal_of_many_waits_for_somebody_to_insist(server: FakeHomeserver, store: Store) -> None:
    async with living(server, store, settings=Settings(removals=1)) as life:
        community = await founded(life)
        admins = community.only(Kind.ADMINS)
        assert admins is not None
        strangers = [server.person(f"stranger{number}").user for number in range(3)]
        ana = server.person("ana")
        for stranger in strangers:
            await ana.invite(admins.room, stranger)
        await life.settled(lambda: bool(life.told.warnings), "the refusal is reported")
        outcome = await life.engine.communities.repair(community.space)
        assert outcome.refused is not None
        outcome = await life.engine.communities.repair(community.space, Bounds(insisted=True))
        assert outcome.in_step
        memberships = {server.rooms[admins.room].membership(stranger) for stranger in strangers}
        assert memberships == {"leave"}


async def test_a_change_that_may_not_be_made_changes_nothing(server: FakeHomeserver, store: Store) -> None:
    async with living(server, store) as life:
        community = await founded(life)

        def refuse(_: Community) -> None:
            raise NotAllowed("not_allowed")

        writes = server.faults.writes(life.client.user)
        with pytest.raises(NotAllowed):
            await life.engine.communities.change(community.space, lambda meant: meant, check=refuse)
        with pytest.raises(Missing):
            await life.engine.communities.change(RoomId("!no"), lambda meant: meant)
        assert server.faults.writes(life.client.user) == writes


async def test_a_plan_changes_nothing_and_reads_everything(server: FakeHomeserver, store: Store) -> None:
    async with living(server, store, watching=False) as life:
        community = await founded(life)
        await grant(server.person("ana"), server, community.groups[0].room, UserId("@x:haven.test"), 90)
        before, reads = server.faults.writes(life.client.user), server.faults.count("room_state")
        assert len((await life.engine.communities.plan(community.space)).changes) == 1
        assert server.faults.writes(life.client.user) == before
        assert server.faults.count("room_state") >= reads + len(community.groups) + 1


async def test_what_the_homeserver_refuses_for_good_is_reported_and_the_rest_is_done(
    server: FakeHomeserver, store: Store
) -> None:
    ana, eva = server.person("ana"), server.person("eva").user
    async with living(server, store) as life:
        community = await founded(life)
        general = community.only(Kind.GENERAL)
        assert general is not None

        await ana.invite(community.space, eva)

        def refuse(request: Request) -> None:
            if (request.port, request.room) == ("send_state", general.room):
                raise Refused("refused")

        server.faults.before.append(refuse)
        server.faults.requests.clear()
        await grant(ana, server, community.space, eva, 90)
        await life.settled(lambda: bool(life.told.warnings), "the refusal is reported")
        others = [group.room for group in community.groups if group.room != general.room]
        assert {level(server, room, eva) for room in others} == {90}
        (concern,) = life.told.warnings[0][1]
        assert (concern.key, concern.values) == ("concern.failed", {"room": "General", "type": POWER})
        await life.engine.clock.wait(20)
        server.faults.requests.clear()
        await life.engine.clock.wait(60)
        assert server.faults.requests == []


async def test_the_log_names_nobody(
    server: FakeHomeserver, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "haven")
    ana, eva = server.person("ana"), server.person("eva").user
    async with living(server, store) as life:
        server.faults.fail_next(3, Unreachable())
        community = await founded(life)
        await ana.send_state(community.space, COMMUNITY, "", {"version": 1, "name": 7})
        await life.settled(lambda: bool(life.told.warnings), "the damage is reported")
        await life.engine.jobs.found(founding(server, "Others", "w2"), report("$other"))
        server.faults.fail_next(9, Refused("refused"), port="create_room")
        await life.engine.jobs.idle()
        await grant(ana, server, community.space, eva, 90)
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("haven"))
    assert "concern.state_damaged" in ours
    assert not [word for word in ("@", "ana", "eva", "Fathers", "Others", "Madrid") if word in ours]


async def test_roles_by_hand_that_no_command_would_give_are_told_of_once_and_kept(
    server: FakeHomeserver, store: Store
) -> None:
    ana, told = server.person("ana"), Told()
    async with living(server, store, told=told) as life:
        community = await founded(life)
        await life.engine.communities.change(
            community.space, lambda now: replace(now, settings=replace(now.settings, admin_limit=1))
        )
        for name in ("eva", "joe"):
            await grant(ana, server, community.space, server.person(name).user, 90)
        await life.settled(lambda: "concern.admins_too_many" in _keys(told), "the limit is told of")
        await life.settled(
            lambda: _keys(told).count("concern.role_of_stranger") == 2, "strangers are told of"
        )

        async def kept() -> bool:
            return sum("role_of_stranger" in said for said in await store.said(community.space)) == 2

        await eventually(kept, "it is kept that they were told of")
    async with living(server, store, told=told) as life:
        await grant(ana, server, community.space, server.person("zoe").user, 50)
        await life.settled(lambda: _keys(told).count("concern.role_of_stranger") == 3, "one more is told of")
    assert _keys(told).count("concern.admins_too_many") == 1
    (many,) = (c for _, said in told.warnings for c in said if c.key == "concern.admins_too_many")
    assert many.values == {"n": 2, "limit": 1}
    users = server.rooms[community.space].content(POWER)["users"]
    assert isinstance(users, dict)
    assert [users[server.person(name).user] for name in ("eva", "joe", "zoe")] == [90, 90, 50]


def _keys(told: Told) -> list[str]:
    """What admins were told of, by its key."""
    return [concern.key for _, said in told.warnings for concern in said]

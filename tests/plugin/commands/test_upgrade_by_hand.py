"""Rooms that somebody has upgraded by hand: followed where they are what they say, and where the bot is let in."""

import asyncio

import pytest

from haven.ids import RoomId, RoomVersion
from haven.model import Kind
from haven.ports import NewRoom, StateEvent
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.plugin.commands.stage import Stage, staged
from tests.plugin.commands.test_upgrade import confirmed, content, in_step, set_state
from tests.plugin.commands.test_upgrade_after import upgraded


async def by_hand(stage: Stage, version: str = "12", level: int = 100) -> tuple[RoomId, RoomId]:
    """The owner upgrades Madrid with a client, as a homeserver does it, and has the bot in the new room or not."""
    old, owner = await stage.room("Madrid"), stage.person("owner")
    rules = StateEvent("m.room.join_rules", "", owner.user, content(stage, old, "m.room.join_rules"))
    users = {stage.bot: level} | ({} if version == "12" else {owner.user: 100})
    made = NewRoom(
        "Madrid", RoomVersion(version), "", {"predecessor": {"room_id": old}}, (rules,), {"users": users}
    )
    new = await owner.create_room(made)
    await set_state(stage, old, "m.room.tombstone", {"body": "moved", "replacement_room": new})
    return old, new


@pytest.mark.parametrize("version", ["11", "12"])
async def test_a_room_that_was_upgraded_by_hand_is_followed(
    server: FakeHomeserver, store: Store, version: str
) -> None:
    async with staged(server, store, "10") as stage:
        await set_state(stage, await stage.room("Madrid"), "org.example.colour", {"colour": "green"})
        _, new = await by_hand(stage, version)
        assert "has room version" in await stage.answer(
            "admin", f"!c upgrade Madrid --to {version}", "admins"
        )
        assert await stage.room("Madrid") == new
        assert content(stage, new, "org.example.colour") == {"colour": "green"}
        assert stage.power(new, "groupadmin") == 60
        community = await in_step(stage)
        assert [group.name for group in community.groups if group.kind is Kind.GROUP].count("Madrid") == 1


async def test_where_the_bot_lacks_power_in_it_that_is_said(server: FakeHomeserver, store: Store) -> None:
    async with staged(server, store, "11") as stage:
        old, _ = await by_hand(stage, level=0)
        said = await stage.answer("admin", "!c upgrade Madrid --to 12", "admins")
        assert "I need power level 100 and have 0" in said
        assert await stage.room("Madrid") == old


async def test_a_tombstone_that_leads_elsewhere_is_not_followed(server: FakeHomeserver, store: Store) -> None:
    async with staged(server, store, "11") as stage:
        old, owner = await stage.room("Madrid"), stage.person("owner")
        trap = await owner.create_room(
            NewRoom("Madrid", RoomVersion("12"), power={"users": {stage.bot: 100}})
        )
        await owner.invite(trap, stage.bot)
        await set_state(stage, old, "m.room.tombstone", {"body": "moved", "replacement_room": trap})
        assert await stage.room("Madrid") == old
        await upgraded(stage, "Madrid")
        assert await stage.room("Madrid") not in {old, trap}


async def test_a_space_that_its_owner_upgraded_by_hand_is_followed(
    server: FakeHomeserver, store: Store
) -> None:
    async with staged(server, store, "11") as stage:
        old, owner = stage.space, stage.person("owner")
        creation = {"predecessor": {"room_id": old}, "type": "m.space"}
        rules = StateEvent("m.room.join_rules", "", owner.user, {"join_rule": "public"})
        power = {"users": {stage.bot: 100, stage.user("admin"): 90}}
        new = await owner.create_room(NewRoom("Fathers", RoomVersion("12"), "", creation, (rules,), power))
        await set_state(stage, old, "m.room.tombstone", {"body": "moved", "replacement_room": new})
        assert (await stage.community()).space == old
        await confirmed(stage, "12", "admin")
        community = await in_step(stage)
        assert (community.space, community.owner) == (new, owner.user)
        assert [group.name for group in community.groups][:2] == ["Announcements", "General chat"]
        await stage.person("member").join(new)
        await stage.person("member").join(await stage.room("Madrid"))


@pytest.mark.parametrize("version", ["11", "12"])
async def test_an_admin_does_not_become_almighty_by_leading_into_a_space_of_theirs(
    server: FakeHomeserver, store: Store, version: str
) -> None:
    async with staged(server, store, "10") as stage:
        old, admin = stage.space, stage.person("admin")
        creation = {"predecessor": {"room_id": old}, "type": "m.space"}
        rules = StateEvent("m.room.join_rules", "", admin.user, {"join_rule": "public"})
        users = {stage.bot: 100} | ({} if version == "12" else {admin.user: 100})
        made = NewRoom("Fathers", RoomVersion(version), "", creation, (rules,), {"users": users})
        trap = await admin.create_room(made)
        await admin.send_state(old, "m.room.tombstone", "", {"body": "moved", "replacement_room": trap})
        await confirmed(stage, version, "admin")
        community = await in_step(stage)
        assert community.space not in {old, trap}
        assert content(stage, old, "m.room.tombstone")["replacement_room"] == community.space
        assert stage.power(community.space, "admin") == 90


async def test_a_strange_room_that_a_tombstone_leads_into_is_left_again(
    server: FakeHomeserver, store: Store
) -> None:
    async with staged(server, store, "11") as stage:
        old, stranger = await stage.room("Madrid"), stage.person("stranger")
        rules = StateEvent("m.room.join_rules", "", stranger.user, {"join_rule": "public"})
        crowd = await stranger.create_room(NewRoom("Crowd", RoomVersion("11"), state=(rules,)))
        await set_state(stage, old, "m.room.tombstone", {"body": "moved", "replacement_room": crowd})
        await upgraded(stage, "Madrid")
        assert await stage.room("Madrid") not in {old, crowd}
        assert server.rooms[crowd].membership(stage.bot) != "join"


async def test_two_admins_who_upgrade_at_the_same_moment_make_one_room(
    server: FakeHomeserver, store: Store
) -> None:
    async with staged(server, store, "11") as stage:
        old = await stage.room("Madrid")
        says = (stage.say(name, "!c upgrade Madrid --to 12", "admins") for name in ("admin", "owner"))
        await asyncio.gather(*says)
        new = await stage.room("Madrid")
        made = [r for r in server.rooms.values() if r.content("m.room.create").get("predecessor")]
        assert [room.id for room in made] == [new]
        news = [event for event in stage._said().values() if event.room == new]
        assert len(news) == 1
        assert content(stage, old, "m.room.tombstone")["replacement_room"] == new
        await in_step(stage)
        log = await stage.answer("admin", "!c log", "admins")
        assert log.count("brought Madrid into room version 12") == 1

"""`upgrade`: a group or the space goes on in a newer room version; nothing is lost, nobody is locked out, nothing is made twice."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from haven.ids import EventId, RoomId, RoomVersion, UserId
from haven.model import Community
from haven.plan import plan_for
from haven.ports import Content
from haven.succession import KEPT_FOR
from plugin.service.upgrade_cards import KIND
from plugin.service.work import Report, UpgradeJob
from plugin.store import Store, now_ms
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.homeserver_client import FakeClient
from tests.plugin.commands.reacting import react, waiting
from tests.plugin.commands.stage import Stage, staged, text_of
from tests.plugin.life import stored

STEPS = [("10", "11"), ("11", "12")]
UNKNOWN = "org.example.colour"
Upgrade = Callable[[Stage], Awaitable[UpgradeJob]]


def content(stage: Stage, room: RoomId, kind: str, key: str = "") -> dict[str, Any]:
    return cast(dict[str, Any], stage.server.rooms[room].content(kind, key))


async def set_state(stage: Stage, room: RoomId, kind: str, said: Content, key: str = "") -> None:
    """By hand, by the bot, who may."""
    await stage.server.client(stage.bot).send_state(room, kind, key, said)


async def in_step(stage: Stage) -> Community:
    """The community, with nothing left to do in it."""
    stage.engine.rooms.doubt_all()
    community, world = await stage.community(), stage.engine.rooms.world
    assert not plan_for(community, world, stage.engine.communities.loop.actors).changes
    return community


async def confirmed(stage: Stage, version: str, name: str = "owner") -> str:
    """The space is upgraded by command and reaction; what the bot says meanwhile."""
    before = set(stage._said())
    await stage.say("admin", f"!c upgrade --to {version}", "admins")
    (card,) = await waiting(stage, KIND)
    await react(stage, name, card)
    await stage.engine.jobs.idle()
    return text_of([event for event in stage._said().values() if event.id not in before])


def allowed(stage: Stage, room: RoomId) -> list[str]:
    """The rooms whose members come in."""
    return [rule["room_id"] for rule in content(stage, room, "m.room.join_rules").get("allow", [])]


@pytest.mark.parametrize(("old", "new"), STEPS)
async def test_a_group_goes_on_in_a_newer_version(
    server: FakeHomeserver, store: Store, old: str, new: str
) -> None:
    async with staged(server, store, old) as stage:
        before = await stage.room("Madrid")
        await set_state(stage, before, UNKNOWN, {"colour": "green"})
        await set_state(stage, before, "m.room.pinned_events", {"pinned": ["$one"]})
        said = await stage.answer("admin", f"!c upgrade Madrid --to {new}", "admins")
        assert f"has room version {new} now" in said
        after = await stage.room("Madrid")
        assert after != before
        assert stage.server.rooms[after].version == new
        assert content(stage, before, "m.room.tombstone")["replacement_room"] == after
        assert content(stage, after, "m.room.create")["predecessor"]["room_id"] == before
        assert content(stage, after, UNKNOWN) == {"colour": "green"}
        assert content(stage, after, "m.room.pinned_events") == {"pinned": ["$one"]}
        assert content(stage, after, "m.space.parent", stage.space)["canonical"] is True
        assert content(stage, stage.space, "m.space.child", after)["order"] == "0002"
        assert content(stage, stage.space, "m.space.child", before)["order"] == "~"
        assert allowed(stage, after) == [stage.space, before]
        assert (stage.bot in content(stage, after, "m.room.power_levels")["users"]) is (new == "11")
        assert stage.power(after, "groupadmin") == 60
        assert stage.power(after, "owner") == (95 if new == "11" else 100)
        await stage.person("member").join(after, ["haven.test"])
        await in_step(stage)


@pytest.mark.parametrize(("old", "new"), STEPS)
async def test_the_space_goes_on_in_a_newer_version(
    server: FakeHomeserver, store: Store, old: str, new: str
) -> None:
    async with staged(server, store, old) as stage:
        before, rooms = stage.space, [group.room for group in (await stage.community()).groups]
        await set_state(stage, before, UNKNOWN, {"colour": "green"})
        said = await confirmed(stage, new)
        assert f"a new space with room version {new}" in said
        community = await stage.community()
        after = community.space
        assert after != before
        assert stage.server.rooms[after].version == new
        assert [group.room for group in community.groups] == rooms
        assert content(stage, after, UNKNOWN) == {"colour": "green"}
        for group in community.groups:
            assert content(stage, group.room, "chat.haven.group")["community"] == after
            assert content(stage, group.room, "m.space.parent", after)["canonical"] is True
            assert content(stage, group.room, "m.space.parent", before) == {}
        assert allowed(stage, await stage.room("Madrid")) == [after, before]
        assert community.owner == stage.user("owner")
        assert community.role_of(stage.user("moderator")) == "moderator"
        await stage.person("member").join(after, ["haven.test"])
        await in_step(stage)


def who(stage: Stage, *names: str) -> set[UserId]:
    return {stage.user(name) for name in names}


def new_rooms(server: FakeHomeserver, old: RoomId) -> list[RoomId]:
    """The rooms that say they come after another and in which anybody is."""
    after = (room for room in server.rooms.values() if room.members())
    return [
        room.id
        for room in after
        if cast(dict[str, Any], room.create.content.get("predecessor", {})).get("room_id") == old
    ]


async def of_the_group(stage: Stage) -> UpgradeJob:
    """Madrid is to be upgraded."""
    return _job(await stage.community(), await stage.room("Madrid"))


async def of_the_space(stage: Stage) -> UpgradeJob:
    """The space is to be upgraded."""
    community = await stage.community()
    return _job(community, community.space)


def _job(community: Community, room: RoomId) -> UpgradeJob:
    return UpgradeJob(community.space, room, RoomVersion("12"), community.owner, "It", now_ms() + KEPT_FOR)


async def carried_out(stage: Stage, work: UpgradeJob) -> bool:
    """Whether a life comes to the end of an upgrade."""
    await stage.engine.jobs.bring(work, Report(RoomId("!dm:haven.test"), EventId("$asked"), "en"))
    await stage.engine.jobs.idle()
    return not cast(FakeClient, stage.engine.homeserver)._dead


@asynccontextmanager
async def next_life(server: FakeHomeserver, store: Store) -> AsyncIterator[Stage]:
    """The plugin once more, with the community that is there."""
    async with staged(server, store, "11", empty=True) as stage:
        (community,) = (await stage.engine.communities.intent()).communities.values()
        stage.space = community.space
        yield stage


@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("upgrade", [of_the_group, of_the_space])
async def test_killed_at_any_request_and_started_again_there_is_one_new_room(
    tmp_path: Path, upgrade: Upgrade, *, after_effect: bool
) -> None:
    request, died = 1, True
    while died:
        server = FakeHomeserver()
        async with stored(f"{tmp_path}/{request}.db") as store:
            async with staged(server, store, "11") as stage:
                await stage.person("moderator").ban(await stage.room("Madrid"), stage.user("foe"), "spam")
                work = await upgrade(stage)
            async with next_life(server, store) as stage:
                server.faults.kill(request, user=stage.bot, after_effect=after_effect)
                died = not await carried_out(stage, work)
            server.faults.forgive()
            async with next_life(server, store) as stage:
                await stage.engine.jobs.resume()
                await stage.engine.jobs.idle()
                (new,) = new_rooms(server, work.room)
                assert content(stage, work.room, "m.room.tombstone")["replacement_room"] == new
                assert server.rooms[await stage.room("Madrid")].membership(stage.user("foe")) == "ban"
                assert not await store.open_jobs()
                await in_step(stage)
        request += 1
    assert request > 12

"""`upgrade`: a group or the space goes on in a newer room version; nothing is lost, nobody is locked out, nothing is made twice."""

import asyncio
from typing import Any, cast

import pytest

from haven.ids import RoomId, UserId
from haven.model import Community
from haven.plan import plan_for
from haven.ports import Content
from plugin.cards import Card
from plugin.service.upgrade_cards import KIND
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.plugin.commands.stage import Stage, staged, text_of

STEPS = [("10", "11"), ("11", "12")]
UNKNOWN = "org.example.colour"


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
    (card,) = await waiting(stage)
    await react(stage, card, name)
    await stage.engine.jobs.idle()
    return text_of([event for event in stage._said().values() if event.id not in before])


async def waiting(stage: Stage) -> tuple[Card, ...]:
    return await stage.services.desk.cards.open(KIND, (await stage.community()).space)


async def react(stage: Stage, card: Card, name: str, emoji: str = "✅") -> None:
    relation = {"rel_type": "m.annotation", "event_id": card.event, "key": emoji}
    await stage.person(name).send_message(
        card.room, "m.reaction", {"m.relates_to": relation}, f"{name}{emoji}"
    )
    stage.engine.watch.ready.set()
    while stage.engine.turns._tasks:
        await asyncio.gather(*stage.engine.turns._tasks)


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

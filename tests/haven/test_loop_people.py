"""The loop puts people out, bans them and lets groups go on a homeserver, killed anywhere, refused by it, or limited."""

from dataclasses import replace

import pytest

from haven.errors import Refused
from haven.ids import RoomId, RoomVersion, UserId
from haven.measures import Lockdown
from haven.model import Community, Release
from haven.people import FOLLOWS
from tests.fakes.homeserver_faults import Request, survives
from tests.haven.town import Town, inhabited
from tests.haven.worlds import BO, BOT, CY, EVA, VERSIONS

each_side = pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
each_version = pytest.mark.parametrize("version", VERSIONS)


def _ban(community: Community) -> Community:
    return community.with_ban(EVA, "spam")


async def _rooms(town: Town, space: RoomId) -> tuple[RoomId, ...]:
    return tuple(group.room for group in (await town.community(space)).groups)


async def _held(town: Town, space: RoomId, user: UserId) -> set[str]:
    return {town.server.rooms[room].membership(user) for room in (space, *await _rooms(town, space))}


@each_version
async def test_a_ban_is_one_request_a_room_and_so_is_lifting_it(version: RoomVersion) -> None:
    town, space = await inhabited(version)
    rooms = (space, *await _rooms(town, space))
    before = town.server.faults.count("ban", user=BOT)
    assert (await town.settle(space, _ban)).in_step
    assert await _held(town, space, EVA) == {"ban"}
    assert town.server.faults.count("ban", user=BOT) - before == len(rooms)
    asked = [request.room for request in town.server.faults.requests if request.port == "ban"]
    assert asked[0] == space
    assert (await town.settle(space)).done == ()
    reason = town.server.rooms[rooms[1]].content("m.room.member", EVA)["reason"]
    assert reason == f"{FOLLOWS} spam"
    assert (await town.settle(space, lambda c: c.without_ban(EVA))).in_step
    assert await _held(town, space, EVA) == {"leave"}


@each_side
async def test_a_ban_killed_anywhere_is_finished_by_whoever_comes_next(after_effect: bool) -> None:
    at, finished = 0, False
    while not finished:
        at += 1
        town, space = await inhabited()
        town.server.faults.kill(at, user=BOT, after_effect=after_effect)
        finished = await survives(town.settle(space, _ban))
        town.server.faults.forgive()
        begun = EVA in (await town.community(space)).banned
        assert (await (town.settle(space) if begun else town.settle(space, _ban))).in_step, at
        assert await _held(town, space, EVA) == {"ban"}, at
    assert at > 10


@each_version
async def test_who_leaves_the_space_leaves_its_rooms_and_nobody_else_does(version: RoomVersion) -> None:
    town, space = await inhabited(version)
    await town.server.client(EVA).leave(space)
    assert (await town.settle(space)).in_step
    assert not await _held(town, space, EVA) & {"join", "invite"}
    assert "join" in await _held(town, space, BO)


async def test_one_who_cannot_be_put_out_keeps_nobody_else_in() -> None:
    town, space = await inhabited()

    def refuse(request: Request) -> None:
        if request.port == "kick" and request.about == CY:
            raise Refused("homeserver_refused", code="M_FORBIDDEN")

    town.server.faults.before.append(refuse)
    outcome = await town.settle(space, lambda c: c.without_member(CY, "x").without_member(EVA, "x"))
    assert not outcome.in_step
    assert {getattr(failure.change, "user", "") for failure in outcome.failures} == {CY}
    assert "join" not in await _held(town, space, EVA)
    town.server.faults.forgive()
    assert (await town.settle(space, lambda c: c.without_member(CY, "x"))).in_step
    assert "join" not in await _held(town, space, CY)


def _books(community: Community) -> Community:
    found = (group.room for group in community.groups if group.name == "Books")
    return community.without_group(next(found, RoomId("!gone")), Release.KEEP)


@each_side
async def test_taking_a_group_out_killed_anywhere_is_finished(after_effect: bool) -> None:
    at, finished = 0, False
    while not finished:
        at += 1
        town, space = await inhabited()
        (books,) = [group.room for group in (await town.community(space)).groups if group.name == "Books"]
        town.server.faults.kill(at, user=BOT, after_effect=after_effect)
        finished = await survives(town.settle(space, _books))
        town.server.faults.forgive()
        if not finished and not _marked(town, books):
            assert (await town.settle(space, _books)).in_step, at
        assert (await town.settle(space)).in_step, at
        room = town.server.rooms[books]
        assert (room.content("chat.haven.group"), room.content("m.space.parent", space)) == ({}, {}), at
        assert town.server.rooms[space].content("m.space.child", books) == {}, at
        assert room.membership(EVA) == "join"
    assert at > 5


def _marked(town: Town, room: RoomId) -> bool:
    record = town.server.rooms[room].content("chat.haven.group")
    return not record or "released" in record


@each_version
async def test_a_lockdown_keeps_members_silent_on_the_homeserver_and_ends(version: RoomVersion) -> None:
    town, space = await inhabited(version)
    (books,) = [group.room for group in (await town.community(space)).groups if group.name == "Books"]
    before = {
        room: dict(town.server.rooms[room].content("m.room.power_levels")) for room in town.server.rooms
    }

    async def says(user: UserId, transaction: str) -> None:
        content = {"msgtype": "m.text", "body": "hello"}
        await town.server.client(user).send_message(books, "m.room.message", content, transaction)

    await says(EVA, "t1")
    assert (await town.settle(space, lambda c: replace(c, lockdown=Lockdown(BO, 1)))).in_step
    with pytest.raises(Refused):
        await says(EVA, "t2")
    await says(CY, "t3")
    assert (await town.settle(space, lambda c: replace(c, lockdown=None))).in_step
    await says(EVA, "t4")
    after = {room: dict(town.server.rooms[room].content("m.room.power_levels")) for room in town.server.rooms}
    assert after == before

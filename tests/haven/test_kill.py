"""Killed at every single request, before it or after, and started again with nothing but the server's state and the wish."""

import pytest

from haven.ids import RoomId, RoomVersion
from haven.model import Community, Role
from tests.fakes.homeserver_faults import survives
from tests.haven.test_loop import SLOTS
from tests.haven.town import Town, inhabited, level_everywhere, open_wish, slots
from tests.haven.worlds import ANA, BO, BOT, EVA, VERSIONS

each_version = pytest.mark.parametrize("version", VERSIONS)
each_side = pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])


@each_version
@each_side
async def test_a_founding_killed_anywhere_ends_with_one_of_everything(
    version: RoomVersion, after_effect: bool
) -> None:
    at = 0
    finished = False
    while not finished:
        at += 1
        town = Town(version)
        town.server.faults.kill(at, user=BOT, after_effect=after_effect)
        finished = await survives(town.found(open_wish()))
        town.server.faults.forgive()
        outcome = await town.found(open_wish())
        assert outcome.in_step, at
        assert slots(town) == SLOTS, at
        assert town.server.rooms[outcome.community.space].membership(ANA) == "invite"
        assert (await town.settle(outcome.community.space)).done == ()
    assert at > 20


@each_side
async def test_a_founding_killed_at_every_start_gets_on_all_the_same(after_effect: bool) -> None:
    """Each life is a request longer than it takes to see what the lives before have done."""
    town, lives = Town(), 0
    while True:
        lives += 1
        town.server.faults.kill(3 + 2 * lives, user=BOT, after_effect=after_effect)
        if await survives(town.found(open_wish())):
            break
        town.server.faults.forgive()
    assert slots(town) == SLOTS
    assert 3 < lives < 40


def _swap(community: Community) -> Community:
    return community.with_role(EVA, Role.ADMIN).with_role(BO, Role.MEMBER)


@pytest.mark.parametrize("version", VERSIONS[1:])
@each_side
async def test_a_change_of_admins_killed_anywhere_is_finished(
    version: RoomVersion, after_effect: bool
) -> None:
    at = 0
    finished = False
    while not finished:
        at += 1
        town, space = await inhabited(version)
        town.server.faults.kill(at, user=BOT, after_effect=after_effect)
        finished = await survives(town.settle(space, _swap))
        town.server.faults.forgive()
        begun = await _has_begun(town, space)
        outcome = await (town.settle(space) if begun else town.settle(space, _swap))
        assert outcome.in_step, at
        assert (level_everywhere(town, EVA), level_everywhere(town, BO)) == ({90}, {0}), at
        assert slots(town) == SLOTS
    assert at > 15


async def _has_begun(town: Town, space: RoomId) -> bool:
    """Whether the space already says what is meant: from then on nobody needs to remember the wish."""
    return (await town.community(space)).role_of(EVA) is Role.ADMIN

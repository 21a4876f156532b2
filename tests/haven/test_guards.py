"""Plans that would do harm are refused: mass removal unless insisted on, lockouts and foreign rooms always."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haven.changes import Abandon, Change, Invite, Remove, SetState
from haven.errors import Guarded
from haven.guards import REMOVAL_LIMIT, Bounds, guard
from haven.ids import RoomId, RoomVersion, UserId
from haven.plan import Plan
from haven.reach import POWER
from haven.reconcile import managed
from haven.snapshot import Membership
from tests.haven.drifts import drifted
from tests.haven.worlds import ANA, BOT, EVA, VERSIONS, Village, versions, village

USUAL = Bounds()
INSIST = Bounds(insisted=True)


def _verdict(place: Village, *changes: Change, bounds: Bounds = USUAL) -> str:
    plan = Plan(place.space, changes)
    try:
        guard(plan, managed(place.community, place.world, place.actors), place.world, place.actors, bounds)
    except Guarded as refusal:
        return refusal.key
    return ""


@given(st.integers(0, 40), st.integers(0, 20), st.booleans())
def test_more_removals_than_the_bound_are_refused_unless_insisted(
    count: int, bound: int, insisted: bool
) -> None:
    place = village()
    removals = [Remove(place.space, "F", UserId(f"@{number}:x")) for number in range(count)]
    invites = [Invite(place.space, "F", UserId(f"@{number}:y")) for number in range(30)]
    verdict = _verdict(place, *invites, *removals, bounds=Bounds(bound, insisted))
    assert verdict == ("guard_removals" if count > bound and not insisted else "")


def test_a_crowd_in_the_admins_room_is_not_removed_by_itself() -> None:
    place = village()
    crowd = [UserId(f"@{number}:x") for number in range(REMOVAL_LIMIT + 1)]
    room = next(group.room for group in place.community.groups if group.name == "Admins")
    place.becomes(room, Membership.JOINED, *crowd)
    assert _verdict(place, *place.plan().changes) == "guard_removals"
    assert _verdict(place, *place.plan().changes, bounds=INSIST) == ""
    place.becomes(room, Membership.LEFT, crowd[0])
    assert _verdict(place, *place.plan().changes) == ""


def test_a_foreign_room_is_refused_even_if_insisted() -> None:
    place = village()
    assert _verdict(place, Invite(RoomId("!foreign"), "X", ANA), bounds=INSIST) == "guard_foreign_room"


@pytest.mark.parametrize(
    ("version", "content"),
    [
        ("11", {"users": {ANA: 95}, "state_default": 90}),
        ("11", {"users": {BOT: 99}, "state_default": 90}),
        ("11", {"users": {BOT: 100}, "events": {POWER: 101}}),
        ("10", {"users": {BOT: 100}, "state_default": 101}),
        ("10", {}),
    ],
)
def test_the_bot_never_locks_itself_out(version: str, content: dict[str, object]) -> None:
    place = village(version=RoomVersion(version))
    assert _verdict(place, SetState(place.space, "F", POWER, "", content), bounds=INSIST) == "guard_lockout"


def test_a_creator_of_version_12_cannot_be_locked_out_by_levels() -> None:
    place = village()
    assert _verdict(place, SetState(place.space, "F", POWER, "", {"state_default": 200})) == ""


@pytest.mark.parametrize("version", VERSIONS)
def test_the_bot_never_removes_itself_nor_leaves_people_behind(version: RoomVersion) -> None:
    place = village(version=version)
    assert _verdict(place, Remove(place.space, "F", BOT), bounds=INSIST) == "guard_lockout"
    assert _verdict(place, Abandon(place.space, "F"), bounds=INSIST) == "guard_lockout"
    place.becomes(place.space, Membership.LEFT, *place.hall.with_membership(Membership.JOINED) - {BOT})
    assert _verdict(place, Abandon(place.space, "F")) == ""


@given(st.data(), versions)
def test_no_drift_leads_to_a_plan_that_harms(data: st.DataObject, version: RoomVersion) -> None:
    place = data.draw(drifted(village(version=version)))
    assert (
        _verdict(
            place, *place.plan().changes, *place.plan(lambda c: c.with_role(EVA, c.role_of(EVA))).changes
        )
        == ""
    )

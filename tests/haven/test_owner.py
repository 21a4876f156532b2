"""The one owner: handing over, the successor, and an owner who is gone."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haven.ids import RoomVersion, UserId
from haven.intent import Notice
from haven.model import Community, Role
from haven.permissions import HandoverRefusal, handover_refusal
from haven.snapshot import Membership
from haven.stateevents import COMMUNITY
from tests.haven.drifts import drifted
from tests.haven.worlds import (
    ANA,
    BO,
    BOT,
    BRIDGE,
    CY,
    EVA,
    PEOPLE,
    VERSIONS,
    Edit,
    people,
    versions,
    village,
)

each_version = pytest.mark.parametrize("version", VERSIONS)
BOTS = (BOT, BRIDGE)


def _heir(user: UserId) -> Edit:
    return lambda community: replace(community, successor=user)


@each_version
@pytest.mark.parametrize("user", [BO, CY, EVA])
def test_a_community_is_handed_over_in_every_room(version: RoomVersion, user: UserId) -> None:
    place = village(version=version)
    highest = {room.id: room.power_of(ANA) for room in place.world.values()}
    place.settle(lambda c: c.with_owner(user).with_owner(user))
    community = place.community
    assert (community.owner, community.role_of(ANA)) == (user, Role.ADMIN)
    assert {room.id: room.power_of(user) for room in place.world.values()} == highest
    assert {room.power_of(ANA) for room in place.world.values()} == {90}
    assert not place.intent.notices


@given(st.data(), versions, people)
def test_there_is_exactly_one_owner_whatever_happened(
    data: st.DataObject, version: RoomVersion, user: UserId
) -> None:
    place = data.draw(drifted(village(version=version)))
    inside = place.hall.members.get(user) is Membership.JOINED
    place.settle(lambda c: c.with_owner(user) if inside else c)
    assert place.community.owner == (user if inside else ANA)
    top = max(room.power_of(person) for room in place.world.values() for person in PEOPLE)
    assert [person for person in PEOPLE if place.hall.power_of(person) == top] == [place.community.owner]


@each_version
def test_when_the_owner_leaves_the_successor_takes_their_place(version: RoomVersion) -> None:
    place = village(version=version)
    place.settle(_heir(CY))
    assert place.community.successor == CY
    place.becomes(place.space, Membership.LEFT, ANA)
    place.settle()
    after = place.community
    assert after.owner == CY
    assert after.successor is None
    assert after.role_of(ANA) is Role.ADMIN
    assert place.room("Books").members[ANA] is Membership.REMOVED
    place.becomes(place.space, Membership.JOINED, ANA)
    assert place.community.owner == CY


def test_an_owner_without_successor_stays_owner_wherever_they_are_and_that_is_said() -> None:
    place = village()
    for heir in (None, EVA):
        place.settle(lambda c: replace(c, successor=heir))  # noqa: B023 - called at once
        place.becomes(place.space, Membership.LEFT, ANA, EVA)
        assert place.community.owner == ANA
        assert place.intent.notices == (Notice(place.space, COMMUNITY, "owner_left"),)
        place.becomes(place.space, Membership.JOINED, ANA, EVA)


@pytest.mark.parametrize("sender", [BO, BOT, ANA])
def test_only_the_owner_decides_on_the_successor_and_on_rest(sender: UserId) -> None:
    place = village()
    said = {**place.hall.content(COMMUNITY), "successor": BO, "deactivated": 5}
    place.says(sender, place.space, COMMUNITY, said)
    believed = sender != BO
    assert place.community.successor == (BO if believed else None)
    assert place.community.deactivated == (5 if believed else None)


def test_who_is_put_out_or_is_the_owner_is_no_successor() -> None:
    community = replace(village().community, successor=EVA)
    assert community.successor == EVA
    gone: tuple[Community, ...] = (
        community.with_ban(EVA),
        community.without_member(EVA),
        community.with_owner(EVA),
        replace(community, successor=ANA),
    )
    assert {each.successor for each in gone} == {None}


@pytest.mark.parametrize(
    ("actor", "target", "member", "refusal"),
    [
        (BO, EVA, True, HandoverRefusal.NOT_OWNER),
        (ANA, ANA, True, HandoverRefusal.ONESELF),
        (ANA, BOT, True, HandoverRefusal.BOT),
        (ANA, BRIDGE, True, HandoverRefusal.BOT),
        (ANA, EVA, False, HandoverRefusal.STRANGER),
        (ANA, EVA, True, None),
        (ANA, BO, True, None),
    ],
)
def test_who_may_hand_over_to_whom(
    actor: UserId, target: UserId, member: bool, refusal: HandoverRefusal | None
) -> None:
    community = village().community
    assert handover_refusal(community, actor, target, member=member, bots=BOTS) is refusal

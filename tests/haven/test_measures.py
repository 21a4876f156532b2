"""Mutes and lockdown: they hold for whom they should, end when they should, and leave nothing behind."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haven.ids import RoomId, RoomVersion, UserId
from haven.measures import (
    CLOSED_LEVEL,
    MUTED_LEVEL,
    Lockdown,
    Mute,
    lockdown_content,
    mutes_content,
    read_lockdown,
    read_mutes,
)
from haven.model import Community, JoinPolicy, Kind, Replies, Role
from haven.reach import POWER
from haven.snapshot import Room
from haven.stateevents import COMMUNITY
from tests.haven.drifts import drifted
from tests.haven.worlds import (
    ANA,
    BO,
    BOT,
    CY,
    DORA,
    EVA,
    FIL,
    STRANGER,
    VERSIONS,
    Village,
    json_values,
    people,
    versions,
    village,
)

each_version = pytest.mark.parametrize("version", VERSIONS)
LOCKED = Lockdown(BO, 1_000, "spam")
rooms = st.frozensets(st.sampled_from([RoomId("!a"), RoomId("!b")]))
mutes = st.builds(Mute, st.none() | st.integers(0, 100), rooms)


def _lock(community: Community) -> Community:
    return replace(community, lockdown=LOCKED)


def _open(community: Community) -> Community:
    return replace(community, lockdown=None)


def _levels(place: Village, user: UserId) -> dict[str, float]:
    return {group.name: place.world[group.room].power_of(user) for group in place.community.groups}


@each_version
def test_who_is_muted_speaks_nowhere_until_it_is_taken_back(version: RoomVersion) -> None:
    place = village(version=version)
    before = _levels(place, EVA)
    place.settle(lambda c: c.with_mute(EVA, Mute(until=5_000)))
    assert place.community.muted == {EVA: Mute(5_000)}
    assert set(_levels(place, EVA).values()) == {MUTED_LEVEL, 0}
    assert _levels(place, EVA)["Admins"] == 0
    assert place.hall.power_of(EVA) == 0
    place.settle(lambda c: c.without_mute(EVA))
    assert _levels(place, EVA) == before
    assert "muted" not in place.hall.content(COMMUNITY)


def test_a_mute_can_be_for_some_groups() -> None:
    place = village()
    books = place.room("Books").id
    place.settle(lambda c: c.with_mute(EVA, Mute(None, frozenset({books}))))
    assert {name for name, level in _levels(place, EVA).items() if level < 0} == {"Books"}


def test_a_mute_ends_by_the_time_it_is_asked_at() -> None:
    place = village()
    place.settle(lambda c: c.with_mute(EVA, Mute(until=5_000)).with_mute(FIL, Mute()))
    assert place.community.at(4_999) == place.community
    assert place.community.at(5_000).muted == {FIL: Mute()}
    place.settle(lambda c: c.at(5_000))
    assert place.room("Books").power_of(EVA) == 0
    assert place.room("Books").power_of(FIL) == MUTED_LEVEL


@pytest.mark.parametrize(
    ("user", "bound"), [(ANA, False), (BO, False), (CY, True), (DORA, True), (EVA, True)]
)
def test_the_owner_and_admins_are_not_bound_by_a_mute_and_others_are(user: UserId, bound: bool) -> None:
    place = village()
    admins = _levels(place, user)["Admins"]
    place.settle(lambda c: c.with_mute(user, Mute()))
    assert (_levels(place, user)["Books"] < 0) is bound
    assert _levels(place, user)["Admins"] == admins


def test_somebody_silenced_by_hand_stays_so_and_a_mute_lifted_by_hand_comes_back() -> None:
    place = village()
    books = place.room("Books").id
    place.gives_level(CY, books, STRANGER, -1)
    place.settle(lambda c: c.with_mute(EVA, Mute()))
    place.gives_level(CY, books, EVA, 0)
    place.settle()
    assert [place.room("Books").power_of(user) for user in (STRANGER, EVA)] == [-1, MUTED_LEVEL]


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        (Mute(5), Mute(9), Mute(9)),
        (Mute(None), Mute(9), Mute(None)),
        (Mute(5, frozenset({RoomId("!a")})), Mute(9, frozenset({RoomId("!b")})), Mute(9, frozenset({RoomId("!a"), RoomId("!b")}))),
        (Mute(5, frozenset({RoomId("!a")})), Mute(2), Mute(5)),
    ],
)  # fmt: skip
def test_two_mutes_are_one_that_takes_nothing_back(first: Mute, second: Mute, both: Mute) -> None:
    assert first.and_also(second) == both == second.and_also(first)


@given(st.dictionaries(people, mutes), st.dictionaries(people | st.text(max_size=5), json_values))
def test_mutes_are_read_back_and_what_is_no_mute_stays(
    held: dict[UserId, Mute], before: dict[str, object]
) -> None:
    content = mutes_content(held, before)
    assert {user: read_mutes(content)[user] for user in held} == held
    assert {user: said for user, said in before.items() if user not in read_mutes(before)}.items() >= {
        user: said for user, said in content.items() if user not in held
    }.items()


@given(json_values)
def test_no_damage_makes_a_mute_or_opens_a_lockdown(value: object) -> None:
    read_mutes(value)
    locked = read_lockdown(value)
    assert (locked is not None) is isinstance(value, dict)
    if locked is not None:
        assert read_lockdown(lockdown_content(locked, value)) == locked


@pytest.mark.parametrize(
    "said", [{"until": "soon"}, {"rooms": "!a"}, {"rooms": [1]}, [], "yes", {"until": True}]
)
def test_a_mute_that_cannot_be_read_is_none(said: object) -> None:
    assert read_mutes({EVA: said}) == {}


def _speaks(room: Room, user: UserId) -> bool:
    levels = room.power
    return room.power_of(user) >= min(levels.for_message("m.room.message"), levels.for_message("m.reaction"))


@each_version
@pytest.mark.parametrize("policy", list(JoinPolicy))
def test_in_a_lockdown_only_people_with_a_role_speak_and_nobody_comes_in(
    version: RoomVersion, policy: JoinPolicy
) -> None:
    place = village(version=version)
    place.settle(lambda c: replace(c, settings=replace(c.settings, join=policy, replies=Replies.OPEN)))
    place.says(
        BO, place.room("Books").id, POWER, {**place.room("Books").content(POWER), "events": {"org.game": 0}}
    )
    place.settle(_lock)
    assert place.community.lockdown == LOCKED
    for group in place.community.groups:
        room = place.world[group.room]
        assert room.content("m.room.join_rules") == {"join_rule": "invite"}
        if group.kind is not Kind.ADMINS:
            assert room.power_of(EVA) == CLOSED_LEVEL
            assert not _speaks(room, EVA)
            assert room.power_of(EVA) < room.power.for_message("org.game")
        assert all(_speaks(room, user) for user in (ANA, BO))
    assert _speaks(place.room("Books"), CY)
    assert place.hall.content("m.room.join_rules") == {"join_rule": "invite"}


def test_the_admins_room_goes_on_in_a_lockdown() -> None:
    place = village()
    before = place.room(Kind.ADMINS).content(POWER)
    place.settle(_lock)
    assert place.room(Kind.ADMINS).content(POWER) == before


@given(st.data(), versions)
def test_opening_restores_exactly_what_was(data: st.DataObject, version: RoomVersion) -> None:
    """Whatever was there and was in step: levels of any kind of event, people silenced by hand, join rules."""
    place = data.draw(drifted(village(version=version)))
    place.settle()
    before = {room.id: _said(room) for room in place.world.values()}
    place.settle(_lock)
    place.settle(_open)
    assert {room.id: _said(room) for room in place.world.values()} == before


def _said(room: Room) -> dict[tuple[str, str], object]:
    return {place: event.content for place, event in room.state.items() if event.content}


def test_a_role_given_in_a_lockdown_holds_at_once_and_stays() -> None:
    place = village()
    place.settle(_lock)
    place.settle(lambda c: c.with_role(EVA, Role.MODERATOR))
    assert _speaks(place.room("Books"), EVA)
    place.settle(_open)
    assert place.room("Books").power_of(EVA) == 50


def test_a_lockdown_written_by_hand_holds_whatever_it_leaves_out() -> None:
    place = village()
    place.says(BO, place.space, COMMUNITY, {**place.hall.content(COMMUNITY), "lockdown": {}})
    place.settle()
    assert place.community.lockdown == Lockdown(UserId(""), 0)
    assert not _speaks(place.room("Books"), EVA)
    assert BOT in place.hall.members


@each_version
def test_answers_that_are_switched_off_again_are_off(version: RoomVersion) -> None:
    place = village(version=version)
    for replies, level in ((Replies.OPEN, 0), (Replies.OFF, 70)):
        place.settle(lambda c: replace(c, settings=replace(c.settings, replies=replies)))  # noqa: B023 - called at once
        assert place.room(Kind.ANNOUNCEMENTS).power.for_message("m.room.message") == level

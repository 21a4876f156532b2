"""Power levels are read as a homeserver reads them, written in full, and compared by what a change of them needs."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haven.ids import RoomVersion
from haven.ports import Content
from haven.power import PowerLevels, creators_are_infinite, step_needed
from tests.haven.worlds import ANA, BO, BOT, CY, PEOPLE, json_values

levels = st.integers(-100, 100)
powers = st.builds(
    PowerLevels,
    users=st.dictionaries(st.sampled_from(PEOPLE), levels),
    users_default=levels,
    events=st.dictionaries(st.sampled_from(["m.room.name", "m.reaction", "org.other"]), levels),
    events_default=levels,
    state_default=levels,
    invite=levels,
    kick=levels,
    ban=levels,
    redact=levels,
    extra=st.dictionaries(st.sampled_from(["notifications", "x"]), json_values),
)

contents = st.dictionaries(
    st.sampled_from(["users", "events", "ban", "kick", "invite", "users_default", "notifications"]),
    json_values | st.dictionaries(st.text(max_size=5), json_values, max_size=3),
)


@given(powers)
def test_levels_are_read_as_they_were_written(power: PowerLevels) -> None:
    assert PowerLevels.parse(power.content()) == power


@given(contents)
def test_odd_content_is_read_all_the_same(content: Content) -> None:
    power = PowerLevels.parse(content)
    assert PowerLevels.parse(power.content()) == power
    assert all(type(level) is int for level in (*power.users.values(), *power.events.values(), power.ban))


def test_what_is_left_out_has_the_defaults_of_the_specification() -> None:
    power = PowerLevels.parse(
        {"ban": True, "kick": "50", "users": {ANA: 1.5, BO: True, CY: 9}, "events": [1]}
    )
    assert (power.ban, power.kick, power.invite, power.state_default, power.events_default) == (
        50,
        50,
        0,
        50,
        0,
    )
    assert power.users == {CY: 9}
    assert power.events == {}


def test_levels_answer_who_may_what() -> None:
    power = PowerLevels(
        users={ANA: 50}, users_default=5, events={"m.room.name": 60}, events_default=10, state_default=90
    )
    assert [power.of(ANA), power.of(BO), power.of(BO, {BO})] == [50, 5, math.inf]
    assert [power.for_state("m.room.name"), power.for_state("m.room.topic")] == [60, 90]
    assert [power.for_message("m.room.name"), power.for_message("m.reaction")] == [60, 10]


@pytest.mark.parametrize(
    ("version", "infinite"),
    [("1", False), ("11", False), ("12", True), ("13", True), ("org.matrix.x", False), ("", False)],
)
def test_creators_are_infinite_from_version_12_on(version: str, infinite: bool) -> None:
    assert creators_are_infinite(RoomVersion(version)) is infinite


@pytest.mark.parametrize(
    ("before", "after", "need"),
    [
        (PowerLevels(), PowerLevels(), 0),
        (PowerLevels(ban=50), PowerLevels(ban=80), 80),
        (PowerLevels(ban=80), PowerLevels(ban=50), 80),
        (PowerLevels(), PowerLevels(events={"x": 30}), 30),
        (PowerLevels(events={"x": 30}), PowerLevels(), 30),
        (PowerLevels(), PowerLevels(users={ANA: 90}), 90),
        (PowerLevels(users={ANA: 90}), PowerLevels(users={ANA: 10}), 91),
        (PowerLevels(users={ANA: 90}), PowerLevels(), 91),
        (PowerLevels(users={BOT: 90}), PowerLevels(users={BOT: 10}), 90),
    ],
)
def test_a_change_needs_as_much_as_it_moves(before: PowerLevels, after: PowerLevels, need: int) -> None:
    assert step_needed(before, after, BOT) == need

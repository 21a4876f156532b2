"""What is decided about roles and bans: by a table, by any history, and never much at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.networks.events import Role
from bridge.standing import BANNED, RANKS, About, Change, Key, decide, left_out, level_of, role_of, told_apart
from haven.ids import RemoteUserId
from haven.model import Kind

ADA, BEN = RemoteUserId("ada"), RemoteUserId("ben")
ROLE: Key = (About.ROLE, ADA)
BAN: Key = (About.BAN, ADA)
OP, VOICE = str(Role.OPERATOR), str(Role.VOICED)
GIVE = Change(About.ROLE, ADA, OP)
TAKE = Change(About.ROLE, ADA, None)

keys = st.tuples(st.sampled_from([About.ROLE, About.BAN]), st.sampled_from([ADA, BEN, RemoteUserId("cy")]))
standings = st.dictionaries(keys, st.sampled_from([OP, VOICE]), max_size=6)


@pytest.mark.parametrize(
    ("sides", "changes", "conflict"),
    [
        ((None, None, None), ((), ()), False),
        ((OP, OP, None), ((), ()), False),
        ((None, OP, None), ((GIVE,), ()), False),
        ((OP, None, None), ((), (GIVE,)), False),
        ((None, OP, OP), ((), (TAKE,)), False),
        ((OP, None, OP), ((TAKE,), ()), False),
        ((OP, VOICE, None), ((), ()), True),
        ((VOICE, None, OP), ((), ()), True),
        ((None, None, OP), ((), ()), False),
    ],
)
def test_the_table(
    sides: tuple[str | None, str | None, str | None],
    changes: tuple[tuple[Change, ...], tuple[Change, ...]],
    conflict: bool,
) -> None:
    here, there, agreed = (side(value) for value in sides)
    decision = decide(here, there, agreed)
    assert (decision.here, decision.there) == changes
    assert decision.conflicts == (frozenset({ROLE}) if conflict else frozenset())
    assert decision.agreed == (here if here == there else agreed)


def side(value: str | None) -> dict[Key, str]:
    return {} if value is None else {ROLE: value}


def test_what_takes_away_comes_last() -> None:
    here: dict[Key, str] = {(About.ROLE, BEN): OP, (About.BAN, BEN): BANNED}
    decision = decide(here, {ROLE: OP, BAN: BANNED}, here)
    assert [change.value is None for change in decision.here] == [False, False, True, True]


def many(number: int) -> dict[Key, str]:
    return {(About.ROLE, RemoteUserId(f"p{one}")): OP for one in range(number)}


@pytest.mark.parametrize(("number", "held"), [(10, 0), (11, 11)])
def test_more_than_a_few_are_not_taken_away_at_once(number: int, held: int) -> None:
    everybody: dict[Key, str] = {**many(number), (About.ROLE, ADA): OP}
    left: dict[Key, str] = {(About.ROLE, ADA): OP}
    away = decide(everybody, left, everybody)
    assert (len(away.here), away.held_back) == (number - held, held)
    assert {key for key in away.agreed if key[1] != ADA} == set(many(number)), "agreed on until it is done"
    back = decide(left, everybody, everybody)
    assert (len(back.there), back.held_back) == (number - held, held)


@pytest.mark.parametrize(("number", "held"), [(3, 0), (4, 4)])
def test_a_side_that_says_nothing_is_believed_in_little_things_only(number: int, held: int) -> None:
    decision = decide(many(number), {}, many(number))
    assert (len(decision.here), decision.held_back) == (number - held, held)


def test_what_is_given_goes_on_while_what_is_taken_is_held_back() -> None:
    decision = decide(many(20), {BAN: BANNED}, many(20))
    assert decision.here == (Change(About.BAN, ADA, BANNED),)
    assert decision.held_back == 20


@given(standings, standings, standings)
def test_after_all_is_done_there_is_nothing_left_but_conflicts(
    here: dict[Key, str], there: dict[Key, str], agreed: dict[Key, str]
) -> None:
    first = decide(here, there, agreed, most=100)
    sides = (dict(here), dict(there))
    settled = dict(first.agreed)
    for side, changes in zip(sides, (first.here, first.there), strict=True):
        for change in changes:
            for kept in (side, settled):
                kept.pop(change.key, None)
                if change.value is not None:
                    kept[change.key] = change.value
    if first.held_back:
        return
    again = decide(*sides, settled, most=100)
    assert (again.here, again.there) == ((), ())
    assert again.conflicts == first.conflicts
    assert all(sides[0].get(key) == sides[1].get(key) for key in {*sides[0], *sides[1]} - first.conflicts)


@given(standings, standings, standings)
def test_nobody_is_overwritten_who_changed_too(
    here: dict[Key, str], there: dict[Key, str], agreed: dict[Key, str]
) -> None:
    decision = decide(here, there, agreed)
    for change in (*decision.here, *decision.there):
        ours = here if change in decision.here else there
        assert ours.get(change.key) == agreed.get(change.key)


@pytest.mark.parametrize("kind", RANKS)
@pytest.mark.parametrize("role", Role)
def test_what_a_role_gives_stands_for_that_role_again(kind: Kind | None, role: Role) -> None:
    ranks = RANKS[kind]
    once = told_apart(role, ranks)
    assert told_apart(once, ranks) == once
    assert level_of(once, ranks) == level_of(role, ranks)
    assert role_of(90, ranks) is Role.OPERATOR
    assert role_of(0, ranks) is role_of(-1, ranks) is role_of(49, ranks) is Role.MEMBER


@pytest.mark.parametrize(
    ("inside", "listed", "gone"),
    [
        (3, 3, 0),
        (3, 2, 1),
        (3, 0, None),
        (30, 20, 10),
        (30, 19, 11),
        (30, 14, None),
        (0, 0, 0),
        (0, 9, 0),
    ],
)
def test_who_has_gone(inside: int, listed: int, gone: int | None) -> None:
    people = [RemoteUserId(f"p{one}") for one in range(30)]
    found = left_out(frozenset(people[:inside]), frozenset(people[:listed]))
    assert (None if found is None else len(found)) == gone

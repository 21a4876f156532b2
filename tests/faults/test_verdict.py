"""The checker catches each fault that is planted, and finds none where there is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.verdict import Way, judge, never_taken

SAID = tuple(f"line {number}" for number in range(8))
PLACES = st.integers(0, len(SAID) - 1)


def test_all_heard_in_order_is_clean() -> None:
    verdict = judge(Way("in", SAID, SAID))
    assert verdict.clean
    assert str(verdict) == "in: clean"


@given(PLACES)
def test_a_lost_line_is_found(at: int) -> None:
    verdict = judge(Way("in", SAID, SAID[:at] + SAID[at + 1 :]))
    assert verdict.lost == (SAID[at],)
    assert verdict.faults == {"lost"}
    assert SAID[at] in str(verdict)


@given(PLACES, PLACES)
def test_a_doubled_line_is_found_wherever_it_comes_again(at: int, again: int) -> None:
    later = max(at, again) + 1
    verdict = judge(Way("in", SAID, (*SAID[:later], SAID[at], *SAID[later:])))
    assert verdict.doubled == (SAID[at],)
    assert not verdict.clean
    assert verdict.faults <= {"doubled", "inverted"}


@given(st.permutations(SAID))
def test_any_wrong_order_is_found(heard: list[str]) -> None:
    verdict = judge(Way("in", SAID, tuple(heard)))
    assert bool(verdict.inverted) == (tuple(heard) != SAID)
    assert verdict.clean == (tuple(heard) == SAID)
    assert verdict.faults <= {"inverted"}


@given(PLACES)
def test_what_nobody_said_is_found(at: int) -> None:
    verdict = judge(Way("in", SAID, (*SAID[:at], "an echo", *SAID[at:])))
    assert verdict.invented == ("an echo",)
    assert not verdict.clean


@given(PLACES)
def test_what_is_excused_may_be_missing_and_nothing_else_may(at: int) -> None:
    heard = SAID[:at] + SAID[at + 1 :]
    verdict = judge(Way("in", SAID, heard, frozenset({SAID[at]})))
    assert verdict.clean
    assert verdict.missed == 1
    other = frozenset(SAID) - {SAID[at]}
    assert judge(Way("in", SAID, heard, other)).lost == (SAID[at],)


def test_what_is_excused_may_neither_come_twice_nor_too_late() -> None:
    excused = frozenset({"line 1"})
    assert judge(Way("in", SAID, (*SAID, "line 1"), excused)).doubled == ("line 1",)
    assert judge(Way("in", SAID[:3], ("line 0", "line 2", "line 1"), excused)).inverted


def test_texts_that_are_the_same_cannot_be_judged() -> None:
    with pytest.raises(ValueError, match="must differ"):
        Way("in", ("a", "a"), ())


def test_only_the_end_was_never_taken() -> None:
    assert never_taken(SAID, SAID[:5]) == set(SAID[5:])
    assert never_taken(SAID, [*SAID[:3], SAID[5]]) == set(SAID[6:])
    assert never_taken(SAID, SAID) == frozenset()
    assert never_taken(SAID, []) == set(SAID)

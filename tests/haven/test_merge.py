"""What two sides change is brought together and never lost: the decision table, and random histories."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haven.merge import Merge, Verdict, merge, verdict

Side = dict[str, int]

keys = st.sampled_from("abcd")
values = st.integers(1, 3)
sides = st.dictionaries(keys, values)


@pytest.mark.parametrize(
    ("here", "there", "agreed", "expected"),
    [
        (None, None, None, Verdict.AGREE),
        (1, 1, 1, Verdict.AGREE),
        (1, 1, None, Verdict.AGREE),
        (None, None, 1, Verdict.AGREE),
        (1, 2, 1, Verdict.BRING_HERE),
        (None, 2, None, Verdict.BRING_HERE),
        (1, None, 1, Verdict.BRING_HERE),
        (2, 1, 1, Verdict.BRING_THERE),
        (2, None, None, Verdict.BRING_THERE),
        (None, 1, 1, Verdict.BRING_THERE),
        (2, 3, 1, Verdict.CONFLICT),
        (2, 3, None, Verdict.CONFLICT),
        (None, 3, 1, Verdict.CONFLICT),
        (2, None, 1, Verdict.CONFLICT),
    ],
)
def test_the_table(here: object, there: object, agreed: object, expected: Verdict) -> None:
    assert verdict(here, there, agreed) is expected


def _with(side: Side, changes: object) -> Side:
    assert isinstance(changes, dict)
    merged = {**side, **changes}
    return {key: value for key, value in merged.items() if value is not None}


def _applied(here: Side, there: Side, result: Merge[str, int]) -> tuple[Side, Side]:
    return _with(here, result.bring_here), _with(there, result.bring_there)


@given(sides, sides, sides)
def test_both_sides_are_equal_afterwards_but_for_conflicts(here: Side, there: Side, agreed: Side) -> None:
    result = merge(here, there, agreed)
    here_after, there_after = _applied(here, there, result)
    for key in {*here, *there, *agreed}:
        if key in result.conflicts:
            assert (here_after.get(key), there_after.get(key)) == (here.get(key), there.get(key))
            assert result.agreed.get(key) == agreed.get(key)
        else:
            assert here_after.get(key) == there_after.get(key) == result.agreed.get(key)


@given(sides, sides, sides)
def test_no_change_is_lost(here: Side, there: Side, agreed: Side) -> None:
    """Whatever one side alone has changed holds on both; where both changed, nothing is overwritten."""
    result = merge(here, there, agreed)
    here_after, there_after = _applied(here, there, result)
    for key in {*here, *there, *agreed}:
        changed = [side.get(key) for side in (here, there) if side.get(key) != agreed.get(key)]
        if len(set(changed)) == 1:
            assert here_after.get(key) == there_after.get(key) == changed[0]
        else:
            assert (key in result.conflicts) == bool(changed)


@given(sides, sides, sides)
def test_merging_again_changes_nothing(here: Side, there: Side, agreed: Side) -> None:
    first = merge(here, there, agreed)
    again = merge(*_applied(here, there, first), first.agreed)
    assert not again.bring_here
    assert not again.bring_there
    assert (again.conflicts, again.agreed) == (first.conflicts, first.agreed)


@given(sides, sides, sides)
def test_neither_side_is_favoured(here: Side, there: Side, agreed: Side) -> None:
    one, other = merge(here, there, agreed), merge(there, here, agreed)
    assert (one.bring_here, one.bring_there) == (other.bring_there, other.bring_here)
    assert (one.conflicts, one.agreed) == (other.conflicts, other.agreed)


edits = st.tuples(st.sampled_from(["here", "there"]), keys, st.none() | values)


@given(st.lists(edits | st.just("merge"), max_size=30))
def test_any_history_ends_equal_once_conflicts_are_decided(
    history: list[tuple[str, str, int | None] | str],
) -> None:
    """Edits on two sides with merges in between, a person deciding each conflict for "here"."""
    sides_now: dict[str, Side] = {"here": {}, "there": {}}
    agreed: Side = {}
    for step in [*history, "merge"]:
        if isinstance(step, tuple):
            side, key, value = step
            sides_now[side] = _with(sides_now[side], {key: value})
            continue
        result = merge(sides_now["here"], sides_now["there"], agreed)
        here, there = _applied(sides_now["here"], sides_now["there"], result)
        decided = {key: here.get(key) for key in result.conflicts}
        sides_now = {"here": here, "there": _with(there, decided)}
        agreed = _with(dict(result.agreed), decided)
    assert sides_now["here"] == sides_now["there"] == agreed

"""Tests of the arithmetic: percentiles, turns, and what became of a stream of messages."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.figures import Arrival, arrival, median, percentile, rotations

FIGURES = st.lists(st.floats(-1e6, 1e6), min_size=1)
STREAMS = st.lists(st.text(max_size=3), unique=True)


def test_the_percentile_is_the_nearest_rank() -> None:
    values = [15.0, 20.0, 35.0, 40.0, 50.0]
    assert [percentile(values, share) for share in (0.05, 0.3, 0.4, 0.5, 1.0)] == [15, 20, 20, 35, 50]


def test_of_a_hundred_values_p99_leaves_out_one() -> None:
    assert percentile([float(number) for number in range(1, 101)], 0.99) == 99


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        median([])


@given(FIGURES, st.floats(0, 1))
def test_a_percentile_is_one_of_the_values_and_covers_its_share(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9


def test_everybody_takes_every_place() -> None:
    orders = list(rotations(["floor", "ours", "peer"], 6))
    for place in range(3):
        assert {order[place] for order in orders} == {"floor", "ours", "peer"}


def test_nobody_always_follows_the_same() -> None:
    pairs = [
        (before, after)
        for order in rotations(["floor", "ours", "peer"], 6)
        for before, after in itertools.pairwise(order)
    ]
    assert {before for before, after in pairs if after == "ours"} == {"floor", "peer"}


@pytest.mark.parametrize("rounds", [0, 1, 7])
def test_there_are_as_many_rounds_as_asked_for(rounds: int) -> None:
    assert len(list(rotations(["floor", "ours"], rounds))) == rounds


@given(STREAMS)
def test_what_arrives_as_it_was_sent_is_faultless(sent: list[str]) -> None:
    assert arrival(sent, sent) == Arrival(len(sent), 0, 0, 0)
    assert arrival(sent, sent).faultless


@given(STREAMS, st.randoms())
def test_order_is_faultless_only_when_it_is_the_same(sent: list[str], chance: random.Random) -> None:
    arrived = list(sent)
    chance.shuffle(arrived)
    assert arrival(sent, arrived).faultless == (arrived == sent)


def test_what_is_lost_doubled_or_early_is_counted() -> None:
    assert arrival(["a", "b", "c", "d"], ["a", "c", "b", "b", "x"]) == Arrival(
        4, lost=1, doubled=1, inversions=1
    )


def test_a_late_double_is_no_inversion() -> None:
    assert arrival(["a", "b"], ["a", "b", "a"]) == Arrival(2, lost=0, doubled=1, inversions=0)


def test_arrivals_add_up() -> None:
    assert Arrival(2, 1, 0, 0) + Arrival(3, 0, 1, 2) == Arrival(5, 1, 1, 2)

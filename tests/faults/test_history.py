"""A history is its seed: the same again for the same, another for another, and every text in it differs."""

from hypothesis import given
from hypothesis import strategies as st

from tests.faults.history import Round, Side, Trouble, history

SEEDS = st.integers(0, 2**32)


def rounds(seed: int) -> tuple[Round, ...]:
    return history(seed, rounds=6, links=3, lines=20, troubles=tuple(Trouble), kills=True)


@given(SEEDS)
def test_the_same_seed_is_the_same_history(seed: int) -> None:
    assert rounds(seed) == rounds(seed)
    assert rounds(seed) != rounds(seed + 1)


@given(SEEDS)
def test_every_line_of_it_differs_and_all_it_should_have_is_there(seed: int) -> None:
    whole = rounds(seed)
    said = [line for each in whole for line in each.lines]
    texts = [text for line in said for text in line.text.split("\n")]
    assert len(texts) == len(set(texts))
    assert {line.side for line in said} == set(Side)
    assert {each.trouble for each in whole} == set(Trouble)
    assert {line.link for line in said} == {0, 1, 2}
    assert all(each.kill is not None for each in whole)
    assert all("\n" not in line.text for line in said if line.side is Side.NETWORK)

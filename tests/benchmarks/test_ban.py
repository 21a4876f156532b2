"""Tests of how the order of bans is judged."""

import pytest

from benchmarks.ban import early


@pytest.mark.parametrize(
    ("sizes", "count"),
    [([], 0), ([5, 5, 3, 1, 1], 0), ([1, 2, 3], 2), ([3, 1, 2, 1], 1)],
)
def test_a_room_before_a_larger_one_is_counted(sizes: list[int], count: int) -> None:
    assert early(sizes) == count

"""Tests of how the kernel's figures on the processors are read."""

from benchmarks.calm import ticks

STAT = """\
cpu  100 10 40 800 50 5 5 20 7 3
cpu0 50 5 20 400 25 2 2 10 3 1
intr 12345
"""


def test_stolen_time_is_work_and_guests_are_not_counted_twice() -> None:
    working, there = ticks(STAT)
    assert working == 100 + 10 + 40 + 5 + 5 + 20
    assert there == working + 800 + 50

"""Tests of what is said of an event loop that is late."""

from benchmarks.lag import Lag


def test_a_loop_that_is_never_late_has_no_worst() -> None:
    assert (Lag(100, []).worst, Lag(100, []).busiest, Lag(100, []).over(100)) == (0, 0, 0)


def test_what_others_had_the_processor_for_is_not_ours() -> None:
    lag = Lag(100, [(120.0, 3.0), (30.0, 25.0), (40.0, 55.0)])
    assert lag.worst == 120
    assert lag.busiest == 40  # two threads side by side make it no later than it was
    assert lag.over(100) == 1

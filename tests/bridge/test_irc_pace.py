"""How fast IRC may write, and how long it waits between tries."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.networks.irc_pace import Backoff, Pace


class Sleeps:
    """A clock that goes on only when somebody sleeps by it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(asyncio, "sleep", self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    def clock(self) -> float:
        return self.now


async def test_a_burst_goes_at_once_and_the_rest_at_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    time = Sleeps(monkeypatch)
    pace = Pace(3, 2.0, time.clock)
    gone = []
    for _ in range(6):
        await pace.wait()
        gone.append(time.now)
    assert gone == [0.0, 0.0, 0.0, 0.5, 1.0, 1.5]


async def test_silence_fills_the_bucket_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    time = Sleeps(monkeypatch)
    pace = Pace(2, 1.0, time.clock)
    for _ in range(3):
        await pace.wait()
    time.now += 1000
    start = time.now
    gone = []
    for _ in range(3):
        await pace.wait()
        gone.append(time.now - start)
    assert gone == [0.0, 0.0, 1.0]


@given(st.floats(0, 1), st.integers(1, 100))
def test_waiting_grows_to_its_bound(spread: float, tries: int) -> None:
    backoff = Backoff(2.0, 300.0, lambda: spread)
    waits = [backoff.next() for _ in range(tries)]
    assert waits == sorted(waits)
    assert 1.0 <= waits[0] <= 2.0
    assert waits[-1] <= 300.0
    backoff.reset()
    assert backoff.next() == waits[0]

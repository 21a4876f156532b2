"""How long a room waits for a file in trouble."""

import pytest

from bridge.media_trouble import FORGOTTEN, MOST, PATIENCE, Troubles
from haven.errors import GiveUp, HavenError, Missing, RateLimited, TryLater, Unreachable


class Ticks:
    """A clock that a test moves, in seconds."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_patience_ends_and_begins_anew() -> None:
    ticks = Ticks()
    troubles = Troubles(ticks)
    for waited in (0.0, PATIENCE / 2, PATIENCE - 1):
        ticks.now = 100.0 + waited
        assert isinstance(troubles.weigh("a", Unreachable()), TryLater)
    ticks.now = 100.0 + PATIENCE
    assert isinstance(troubles.weigh("b", Unreachable()), TryLater), "each file has its own"
    verdict = troubles.weigh("a", Unreachable("server_error"))
    assert isinstance(verdict, GiveUp)
    assert verdict.key == "media_unreachable"
    ticks.now += FORGOTTEN
    assert isinstance(troubles.weigh("a", Unreachable()), TryLater)
    troubles.over("b")
    assert isinstance(troubles.weigh("b", Unreachable()), TryLater)


def test_trouble_is_no_fault_of_the_message() -> None:
    """A key of its own: ``server_error`` would count as one of the message's five tries."""
    verdict = Troubles(Ticks()).weigh("a", Unreachable("server_error", after=3600))
    assert isinstance(verdict, TryLater)
    assert (verdict.key, verdict.after) == ("media_unreachable", PATIENCE)
    assert Troubles(Ticks()).weigh("a", Unreachable("media_cut")).key == "media_cut"


@pytest.mark.parametrize("error", [RateLimited(7), Unreachable("database"), Missing("media_missing")])
def test_what_is_none_of_the_files_trouble_stays_as_it_is(error: HavenError) -> None:
    ticks = Ticks()
    troubles = Troubles(ticks)
    for _ in range(3):
        assert troubles.weigh("a", error) is error
        ticks.now += PATIENCE


def test_not_all_trouble_of_the_world_is_remembered() -> None:
    troubles = Troubles(Ticks())
    for number in range(3 * MOST):
        troubles.weigh(str(number), Unreachable())
    assert len(troubles._since) <= MOST

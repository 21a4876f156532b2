"""A transaction that was skipped is asked for, once after each trouble, and by numbers only."""

from bridge.gaps import Gaps


def taken(gaps: Gaps, *transactions: str) -> list[str]:
    """Those that were accepted, the others being refused."""
    accepted = []
    for transaction in transactions:
        if not gaps.skipped(transaction):
            gaps.came(transaction)
            accepted.append(transaction)
    return accepted


def test_what_comes_after_a_gap_waits_for_what_is_missing() -> None:
    assert taken(Gaps(), "5", "6", "8", "7", "8", "9") == ["5", "6", "7", "8", "9"]


def test_a_gap_that_stays_is_passed_over() -> None:
    assert taken(Gaps(), "5", "8", "8", "12", "20") == ["5", "8", "12", "20"]


def test_after_new_trouble_a_gap_counts_again() -> None:
    gaps = Gaps()
    assert taken(gaps, "5", "8", "8", "12") == ["5", "8", "12"]
    gaps.trouble()
    assert taken(gaps, "14", "14") == ["14"]
    assert taken(gaps, "14", "20", "20") == ["14", "20"], "a transaction that comes again is trouble, too"


def test_without_a_beginning_or_without_numbers_nothing_is_missing() -> None:
    assert taken(Gaps(), "77", "78") == ["77", "78"]
    assert taken(Gaps(), "a", "c", "é", "²", "") == ["a", "c", "é", "²", ""]

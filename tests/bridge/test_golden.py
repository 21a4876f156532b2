"""Conversion makes of each kind of message what the golden files show."""

import pytest

from tests.bridge.golden.pages import Case, cases, same, worked_out


@pytest.mark.parametrize(
    "case", [*cases("to_network"), *cases("to_matrix")], ids=lambda case: case["name"].replace(" ", "_")
)
def test_conversion_is_as_written_down(case: Case) -> None:
    now = worked_out(case)
    assert same(case, now), now

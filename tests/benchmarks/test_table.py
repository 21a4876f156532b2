"""Tests of how tables are printed."""

import pytest

from benchmarks.table import Cell, Table, ratio, shown


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("ours", "ours"),
        (7, "7"),
        (0.1234, "0.12"),
        (12.345, "12.3"),
        (123.456, "123"),
        (-0.5, "-0.50"),
        (None, "–"),
    ],
)
def test_a_cell_has_the_digits_that_mean_something(cell: Cell, text: str) -> None:
    assert shown(cell) == text


def test_a_table_is_markdown_in_line() -> None:
    table = Table("Who", ["", "ms"], [["floor", 20.0], ["ours", None]])
    assert str(table).splitlines() == [
        "**Who**",
        "",
        "|       |   ms |",
        "| ----- | ---: |",
        "| floor | 20.0 |",
        "| ours  |    – |",
    ]


def test_a_ratio_says_how_many_times_the_floor() -> None:
    assert ratio(30.0, 20.0) == "1.50 x"


def test_without_a_floor_there_is_no_ratio() -> None:
    assert ratio(30.0, 0.0) == "–"

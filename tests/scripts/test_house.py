"""The rules of the house, each broken once."""

import ast
from pathlib import Path

import pytest

from embedded.places import ROOT
from scripts import house


@pytest.mark.parametrize(
    ("rule", "source", "complaint"),
    [
        (house.too_long, "x = 1\n" * 401, "401 lines"),
        (house.too_long, "def f():\n" + "    x = 1\n" * 40, "f has 41 lines"),
        (house.untold, "x = 1\n", "no docstring"),
        (house.vague, "class RoomManager:\n    pass\n", "RoomManager"),
        (house.impure, "import aiohttp\n", "the mind imports aiohttp"),
        (house.impure, "from plugin.bot import HavenBot\n", "the mind imports plugin.bot"),
    ],
)
def test_a_breach_is_named(rule: house.Rule, source: str, complaint: str) -> None:
    assert [text for _, text in rule(ast.parse(source), source) if complaint in text]


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (house.too_long, "def f():\n" + "    x = 1\n" * 39),
        (house.vague, "class Misconfigured(Exception):\n    pass\n"),
        (house.impure, "import asyncio\nfrom .ids import RoomId\nfrom haven.ids import UserId\n"),
    ],
)
def test_what_is_allowed_stays_unnamed(rule: house.Rule, source: str) -> None:
    assert not list(rule(ast.parse(source), source))


def test_places_that_only_we_have_are_found_with_their_line() -> None:
    place = "/ro" + "ot/x"
    assert [line for line, _ in house.machines(f"fine\nsee {place}\n")] == [2]


def test_work_left_for_later_is_found() -> None:
    assert list(house.unfinished("x = 1  # TO" + "DO: later\n"))


def test_files_of_the_repository_are_looked_at_and_caches_are_not() -> None:
    files = {path.relative_to(ROOT) for path in house.tracked_files()}
    assert Path("scripts/house.py") in files
    assert not [path for path in files if "__pycache__" in path.parts or path.parts[0].startswith(".venv")]

"""docs/permissions.md says what the code does."""

from embedded.places import ROOT
from scripts.permissions_table import PLACE, document


def test_the_document_is_current() -> None:
    assert PLACE.read_text() == document(), f"run scripts/permissions_table.py in {ROOT.name}"


def test_every_role_has_a_line_of_levels_for_each_version() -> None:
    assert "| owner | 95 | 95 | 100 |" in document()
    assert "| `announce` | yes | yes | yes |  |  |  |  |  |" in document()

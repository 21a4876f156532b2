"""Every command by everybody in every room version: done, or refused and nothing changed, as docs/permissions.md says."""

import pytest

from embedded.places import ROOT
from plugin.commands.table import TABLE
from tests.plugin.rights.document import ACTORS, COMMANDS, VERSIONS, allows
from tests.plugin.rights.ground import Grounds
from tests.plugin.rights.tries import IF_SET, TRIES, Try
from tests.plugin.rights.verdicts import tried


def test_every_command_there_is_stands_in_the_table_and_is_tried() -> None:
    assert [one.row for one in TRIES] == list(COMMANDS)
    assert {entry.command.name for entry in TABLE.entries} <= {one.row for one in TRIES}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ACTORS)
async def test_what_is_refused_is_told_and_changes_nothing(grounds: Grounds, version: str, name: str) -> None:
    refused = [one for one in TRIES if not allows(COMMANDS[one.row], name)]
    for ground in {one.ground for one in refused}:
        async with grounds.trial(version, ground) as trial:
            for one in (each for each in refused if each.ground == ground):
                verdict, _ = await tried(trial, name, one)
                assert verdict.refused or COMMANDS[one.row][ACTORS[name]] == "adds it", (
                    one.row,
                    verdict.said,
                )
                assert verdict.left_alone, one.row


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ACTORS)
async def test_what_is_allowed_is_really_done(grounds: Grounds, version: str, name: str) -> None:
    for one in (each for each in TRIES if allows(COMMANDS[each.row], name)):
        assert await amiss(grounds, version, name, one) == ""


async def amiss(grounds: Grounds, version: str, name: str, one: Try) -> str:
    """What is amiss after somebody has done what they may; "" where nothing is."""
    async with grounds.trial(version, one.ground) as trial:
        verdict, after = await tried(trial, name, one)
        wrong = "refused" if verdict.refused else "" if one.done(after) else "not done"
        return f"{one.row}: {wrong}: {verdict.said}" if wrong else ""


@pytest.mark.parametrize(
    "name", [name for name in ACTORS if COMMANDS["group add"][ACTORS[name]] == "if set so"]
)
async def test_what_a_setting_allows_is_done_where_it_is_set_so(grounds: Grounds, name: str) -> None:
    assert await amiss(grounds, "12", name, IF_SET) == ""


def test_the_table_that_is_read_is_the_one_that_people_read() -> None:
    may = {column for column, mark in COMMANDS["announce"].items() if mark == "yes"}
    assert may == {"owner", "admin", "announcer"}
    assert "docs/permissions.md" in (ROOT / "README.md").read_text()

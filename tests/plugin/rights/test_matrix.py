"""Every command by everybody in every room version: done, or refused and nothing changed, as docs/permissions.md says."""

from pathlib import Path

import pytest

from embedded.places import ROOT
from plugin.commands.table import TABLE
from tests.plugin.rights.ground import ACTORS, Grounds
from tests.plugin.rights.tries import IF_SET, TRIES, Try
from tests.plugin.rights.verdicts import tried

VERSIONS = ("10", "11", "12")


def table(heading: str) -> dict[str, dict[str, str]]:
    """A table of docs/permissions.md: what stands in each column, by row."""
    section = (ROOT / "docs" / "permissions.md").read_text().partition(f"## {heading}\n")[2]
    lines = [line for line in section.partition("\n## ")[0].splitlines() if line.startswith("|")]
    rows = [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]
    head, _, *rest = rows
    return {name: dict(zip(head[1:], cells, strict=True)) for name, *cells in rest}


COMMANDS = table("Commands")


def is_allowed(row: str, name: str) -> bool:
    """Whether the table lets somebody do it, as the community is set usually."""
    mark = COMMANDS[row][ACTORS[name]]
    return mark == "yes" or (mark == "their group" and name != "elsewhere")


def test_every_command_there_is_stands_in_the_table_and_is_tried() -> None:
    assert [one.row for one in TRIES] == list(COMMANDS)
    assert {entry.command.name for entry in TABLE.entries} <= {one.row for one in TRIES}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ACTORS)
async def test_what_is_refused_is_told_and_changes_nothing(grounds: Grounds, version: str, name: str) -> None:
    refused = [one for one in TRIES if not is_allowed(one.row, name)]
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
    for one in (each for each in TRIES if is_allowed(each.row, name)):
        await allowed(grounds, version, name, one)


async def allowed(grounds: Grounds, version: str, name: str, one: Try) -> None:
    async with grounds.trial(version, one.ground) as trial:
        verdict, after = await tried(trial, name, one)
        assert not verdict.refused, (one.row, verdict.said)
        assert one.done(after), (one.row, verdict.said)


@pytest.mark.parametrize(
    "name", [name for name in ACTORS if COMMANDS["group add"][ACTORS[name]] == "if set so"]
)
async def test_what_a_setting_allows_is_done_where_it_is_set_so(grounds: Grounds, name: str) -> None:
    await allowed(grounds, "12", name, IF_SET)


def test_the_table_that_is_read_is_the_one_that_people_read() -> None:
    assert Path(ROOT / "README.md").read_text().count("docs/permissions.md") >= 1
    assert COMMANDS["announce"] == {
        **dict.fromkeys(set(ACTORS.values()), ""),
        "owner": "yes",
        "admin": "yes",
        "announcer": "yes",
    }

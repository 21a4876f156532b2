"""docs/permissions.md as people read it: who may do what."""

from embedded.places import ROOT

ACTORS = {
    "owner": "owner",
    "admin": "admin",
    "announcer": "announcer",
    "groupadmin": "group-admin",
    "elsewhere": "group-admin",
    "moderator": "moderator",
    "greeter": "greeter",
    "member": "member",
    "stranger": "stranger",
}
"""Who tries everything, and the column they stand in. `groupadmin` has Madrid, `elsewhere` has Brno."""

VERSIONS = ("10", "11", "12")

REFUSALS = (
    "You cannot do that as",
    "Only members of “",
    "You are not in any community of mine. Join one first",
)
"""What is said to somebody who may not do something."""

OTHERS_GROUP = "Nobody is waiting for an answer of yours"
"""What a group admin is told of what is asked of another group."""


def table(heading: str) -> dict[str, dict[str, str]]:
    """A table of docs/permissions.md: what stands in each column, by row."""
    section = (ROOT / "docs" / "permissions.md").read_text().partition(f"## {heading}\n")[2]
    lines = [line for line in section.partition("\n## ")[0].splitlines() if line.startswith("|")]
    rows = [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]
    head, _, *rest = rows
    return {name: dict(zip(head[1:], cells, strict=True)) for name, *cells in rest}


COMMANDS = table("Commands")
CARDS = table("Cards in the admins' room")


def allows(row: dict[str, str], name: str) -> bool:
    """Whether a row of a table lets somebody do it, as the community is set usually."""
    mark = row[ACTORS[name]]
    return mark == "yes" or (mark == "their group" and name != "elsewhere")

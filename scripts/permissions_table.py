#!/usr/bin/env python3
"""Writes docs/permissions.md out of the code: what each role may ask for, and the power levels that say so in rooms.

`scripts/permissions_table.py [--check]`: with `--check` nothing is written, and exit status 1 says that the file is not current.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from haven.ids import RoomVersion  # noqa: E402 - the path comes first
from haven.model import Kind, Replies, Role, Settings, WhoAddsGroups  # noqa: E402 - as above
from haven.permissions import BOT_LEVEL, BRIDGE_LEVEL, holders, level_of, room_frame, space_frame  # noqa: E402 - as above
from haven.power import PowerLevels, creators_are_infinite  # noqa: E402 - as above
from plugin.commands.asked import Within  # noqa: E402 - as above
from plugin.commands.table import TABLE  # noqa: E402 - as above

PLACE = ROOT / "docs" / "permissions.md"
VERSIONS = tuple(RoomVersion(version) for version in ("10", "11", "12"))

INTRODUCTION = """# Who may do what

Made by `scripts/permissions_table.py` out of `haven/permissions.py` and the table of commands; a test holds it to them.

Rights are judged when a command is carried out, by what the space says at that moment. Somebody who is not a member of the
community may do nothing in it. Roles of the whole community (owner, admin, moderator, greeter) are power levels in the space;
announcer and group-admin hold in one room only."""


def row(cells: Sequence[object]) -> str:
    """One line of a table."""
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def table(head: Sequence[object], rows: Iterator[Sequence[object]]) -> Iterator[str]:
    """A table."""
    yield row(head)
    yield row(["---"] * len(head))
    yield from (row(cells) for cells in rows)


def commands() -> Iterator[str]:
    """Which role may use which command."""
    usual, everyone = Settings(), Settings(who_adds_groups=WhoAddsGroups.EVERYONE)

    def rows() -> Iterator[Sequence[object]]:
        for entry in TABLE.entries:
            if not isinstance(entry, Within):
                yield (f"`{entry.command.name}`", *["yes"] * len(Role))
                continue
            always, sometimes = holders(entry.right, usual), holders(entry.right, everyone)
            marks = ("yes" if role in always else "if set so" if role in sometimes else "" for role in Role)
            yield (f"`{entry.command.name}`", *marks)

    yield from table(("command", *Role), rows())
    yield ""
    yield "`settings` with a value is for the owner and admins. `role remove` of one's own role is for everybody who has one."
    yield "`create` can be kept to some people by the plugin's configuration. “if set so”: with `who_adds_groups` at `everyone`."
    yield "`requests`, `approve` and `reject`: group admins see and answer what is asked of their group only. The owner cannot `leave`."
    yield "Only the owner takes the role of another admin; the role of owner is never given or taken."


def levels() -> Iterator[str]:
    """The level of each role in each room version."""

    def rows() -> Iterator[Sequence[object]]:
        for role in Role:
            yield (role, *(level_of(role, version) for version in VERSIONS))
        yield (
            "the bot",
            *("creator" if creators_are_infinite(version) else BOT_LEVEL for version in VERSIONS),
        )
        yield ("the bridge's bot, in linked rooms", *[BRIDGE_LEVEL] * len(VERSIONS))

    yield from table(("role", *(f"version {version}" for version in VERSIONS)), rows())


def rooms() -> Iterator[str]:
    """What each kind of room asks for."""
    frames = {
        "space": space_frame(),
        "announcements": room_frame(Kind.ANNOUNCEMENTS, Settings()),
        "announcements, answers allowed": room_frame(Kind.ANNOUNCEMENTS, Settings(replies=Replies.OPEN)),
        "other rooms": room_frame(Kind.GROUP, Settings()),
    }

    def rows() -> Iterator[Sequence[object]]:
        for name in ("invite", "kick", "ban", "redact", "events_default", "state_default"):
            yield (f"`{name}`", *(getattr(frame, name) for frame in frames.values()))
        for event in sorted({event for frame in frames.values() for event in frame.events}):
            yield (f"`{event}`", *(_needed(frame, event) for frame in frames.values()))

    yield from table(("needed for", *frames), rows())


def _needed(frame: PowerLevels, event: str) -> object:
    return frame.events.get(event, "")


def document() -> str:
    """The whole file."""
    parts = {"Commands": commands(), "Levels of the roles": levels(), "Levels that rooms ask for": rooms()}
    sections = (f"## {title}\n\n" + "\n".join(lines) for title, lines in parts.items())
    return "\n\n".join((INTRODUCTION, *sections)) + "\n"


def main() -> int:
    """Writes the file, or looks whether it is current."""
    parser = argparse.ArgumentParser(prog="scripts/permissions_table.py", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; status 1 where the file is not current"
    )
    if parser.parse_args().check:
        return 0 if PLACE.exists() and PLACE.read_text() == document() else 1
    PLACE.parent.mkdir(exist_ok=True)
    PLACE.write_text(document())
    return 0


if __name__ == "__main__":
    sys.exit(main())

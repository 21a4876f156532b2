#!/usr/bin/env python3
"""Writes docs/permissions.md out of the code: what each role may ask for, and the power levels that say so in rooms.

`scripts/permissions_table.py [--check]`: with `--check` nothing is written, and exit status 1 says that the file is not current.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from haven.ids import RoomVersion  # noqa: E402 - the path comes first
from haven.model import Kind, Replies, Role, Settings, WhoAddsGroups  # noqa: E402 - as above
from haven.permissions import (  # noqa: E402 - as above
    BOT_LEVEL,
    BRIDGE_LEVEL,
    Right,
    holders,
    level_of,
    room_frame,
    space_frame,
)
from haven.power import PowerLevels, creators_are_infinite  # noqa: E402 - as above
from plugin.commands.asked import Within  # noqa: E402 - as above
from plugin.commands.table import TABLE  # noqa: E402 - as above

YES, IF_SET, THEIRS, ADDS = "yes", "if set so", "their group", "adds it"
STRANGER = "stranger"
PEOPLE = (*Role, STRANGER)
OF_ONE_GROUP = {Right.MANAGE_GROUPS, Right.APPROVE}
"""What a group admin may do in their own group."""

FORMS: Mapping[str, Mapping[str, Right]] = {
    "settings": {"settings KEY VALUE": Right.CHANGE_SETTINGS},
    "rules": {"rules TEXT": Right.CHANGE_SETTINGS},
    "welcome": {"welcome TEXT": Right.CHANGE_SETTINGS},
}
"""What a command takes more when more is said, by the command."""

EXCEPTED: Mapping[str, Mapping[str, str]] = {
    "leave": {Role.OWNER: ""},
    "suggest": {Role.OWNER: ADDS, Role.ADMIN: ADDS},
}
"""What holds for somebody beside the right that a command takes."""

ANSWERED: Mapping[str, Right] = {
    "somebody asks to join the community": Right.INVITE,
    "somebody asks to join a group": Right.APPROVE,
    "a suggested group": Right.DECIDE_SUGGESTIONS,
    "a room to be adopted": Right.ADOPT,
    "the community's space to be upgraded": Right.UPGRADE,
    "many people to be removed": Right.REMOVE_PEOPLE,
    "many people to be banned": Right.BAN,
    "people whom ban lists name": Right.BAN,
    "a reported message": Right.HANDLE_REPORTS,
}
"""The cards in the admins' room, and what it takes to answer them."""

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


def marks(right: Right) -> dict[str, str]:
    """What stands in the line of somebody who asks for what a right allows."""
    usual, everyone = Settings(), Settings(who_adds_groups=WhoAddsGroups.EVERYONE)
    always, sometimes = holders(right, usual), holders(right, everyone)
    found = {str(role): YES if role in always else IF_SET if role in sometimes else "" for role in Role}
    if right in OF_ONE_GROUP and found[Role.GROUP_ADMIN]:
        found[Role.GROUP_ADMIN] = THEIRS
    return found


def commands() -> Iterator[str]:
    """Who may use which command."""

    def rows() -> Iterator[Sequence[object]]:
        for entry in TABLE.entries:
            name = entry.command.name
            found = marks(entry.right) if isinstance(entry, Within) else dict.fromkeys(PEOPLE, YES)
            yield _line(name, {**found, **EXCEPTED.get(name, {})})
            yield from (_line(form, marks(right)) for form, right in FORMS.get(name, {}).items())

    yield from table(("command", *PEOPLE), rows())
    yield ""
    yield f"“{IF_SET}”: with `who_adds_groups` at `everyone`. “{THEIRS}”: group admins see and answer what is asked of"
    yield f"their group only, and manage no other. “{ADDS}”: who may add groups need not suggest any."
    yield "The owner hands the community over before they leave. Everybody may take back what they suggested, and lay down their own"
    yield "role (`role remove`); only the owner takes the role of another admin; the role of owner is never given or taken."
    yield "`create` can be kept to some people by the plugin's configuration. `join` is for whoever has a code. `my data` is about"
    yield "nobody but who asks; an owner hands over before it erases anything."


def cards() -> Iterator[str]:
    """Who may answer what waits in the admins' room."""
    rows = (_line(kind, marks(right), code=False) for kind, right in ANSWERED.items())
    yield from table(("card", *PEOPLE), rows)
    yield ""
    yield "A transfer is accepted by nobody but the one it is offered to, and taken back by the owner who offers it."
    yield "What somebody has damaged by hand is put back by those who may `repair`, by what the levels of the space say."


def _line(name: str, found: Mapping[str, str], *, code: bool = True) -> Sequence[object]:
    return (f"`{name}`" if code else name, *(found.get(one, "") for one in PEOPLE))


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
    parts = {
        "Commands": commands(),
        "Cards in the admins' room": cards(),
        "Levels of the roles": levels(),
        "Levels that rooms ask for": rooms(),
    }
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

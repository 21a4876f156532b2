"""What a job is to do, as values and as the JSON that is kept of them."""

import json
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from haven.founding import Founding, Titles, WishedGroup
from haven.ids import EventId, RoomId, RoomVersion, UserId
from haven.model import Visibility
from haven.stateevents import read_settings

SUGGESTED = "suggestion/"
"""How the slots of groups begin that members have suggested; those that the bridge asked for: `haven.wishes.WISHED`."""


@dataclass(frozen=True, slots=True)
class FoundingJob:
    """A community to be made."""

    founding: Founding


@dataclass(frozen=True, slots=True)
class GroupJob:
    """A group to be added to the community of ``space``."""

    space: RoomId
    slot: str
    wished: WishedGroup
    by: UserId


@dataclass(frozen=True, slots=True)
class UpgradeJob:
    """A room of a community, or its ``space``, to be brought into another room ``version``.

    ``room``: as it was when this was wished for, and ``name`` what it was called; ``until``: how long it is kept, ms since the epoch;
    ``door``: how it was wished for (`plugin.audit.Door`); ``elsewhere``: not by a command in the room where it is told of.
    """

    space: RoomId
    room: RoomId
    version: RoomVersion
    by: UserId
    name: str
    until: int
    door: str = "command"
    elsewhere: bool = False


Work: TypeAlias = FoundingJob | GroupJob | UpgradeJob


@dataclass(frozen=True, slots=True)
class Report:
    """Where to tell how a job goes: the command's room, event and language."""

    room: RoomId
    event: EventId
    language: str


@dataclass(frozen=True, slots=True)
class Job:
    """Something to be done until it is done. ``id``: the command's event. ``message``: the progress message; "" until there is one.

    ``made``: when it was stored, in ms since the epoch.
    """

    id: str
    work: Work
    report: Report
    message: EventId = EventId("")
    made: int = 0


def written(work: Work) -> str:
    """Work as JSON."""
    return json.dumps({"kind": _KINDS[type(work)], **asdict(work)})


def read(text: str) -> Work:
    """Work out of the JSON that `written` made of it."""
    kept: dict[str, Any] = json.loads(text)
    if kept["kind"] == _KINDS[GroupJob]:
        return GroupJob(RoomId(kept["space"]), kept["slot"], _group(kept["wished"]), UserId(kept["by"]))
    if kept["kind"] == _KINDS[UpgradeJob]:
        return UpgradeJob(**{name: value for name, value in kept.items() if name != "kind"})
    return FoundingJob(_founding(kept["founding"]))


_KINDS: dict[type, str] = {FoundingJob: "founding", GroupJob: "group", UpgradeJob: "upgrade"}


def _founding(kept: dict[str, Any]) -> Founding:
    return Founding(
        id=kept["id"],
        name=kept["name"],
        owner=UserId(kept["owner"]),
        titles=Titles(**kept["titles"]),
        description=kept["description"],
        groups=tuple(_group(group) for group in kept["groups"]),
        settings=read_settings(kept["settings"]),
    )


def _group(kept: dict[str, Any]) -> WishedGroup:
    return WishedGroup(kept["name"], Visibility(kept["visibility"]), kept["topic"], kept["suggested"])

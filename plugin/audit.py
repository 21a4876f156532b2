"""The audit log: who did what, when, why and by which door; told in the admins' room and kept for the command `log`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from haven.errors import GiveUp
from haven.ids import RoomId, UserId
from haven.model import Community, Kind

from .replies import Replies
from .wording import Line, Term, Value, line, person


class Door(StrEnum):
    """How something was done."""

    COMMAND = "command"
    REACTION = "reaction"
    BY_HAND = "by_hand"
    TIMER = "timer"


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that was done. ``what`` names the phrase ``audit.<what>``, ``values`` fill it; ``at``: ms since the epoch.

    ``id``: made of the command, the reaction or the event, so that the same deed is kept once.
    """

    id: str
    space: RoomId
    who: UserId
    what: str
    door: Door
    at: int
    values: Mapping[str, str] = field(default_factory=dict)
    why: str = ""


class KeepsDeeds(Protocol):
    """Where deeds outlive us. Implemented by `plugin.store_audit.AuditStore`."""

    async def add_deed(self, deed: Deed) -> bool:
        """Keep a deed; false where it was kept before."""

    async def deeds(self, space: RoomId, last: int) -> tuple[Deed, ...]:
        """The last deeds in a community, the newest first."""


@dataclass(frozen=True, slots=True)
class Audit:
    """The log of all communities."""

    store: KeepsDeeds
    replies: Replies

    async def record(self, community: Community, done: Deed) -> None:
        """Keep what was done, and tell the admins. Raises `TryLater`."""
        await self.store.add_deed(done)
        admins = community.only(Kind.ADMINS)
        if admins is None:
            return
        try:
            await self.replies.tell(
                admins.room,
                community.settings.language,
                (deed_line(done),),
                f"audit.{community.space}.{done.id}",
            )
        except GiveUp:
            return


def deed_line(deed: Deed) -> Line:
    """One deed as people read it: what, and where somebody gave a reason, why."""
    values: dict[str, Value] = {name: _shown(value) for name, value in deed.values.items()}
    what = Term(f"audit.{deed.what}", {"who": person(deed.who), **values})
    by = Term(f"audit_door.{deed.door}")
    return (
        line("audit.with_reason", what=what, door=by, why=deed.why)
        if deed.why
        else line("audit.plain", what=what, door=by)
    )


def _shown(value: str) -> Value:
    return person(UserId(value)) if value.startswith("@") else value

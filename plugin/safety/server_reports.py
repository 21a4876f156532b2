"""Fetches what members report by their client's own button: the homeserver keeps that, and tells its administrators.

Only where the bot is one (``server_admin`` in its configuration) and the homeserver is a Synapse. How far we have come is remembered, so
that each report is taken once; those that were made before the bot came are nobody's affair here.
"""

import logging
from dataclasses import dataclass
from typing import Protocol

from haven.errors import GiveUp, HavenError, TryLater
from haven.ids import EventId, RoomId, UserId
from haven.ports import Content

from ..catchup import RemembersPlaces
from ..clock import Clock
from ..faults import reference_of
from ..service.run import pause
from .reports import Reports

log = logging.getLogger("haven.reports")

PLACE = "reports"
"""Under what name the last report that was taken is remembered."""

EVERY = 30.0
"""Seconds between two questions to the homeserver."""

REST = 24 * 3_600.0
"""Seconds after which a homeserver is asked again that did not want to tell."""

PAGES = 20
"""How many pages, of a hundred reports each, are read at most in one look."""


@dataclass(frozen=True, slots=True)
class Reported:
    """A report as the homeserver keeps it. ``id``: greater than those of earlier ones; ``by``: who reported the message."""

    id: int
    room: RoomId
    event: EventId
    by: UserId
    reason: str = ""


def reported(raw: Content) -> Reported:
    """A report as Synapse tells it."""
    number = raw.get("id")
    room, event, by, why = (str(raw.get(name) or "") for name in ("room_id", "event_id", "user_id", "reason"))
    return Reported(number if isinstance(number, int) else 0, RoomId(room), EventId(event), UserId(by), why)


class TellsReports(Protocol):
    """``GET /_synapse/admin/v1/event_reports`` (Synapse's admin API)."""

    async def event_reports(self, start: int) -> tuple[tuple[Reported, ...], int]:
        """A page of reports, the newest first, and where the next begins, 0 where there is none.

        Raises `Refused` where we are no administrator, `Missing` or `Invalid` where the homeserver knows no such thing.
        """


@dataclass(slots=True)
class ServerReports:
    """Asks the homeserver now and then. ``able``: whether it is asked, and has not refused to tell."""

    homeserver: TellsReports
    reports: Reports
    memory: RemembersPlaces
    clock: Clock
    able: bool = False

    async def run(self) -> None:
        """Ask until cancelled."""
        attempt, self.able = 0, True
        while True:
            wait = EVERY
            try:
                await self.look()
                attempt, self.able = 0, True
            except TryLater as later:
                wait = max(EVERY, pause(later, attempt))
                attempt += 1
            except GiveUp as error:
                wait, self.able = REST, False
                log.warning("the homeserver does not tell what was reported by clients: %s", error)
            except Exception as error:
                reference_of(log, error, "asking for reports")
            await self.clock.wait(wait)

    async def look(self) -> None:
        """Take what was reported since the last look, the oldest first. Raises as `TellsReports.event_reports`, `TryLater`."""
        before = await self.memory.recall(PLACE)
        if not before:
            newest, _ = await self.homeserver.event_reports(0)
            await self._came_to(max((each.id for each in newest), default=0))
            return
        for each in await self._since(int(before)):
            try:
                await self.reports.take_from_server(each.room, each.event, each.by, str(each.id), each.reason)
            except TryLater:
                raise
            except HavenError as error:
                log.info("a report could not be taken: %s", error)
            await self._came_to(each.id)

    async def _came_to(self, report: int) -> None:
        await self.memory.keep(PLACE, str(report))

    async def _since(self, last: int) -> list[Reported]:
        found: dict[int, Reported] = {}
        start = 0
        for _ in range(PAGES):
            page, start = await self.homeserver.event_reports(start)
            found |= {each.id: each for each in page if each.id > last}
            if not start or any(each.id <= last for each in page):
                break
        return [found[each] for each in sorted(found)]

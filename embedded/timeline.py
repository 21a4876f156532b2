"""What one person's client has seen: everything since it first synced, in the order of the homeserver."""

import asyncio
import json
from collections.abc import Callable
from typing import TypeVar

from embedded.matrix import Account, Event, Json, path
from embedded.waiting import NeverHappened

T = TypeVar("T")

_FILTER = json.dumps(
    {
        "presence": {"types": []},
        "account_data": {"types": []},
        "room": {"timeline": {"limit": 500}, "ephemeral": {"types": []}, "account_data": {"types": []}},
    }
)
_POLL = 2.0
"""Seconds one /sync waits for news; short, so that closing never hangs for long."""


class Timeline:
    """The events of all rooms that a person is in, and the invitations, kept up by /sync whenever somebody waits."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._since: str | None = None
        self._events: dict[str, list[Event]] = {}
        self._invites: dict[str, list[Event]] = {}
        self._syncing = asyncio.Lock()

    def seen(self, room: str) -> list[Event]:
        """The events of a room that arrived so far, oldest first."""
        return list(self._events.get(room, []))

    @property
    def invites(self) -> dict[str, list[Event]]:
        """The rooms that the person is invited to, with what may be seen of them (stripped state)."""
        return dict(self._invites)

    async def sync(self, wait: float = 0) -> None:
        """Fetches what is new, waiting up to that many seconds for anything."""
        async with self._syncing:
            query = {"timeout": str(int(wait * 1000)), "filter": _FILTER}
            if self._since is not None:
                query["since"] = self._since
            answer = await self._account.request("GET", path("sync"), query=query)
            self._take(answer.get("rooms", {}))
            self._since = answer["next_batch"]

    def _take(self, rooms: Json) -> None:
        for kind in ("join", "leave"):
            for room, news in rooms.get(kind, {}).items():
                self._invites.pop(room, None)
                arrived = [Event.of(raw, room) for raw in news.get("timeline", {}).get("events", [])]
                self._events.setdefault(room, []).extend(arrived)
        for room, news in rooms.get("invite", {}).items():
            self._invites[room] = [Event.of(raw, room) for raw in news["invite_state"]["events"]]

    async def wait_for(
        self, room: str, fits: Callable[[Event], bool], *, after: str | None, timeout: float
    ) -> Event:
        """The first event in a room (after another one) that fits, seen already or still to come."""

        def found() -> Event | None:
            events = self._events.get(room, [])
            if after is not None:
                ids = [event.id for event in events]
                events = events[ids.index(after) + 1 :] if after in ids else []
            return next((event for event in events if fits(event)), None)

        return await self._until(found, f"an event that fits in {room}", timeout)

    async def wait_for_invite(self, room: str | None, timeout: float) -> str:
        """Waits for an invitation; the room's id."""

        def found() -> str | None:
            return next((each for each in self._invites if room in (None, each)), None)

        return await self._until(found, f"an invitation for {self._account.user_id}", timeout)

    async def _until(self, found: Callable[[], T | None], what: str, timeout: float) -> T:
        deadline = asyncio.get_running_loop().time() + timeout
        while (answer := found()) is None:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                raise NeverHappened(f"within {timeout:.0f} s did not happen: {what}")
            await self.sync(min(_POLL, left) if self._since else 0)
        return answer

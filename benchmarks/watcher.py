"""Sees what arrives in Matrix rooms, and when: one person's client that asks for news without a pause."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

from embedded.matrix import Event, Json, path
from embedded.person import Person
from embedded.waiting import PATIENCE, NeverHappened

T = TypeVar("T")

_FILTER = json.dumps(
    {
        "presence": {"types": []},
        "account_data": {"types": []},
        "room": {
            "timeline": {"limit": 1000, "types": ["m.room.message"]},
            "state": {"types": []},
            "ephemeral": {"types": []},
            "account_data": {"types": []},
        },
    }
)
_POLL_MS = 10_000


@dataclass(frozen=True, slots=True)
class Seen:
    """A message and when it came (seconds, `time.perf_counter`)."""

    event: Event
    at: float

    @property
    def lines(self) -> list[str]:
        """The lines of its text: a bridge that merges messages makes several of them one event."""
        return self.event.body.split("\n")


class Watcher:
    """Watches all rooms of a person, from when it is entered. Async context manager."""

    def __init__(self, person: Person) -> None:
        self._account = person.account
        self._rooms: dict[str, list[Seen]] = {}
        self._news = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    def seen(self, room: str, *, after: int = 0) -> list[Seen]:
        """The messages of a room so far, in the homeserver's order; `after` skips as many (see `mark`)."""
        return self._rooms.get(room, [])[after:]

    def lines(self, room: str, *, after: int = 0) -> list[str]:
        """The lines of all those messages."""
        return [line for seen in self.seen(room, after=after) for line in seen.lines]

    def mark(self, room: str) -> int:
        """How many messages of a room were seen."""
        return len(self._rooms.get(room, []))

    async def wait_for(self, room: str, text: str, *, after: int = 0, patience: float = PATIENCE) -> Seen:
        """The first message with that text as one of its lines, seen already or still to come."""

        def found() -> Seen | None:
            return next((seen for seen in self.seen(room, after=after) if text in seen.lines), None)

        return await self._until(found, f"a message in {room}", patience)

    async def wait_for_lines(
        self, room: str, texts: frozenset[str], *, after: int, patience: float
    ) -> float | None:
        """Waits until all these lines were seen; when the last of them came, None when not all came in time."""

        def found() -> float | None:
            missing = set(texts)
            for seen in self.seen(room, after=after):
                missing.difference_update(seen.lines)
                if not missing:
                    return seen.at
            return None

        try:
            return await self._until(found, "all lines", patience)
        except NeverHappened:
            return None

    async def _until(self, found: Callable[[], T | None], what: str, patience: float) -> T:
        try:
            async with asyncio.timeout(patience), self._news:
                while (answer := found()) is None:
                    if self._task is None or self._task.done():
                        raise NeverHappened("nobody watches any more")
                    await self._news.wait()
                return answer
        except TimeoutError:
            raise NeverHappened(f"within {patience:.0f} s did not come: {what}") from None

    async def _watch(self) -> None:
        try:
            since = await self._ask(None)
            while True:
                since = await self._ask(since)
        finally:
            async with self._news:
                self._news.notify_all()

    async def _ask(self, since: str | None) -> str:
        query = {
            "filter": _FILTER,
            "timeout": str(_POLL_MS if since else 0),
            **({"since": since} if since else {}),
        }
        answer = await self._account.request("GET", path("sync"), query=query)
        at = time.perf_counter()
        async with self._news:
            self._take(answer.get("rooms", {}).get("join", {}), at)
            self._news.notify_all()
        return str(answer["next_batch"])

    def _take(self, rooms: Json, at: float) -> None:
        for room, news in rooms.items():
            timeline = news.get("timeline", {})
            if timeline.get("limited") and room in self._rooms:
                raise NeverHappened(f"the homeserver left messages of {room} out")
            events = [Event.of(raw, room) for raw in timeline.get("events", [])]
            self._rooms.setdefault(room, []).extend(Seen(event, at) for event in events)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

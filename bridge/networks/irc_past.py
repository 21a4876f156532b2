"""What a server remembers of its channels (draft/chathistory): what was said while we were away, and whether a message of ours arrived.

Source: https://ircv3.net/specs/extensions/chathistory. The lines come back as ``irc_facts.Remembered``; a PING behind each question tells that the
answer is complete, also from servers that answer nothing.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from haven.errors import Missing
from haven.ids import ChatId, RemoteMessageId

from .base import Place
from .events import ChatEvent
from .irc_connection import IrcConnection
from .irc_facts import NoHistory, Remembered
from .irc_pace import Pace

PAGE = 100
"""Lines asked for at once, where the server allows as many."""
_MOST_PAGES = 500
_FAR_BACK = 10
"""Pages that are read to find a message of ours."""
_SLACK = 10_000
"""Milliseconds by which we begin too early where we know a time of our own clock only; what comes again has the id it had."""
_OLDER = 60_000
"""Milliseconds by which a line must be older than a message of ours, to be surely older: clocks differ."""


class Past:
    """Questions about the past over one connection, one at a time."""

    def __init__(self, connection: IrcConnection, pace: Pace) -> None:
        self._connection = connection
        self._pace = pace
        self._turn = asyncio.Lock()
        self._page: list[Remembered] = []
        self._refused = False

    def heard(self, fact: Remembered | NoHistory) -> None:
        """A line of an answer came, or a refusal."""
        if isinstance(fact, NoHistory):
            self._refused = True
        elif self._turn.locked():  # some servers tell of the past unasked
            self._page.append(fact)

    async def since(self, chat: ChatId, place: Place) -> AsyncIterator[ChatEvent]:
        """What others said after ``place``, in order. ``Unreachable`` when the connection is lost before all was told."""
        reference = _reference(place)
        for _ in range(_MOST_PAGES):
            page = await self._ask(f"AFTER {chat} {reference}")
            if page is None and reference.startswith("msgid="):
                reference = _timestamp(place.at)  # it has forgotten that one, or knows times only
                continue
            if not page:
                return
            for line in page:
                if line.event is not None:
                    yield line.event
            latest = _reference_of(page[-1])
            if latest is None or latest == reference:
                return
            reference = latest

    async def find(self, chat: ChatId, mark: str, at: int | None = None) -> RemoteMessageId | None:
        """The id of our line with ``mark``, written at ``at`` (milliseconds, our clock) if that is known; ``None`` where the server does not tell.

        ``Missing`` where it did not arrive, as far as the last thousand lines say; ``Unreachable`` when the connection is lost.
        """
        question = f"LATEST {chat} *"
        for _ in range(_FAR_BACK):
            page = await self._ask(question)
            if page is None:
                return None
            found = next((line for line in page if line.mark == mark), None)
            if found is not None:
                return found.id
            oldest = page[0] if page else None
            earlier = _reference_of(oldest) if oldest is not None and len(page) >= self._size() else None
            if earlier is None or (at and oldest and oldest.at and oldest.at < at - _OLDER):
                break
            question = f"BEFORE {chat} {earlier}"
        raise Missing("network_too_late")

    async def _ask(self, question: str) -> list[Remembered] | None:
        """The lines of the answer; ``None`` where the server refuses."""
        async with self._turn:
            await self._pace.wait()
            self._page, self._refused = [], False
            self._connection.send(f"CHATHISTORY {question} {self._size()}")
            await self._connection.barrier()
            return None if self._refused else self._page

    def _size(self) -> int:
        return min(self._connection.features.history or PAGE, PAGE)


def _reference(place: Place) -> str:
    """How to name ``place`` to the server: ids that we made ourselves mean nothing to it."""
    own = place.id.startswith("~") or any(char.isspace() for char in place.id)
    return _timestamp(place.at - _SLACK) if own else f"msgid={place.id}"


def _reference_of(line: Remembered) -> str | None:
    if line.id is not None:
        return f"msgid={line.id}"
    return _timestamp(line.at) if line.at is not None else None


def _timestamp(at: int) -> str:
    """Milliseconds since 1970 as the server writes them."""
    moment = datetime.fromtimestamp(max(at, 0) / 1000, UTC)
    return f"timestamp={moment.isoformat(timespec='milliseconds').replace('+00:00', 'Z')}"

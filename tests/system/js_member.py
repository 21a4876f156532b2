"""Somebody whose client is made of matrix-js-sdk: one node process each (js/member.mjs), driven over its standard input and output."""

import asyncio
import contextlib
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from embedded.matrix import Event, Json, MatrixRefused
from embedded.places import node_packages
from embedded.waiting import PATIENCE, NeverHappened
from scripts.node_packages import is_current

PROGRAM = Path(__file__).with_name("js") / "member.mjs"
LINE = 16 * 2**20
"""Bytes of the longest line that the program may write."""


@dataclass
class JsMember:
    """One person. What they do is done by the SDK; a refusal of the homeserver is a `MatrixRefused`, as with `Person`."""

    process: Process
    user_id: str = ""
    events: list[Event] = field(default_factory=list)
    """All that came by /sync, in order."""
    memberships: dict[str, str] = field(default_factory=dict)
    """What the SDK says of the rooms of this person: `join`, `invite`, `knock`, `leave` or `ban`."""
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _answers: dict[int, Json] = field(default_factory=dict)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _ended: bool = False

    async def listen(self) -> None:
        """Takes in what the program tells, until it ends."""
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            async with self._news:
                self._take(json.loads(line))
                self._news.notify_all()
        async with self._news:
            self._ended = True
            self._news.notify_all()

    def _take(self, told: Json) -> None:
        if "event" in told:
            self.events.append(Event.of(told["event"], told["room"]))
        elif "membership" in told:
            self.memberships[told["room"]] = told["membership"]
        else:
            self._answers[told["id"]] = told

    async def _until(self, happened: Callable[[], bool], what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE), self._news:
                await self._news.wait_for(lambda: happened() or self._ended)
        except TimeoutError:
            raise NeverHappened(f"within {PATIENCE:.0f} s did not happen: {what}") from None
        if not happened():
            raise NeverHappened(f"the client ended before this happened: {what}")

    async def answer(self, number: int) -> Any:
        """What the program answers to the request of that number; 0: that it is signed in."""
        await self._until(lambda: number in self._answers, f"an answer to request {number}")
        told = self._answers.pop(number)
        if refused := told.get("refused"):
            raise MatrixRefused(refused["status"], refused["errcode"], refused["message"])
        return told["answer"]

    async def do(self, what: str, **words: object) -> Any:
        """Does one of the things that member.mjs is able to, and gives what came of it."""
        number = next(self._numbers)
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"id": number, "do": what, **words}).encode() + b"\n")
        await self.process.stdin.drain()
        return await self.answer(number)

    async def event(self, room: str, fits: Callable[[Event], bool]) -> Event:
        """The first event of a room that fits, among those seen so far or still to come."""

        def found() -> list[Event]:
            return [event for event in self.events if event.room == room and fits(event)]

        await self._until(lambda: bool(found()), f"an event that fits in {room}")
        return found()[0]

    async def becomes(self, room: str, membership: str) -> None:
        """Waits until the SDK says that this person is that in a room."""
        await self._until(lambda: self.memberships.get(room) == membership, f"{membership} in {room}")


@asynccontextmanager
async def js_member(homeserver: str, name: str, password: str, log: Path) -> AsyncIterator[JsMember]:
    """Somebody signed in and in sync. `log`: what the SDK has to say. Skips the test where the SDK is not installed."""
    if not is_current():
        pytest.skip("matrix-js-sdk is not installed (python -m scripts.node_packages)")
    words = ("node", PROGRAM, node_packages(), homeserver, name, password)
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *words, stdin=PIPE, stdout=PIPE, stderr=errors, limit=LINE
        )
    member = JsMember(process)
    listening = asyncio.create_task(member.listen())
    try:
        member.user_id = await member.answer(0)
        yield member
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await listening

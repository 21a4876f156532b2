"""How an adapter tells of trouble: every failure of the wire becomes one of our errors, at once, and nothing is logged.

Inherit `TroubleContract` and give it a ``homeserver`` fixture: the adapter, asking at ``wire.url``.
"""

import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import pytest
from aiohttp import web

from embedded.ports import HOST
from haven.errors import HavenError, Invalid, Missing, RateLimited, Refused, Unreachable
from haven.ids import RoomId, RoomVersion, UserId
from haven.ports import Content, Homeserver, NewRoom

ROOM: Final = RoomId("!room:haven.test")
SECRET: Final[Content] = {"msgtype": "m.text", "body": "what nobody may read in a log"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the wire answers: JSON, or any text. Status 0 is no answer at all, the connection breaks."""

    status: int
    text: str = "{}"
    headers: dict[str, str] = field(default_factory=dict)


class Wire:
    """An HTTP server that answers what it was told, and remembers how often it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.asked = 0
        self.heard: list[tuple[str, str]] = []
        """The path and the body of each request."""
        self.answers: deque[Answer] = deque()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The next answer; a gateway's trouble where there is none."""
        self.asked += 1
        self.heard.append((request.path, await request.text()))
        answer = self.answers.popleft() if self.answers else Answer(502, "<html>")
        if answer.status == 0 and request.transport is not None:
            request.transport.abort()
        return web.Response(
            status=answer.status or 500,
            text=answer.text,
            content_type="application/json",
            headers=answer.headers,
        )


def error(code: str, **more: object) -> str:
    """The body of a standard error (spec: standard error response)."""
    return json.dumps({"errcode": code, "error": "what nobody may read in a log", **more})


class TroubleContract:
    """Every port goes the same way, so a few stand for all."""

    @pytest.fixture
    async def wire(self) -> AsyncIterator[Wire]:
        """The other end."""
        wire = Wire()
        app = web.Application()
        app.router.add_route("*", "/{anything:.*}", wire.answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, HOST, 0)
        await site.start()
        wire.url = f"http://{HOST}:{runner.addresses[0][1]}"
        yield wire
        await runner.cleanup()

    async def test_told_to_wait(self, wire: Wire, homeserver: Homeserver) -> None:
        wire.answers.append(Answer(429, error("M_LIMIT_EXCEEDED", retry_after_ms=1500)))
        with pytest.raises(RateLimited) as told:
            await homeserver.send_message(ROOM, "m.room.message", SECRET, "t")
        assert told.value.after == 1.5
        assert "nobody may read" not in f"{told.value} {told.value.values}"
        assert wire.asked == 1

    async def test_told_to_wait_and_not_how_long(self, wire: Wire, homeserver: Homeserver) -> None:
        wire.answers.append(Answer(429, error("M_LIMIT_EXCEEDED")))
        with pytest.raises(RateLimited) as told:
            await homeserver.join(ROOM)
        assert told.value.after is not None
        assert told.value.after > 0

    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            (Answer(400, error("M_BAD_JSON")), Invalid),
            (Answer(413, error("M_TOO_LARGE")), Invalid),
            (Answer(401, error("M_UNKNOWN_TOKEN")), Unreachable),
            (Answer(403, error("M_FORBIDDEN")), Refused),
            (Answer(403, "<html>"), Refused),
            (Answer(404, error("M_NOT_FOUND")), Missing),
            (Answer(500, error("M_UNKNOWN")), Unreachable),
            (Answer(502, "<html>"), Unreachable),
            (Answer(504, ""), Unreachable),
            (Answer(0), Unreachable),
        ],
        ids=lambda value: str(value.status) if isinstance(value, Answer) else "",
    )
    async def test_each_failure_has_its_error(
        self, wire: Wire, homeserver: Homeserver, answer: Answer, expected: type[HavenError]
    ) -> None:
        asks: tuple[Callable[[], Awaitable[object]], ...] = (
            lambda: homeserver.send_message(ROOM, "m.room.message", SECRET, "t"),
            lambda: homeserver.send_state(ROOM, "m.room.topic", "", {"topic": "x"}),
            lambda: homeserver.state_content(ROOM, "m.room.topic"),
            lambda: homeserver.room_state(ROOM),
            lambda: homeserver.invite(ROOM, UserId("@ben:haven.test")),
            lambda: homeserver.hierarchy(ROOM),
            homeserver.joined_rooms,
        )
        for ask in asks:
            before = wire.asked
            wire.answers.append(answer)
            with pytest.raises(expected):
                await ask()
            # aiohttp itself asks once more where a kept connection breaks and asking twice does no harm.
            assert wire.asked - before <= (1 if answer.status else 2)

    async def test_an_answer_that_is_none_is_a_proxys_trouble(
        self, wire: Wire, homeserver: Homeserver
    ) -> None:
        asks: tuple[Callable[[], Awaitable[object]], ...] = (
            lambda: homeserver.create_room(NewRoom("A room", RoomVersion("12"))),
            lambda: homeserver.send_message(ROOM, "m.room.message", SECRET, "t"),
            lambda: homeserver.state_content(ROOM, "m.room.topic"),
            lambda: homeserver.room_state(ROOM),
            lambda: homeserver.hierarchy(ROOM),
            homeserver.joined_rooms,
        )
        for ask in asks:
            wire.answers.append(Answer(200, "<html>please log in</html>"))
            with pytest.raises(Unreachable):
                await ask()

    async def test_nothing_is_logged(
        self, wire: Wire, homeserver: Homeserver, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG")
        for status in (200, 403, 429, 500):
            wire.answers.append(Answer(status, error("M_UNKNOWN", event_id="$sent")))
            with suppress(HavenError):
                await homeserver.send_message(ROOM, "m.room.message", SECRET, "t")
        assert "nobody may read" not in caplog.text

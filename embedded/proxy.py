"""A reverse proxy before a homeserver: it counts what is asked, and can fail in every way that networks and servers fail.

For tests with kill points (end a process when its Nth request arrives, or when the answer to it is ready) and for benchmarks.
"""

import asyncio
import io
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import unquote

import aiohttp
from aiohttp import web
from yarl import URL

from embedded.ports import HOST, free_port

_HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "host",
    "content-length",
}
_MATRIX_ID = re.compile(r"[!@#$].+")
_AFTER = {"join": "{room}", "knock": "{room}", "event": "{event}", "redact": "{event}", "profile": "{user}"}


def route(path: str) -> str:
    """The template of a path: ids and transaction ids become words in braces; event types stay.

    `/_matrix/client/v3/rooms/!x/send/m.room.message/7` is `/rooms/{room}/send/m.room.message/{txn}`.
    """
    raw = re.sub(r"^/_matrix/client/(?:v\d+|r0|unstable)", "", path).split("/")
    segments = [unquote(segment) for segment in raw]
    template: list[str] = []
    for place, segment in enumerate(segments):
        before = segments[place - 1] if place else ""
        sent = len(segments) > 3 and segments[3] in {"send", "redact"} and place == 5
        if sent:
            template.append("{txn}")
        elif before == "rooms":
            template.append("{room}")
        elif before in _AFTER and segment:
            template.append(_AFTER[before])
        else:
            template.append("{id}" if _MATRIX_ID.fullmatch(segment) else segment)
    return "/".join(template)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came: `number` counts from 1; `user` is whom an appservice speaks for, "" otherwise."""

    number: int
    method: str
    path: str
    query: Mapping[str, str]
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    raw_query: str = field(default="", repr=False)

    @property
    def route(self) -> str:
        """The path with ids replaced, see `route`."""
        return route(self.path)

    @property
    def user(self) -> str:
        """Whom an appservice speaks for (`user_id` of the query)."""
        return self.query.get("user_id", "")


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer: the homeserver's, or one that a hook gives instead.

    ``cut``: the connection is closed after so many bytes of the body, though more were promised. ``seconds``: over which
    the body is spread, in a few pieces.
    """

    status: int
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    seconds: float = 0.0


class Drop(Exception):
    """Raised by a hook: the connection is closed without an answer."""


PIECES = 4
"""Into how many pieces a slow body falls."""

Before = Callable[[Asked], Awaitable[Answered | None]]
"""Called before a request is passed on; an answer given here is sent instead, and the homeserver never hears of it."""

After = Callable[[Asked, Answered], Awaitable[Answered | None]]
"""Called when the homeserver has answered (so has committed), before the asker gets it; may answer otherwise."""


class Proxy:
    """A proxy on a free port of 127.0.0.1. Set `before` and `after` at any time; both may wait, raise Drop, or kill somebody.

    Usable as an async context manager.
    """

    def __init__(self, upstream: str, *, before: Before | None = None, after: After | None = None) -> None:
        self.upstream = upstream
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.before = before
        self.after = after
        self.asked: list[Asked] = []
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        """How often each method and route was asked for, /sync included."""
        return Counter((each.method, each.route) for each in self.asked)

    def forget(self) -> None:
        """Counts from nothing again."""
        self.asked.clear()

    async def start(self) -> None:
        """Opens the port."""
        application = web.Application(client_max_size=256 * 1024 * 1024)
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
        )
        self._runner = web.AppRunner(
            application, access_log=None, shutdown_timeout=0.1, handler_cancellation=True
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self.port).start()

    async def aclose(self) -> None:
        """Closes the port and all connections."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
        asked = Asked(
            len(self.asked) + 1,
            request.method,
            request.rel_url.raw_path,
            dict(request.query),
            body,
            headers,
            request.rel_url.raw_query_string,
        )
        self.asked.append(asked)
        try:
            answer = await self._answer(asked)
            if answer.cut is not None or answer.seconds:
                return await _poured(request, answer)
        except (Drop, aiohttp.ClientConnectionError):
            if request.transport is not None:
                request.transport.abort()
            raise asyncio.CancelledError from None
        return web.Response(status=answer.status, body=answer.body, headers=dict(answer.headers))

    async def _answer(self, asked: Asked) -> Answered:
        if self.before is not None and (instead := await self.before(asked)) is not None:
            return instead
        answer = await self.forward(asked)
        if self.after is not None and (instead := await self.after(asked, answer)) is not None:
            return instead
        return answer

    async def forward(self, asked: Asked) -> Answered:
        """Passes a request on and gives the answer; a hook may do so once more than the asker did.

        Raises Drop or aiohttp's ClientConnectionError where nobody answers.
        """
        if self._session is None:
            raise Drop
        query = f"?{asked.raw_query}" if asked.raw_query else ""
        async with self._session.request(
            asked.method,
            URL(f"{self.upstream}{asked.path}{query}", encoded=True),
            data=io.BytesIO(asked.body) if asked.body else None,
            headers=asked.headers,
            allow_redirects=False,
        ) as answer:
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP}
            return Answered(answer.status, await answer.read(), kept)


async def _poured(request: web.Request, answer: Answered) -> web.StreamResponse:
    """Sends a body slowly, or only the beginning of it; ends with Drop where it was cut."""
    response = web.StreamResponse(status=answer.status, headers=dict(answer.headers))
    response.content_length = len(answer.body)
    await response.prepare(request)
    end = len(answer.body) if answer.cut is None else min(answer.cut, len(answer.body) - 1)
    step = max(1, -(-end // PIECES))
    for start in range(0, end, step):
        await asyncio.sleep(answer.seconds / PIECES)
        await response.write(answer.body[start : min(end, start + step)])
    if answer.cut is not None:
        raise Drop
    await response.write_eof()
    return response


def rate_limited(seconds: float) -> Answered:
    """429 as a homeserver says it."""
    body = (
        f'{{"errcode":"M_LIMIT_EXCEEDED","error":"Too Many Requests","retry_after_ms":{int(seconds * 1000)}}}'
    )
    headers = {"Content-Type": "application/json", "Retry-After": str(max(1, round(seconds)))}
    return Answered(429, body.encode(), headers)


def broken(status: int = 502) -> Answered:
    """An error of a server or a gateway before it."""
    return Answered(status, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"})

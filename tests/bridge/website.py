"""A web server on loopback, as strangers have one: it gives what it is told to, whole or not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Website:
    """A server on loopback that answers as it is told. ``cut``: how much of ``body`` it really sends."""

    port: int = 0
    status: int = 200
    body: bytes = b"\x89PNG something"
    cut: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[web.Request] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        if self.cut is None:
            headers = {"Content-Type": "image/png", **self.headers}
            return web.Response(status=self.status, body=self.body, headers=headers)
        response = web.StreamResponse(headers={"Content-Length": str(len(self.body))})
        await response.prepare(request)
        await response.write(self.body[: self.cut])
        assert request.transport is not None
        request.transport.close()
        return response


@asynccontextmanager
async def a_website() -> AsyncIterator[Website]:
    """One that runs."""
    website = Website()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", website.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    website.port = int(runner.addresses[0][1])
    yield website
    await runner.cleanup()

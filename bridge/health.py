"""How the bridge is, for machines: ``/health``, ``/ready`` and ``/metrics``. They need no token and say nothing personal."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from .metrics import CONTENT_TYPE, Figures, Metrics


def health_routes(figures: Callable[[], Awaitable[Figures]], metrics: Metrics) -> list[web.RouteDef]:
    """The three routes. ``figures`` raises ``TryLater`` where the database does not answer: then we are not
    healthy.
    """

    async def health(_request: web.Request) -> web.Response:
        await figures()
        return web.json_response({"ok": True})

    async def ready(_request: web.Request) -> web.Response:
        now = await figures()
        return web.json_response({"ready": now.ready}, status=200 if now.ready else 503)

    async def show(_request: web.Request) -> web.Response:
        return web.Response(body=metrics.text(await figures()), headers={"Content-Type": CONTENT_TYPE})

    return [web.get("/health", health), web.get("/ready", ready), web.get("/metrics", show)]

"""How the bridge is, for machines: ``/health``, ``/ready`` and ``/metrics``. Nothing personal: labels are
networks and states only.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass

from aiohttp import web

from haven.ids import Network


@dataclass(frozen=True, slots=True)
class Figures:
    """What can be counted at a moment. ``links``: by state; ``networks``: whether each is connected."""

    ready: bool
    waiting: int
    aside: int
    links: Mapping[str, int]
    refused_rooms: int
    networks: Mapping[Network, bool]


def health_routes(figures: Callable[[], Awaitable[Figures]]) -> list[web.RouteDef]:
    """The three routes. ``figures`` raises ``TryLater`` where the database does not answer: then we are not
    healthy.
    """

    async def health(_request: web.Request) -> web.Response:
        await figures()
        return web.json_response({"ok": True})

    async def ready(_request: web.Request) -> web.Response:
        now = await figures()
        return web.json_response({"ready": now.ready}, status=200 if now.ready else 503)

    async def metrics(_request: web.Request) -> web.Response:
        text = "".join(f"{line}\n" for line in _exposition(await figures()))
        return web.Response(text=text, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    return [web.get("/health", health), web.get("/ready", ready), web.get("/metrics", metrics)]


def _exposition(figures: Figures) -> Iterator[str]:
    """The text format of Prometheus, version 0.0.4. Labels are words of ours and short names of networks:
    nothing to escape.
    """
    yield from _gauge("ready", "1 when the links are known.", {"": figures.ready})
    yield from _gauge("inbox_waiting", "Messages accepted and not yet carried over.", {"": figures.waiting})
    yield from _gauge("inbox_aside", "Messages that could not be carried over.", {"": figures.aside})
    yield from _gauge("rooms_refused", "Rooms that do not let us say the state.", {"": figures.refused_rooms})
    links = {f'{{state="{state}"}}': number for state, number in figures.links.items()}
    yield from _gauge("links", "Links by state.", links)
    networks = {f'{{network="{name}"}}': connected for name, connected in figures.networks.items()}
    yield from _gauge("network_connected", "1 when the network is connected.", networks)


def _gauge(name: str, about: str, values: Mapping[str, int]) -> Iterator[str]:
    yield f"# HELP haven_bridge_{name} {about}"
    yield f"# TYPE haven_bridge_{name} gauge"
    for labels, value in values.items():
        yield f"haven_bridge_{name}{labels} {int(value)}"

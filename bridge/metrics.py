"""What is counted for Prometheus. Nothing personal: labels are names of networks, directions, states and kinds of requests."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from aiohttp import web
from aiohttp.typedefs import Middleware
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from haven.ids import Network

from .links import way_of
from .store import Item, Pair, now_ms

P = ParamSpec("P")
R = TypeVar("R")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Of the text that ``Metrics.text`` gives."""

LAGS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600, 21600, 86400)
"""Seconds from acceptance to the other side: from at once to a night's outage."""

PREFIX = "haven_bridge_"
PUSHED = "/_matrix/app/v1/"
WAY = ("network", "direction")
OUTCOMES = ("carried", "linked", "said")
"""What becomes of a file: the other side has it, or a link to it, or a line of words."""

disable_created_metrics()  # type: ignore[no-untyped-call]  # the library says no types here; when a counter began is of no use to us, and doubles the page


@dataclass(frozen=True, slots=True)
class Figures:
    """What can be counted at a moment. ``links``: by state; ``networks``: whether each is connected."""

    ready: bool
    waiting: int
    aside: int
    links: Mapping[str, int]
    refused_rooms: int
    networks: Mapping[Network, bool]


class Metrics:
    """All counters of one bridge, in a registry of their own."""

    def __init__(self, networks: Iterable[Network] = ()) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(namespace=PREFIX.strip("_"), registry=self._registry)
        self._carried = self._counter("carried", "Messages carried to the other side.", WAY)
        self._failed = self._counter("failed", "Messages set aside, since they always failed.", WAY)
        self._retried = self._counter("retried", "Tries that failed and come again.", WAY)
        self._files = self._counter("files", "What became of files.", (*WAY, "outcome"))
        self._requests = self._counter("requests", "What the homeserver asked.", ("kind", "status"))
        about = "Seconds from the acceptance of a message to the other side."
        self._lag = Histogram(f"{PREFIX}lag_seconds", about, WAY, registry=self._registry, buckets=LAGS)
        self._ready = self._gauge("ready", "1 when the links are known.")
        self._waiting = self._gauge("inbox_waiting", "Messages accepted and not yet carried over.")
        self._aside = self._gauge("inbox_aside", "Messages that could not be carried over.")
        self._refused = self._gauge("rooms_refused", "Rooms that do not let us say the state.")
        self._links = self._gauge("links", "Links by state.", ("state",))
        self._connected = self._gauge("network_connected", "1 when the network is connected.", ("network",))
        self._begin(networks)

    def _begin(self, networks: Iterable[Network]) -> None:
        """Counters begin at nought, not when something first happens: else the first is never seen to happen."""
        for network in networks:
            for direction in ("in", "out"):
                for metric in (self._carried, self._failed, self._retried, self._lag):
                    metric.labels(network, direction)
                for outcome in OUTCOMES:
                    self._files.labels(network, direction, outcome)

    def _counter(self, name: str, about: str, labels: Sequence[str]) -> Counter:
        return Counter(f"{PREFIX}{name}", about, labels, registry=self._registry)

    def _gauge(self, name: str, about: str, labels: Sequence[str] = ()) -> Gauge:
        return Gauge(f"{PREFIX}{name}", about, labels, registry=self._registry)

    def text(self, figures: Figures) -> bytes:
        """Everything, in Prometheus' text format 0.0.4."""
        self._ready.set(figures.ready)
        self._waiting.set(figures.waiting)
        self._aside.set(figures.aside)
        self._refused.set(figures.refused_rooms)
        self._links.clear()
        for state, number in figures.links.items():
            self._links.labels(state).set(number)
        for network, connected in figures.networks.items():
            self._connected.labels(network).set(connected)
        return generate_latest(self._registry)

    # --- what becomes of messages ---------------------------------------------------------------------------

    def counting(
        self, handle: Callable[[Item], Awaitable[Sequence[Pair]]]
    ) -> Callable[[Item], Awaitable[Sequence[Pair]]]:
        """The same handler of items, counted."""

        async def counted(item: Item) -> Sequence[Pair]:
            way = way_of(item.lane)
            try:
                pairs = await handle(item)
            except Exception:
                if way is not None:
                    self._retried.labels(*way).inc()
                raise
            if way is not None:
                self._carried.labels(*way).inc()
                if item.arrived:
                    self._lag.labels(*way).observe(max(0, now_ms() - item.arrived) / 1000)
            return pairs

        return counted

    def file(self, network: Network, direction: str, outcome: str) -> None:
        """Something became of a file: one of ``OUTCOMES``."""
        self._files.labels(network, direction, outcome).inc()

    def failing(self, tell: Callable[P, R]) -> Callable[P, R]:
        """The same teller of items that are set aside (each its first argument), counted."""

        def counted(*arguments: P.args, **more: P.kwargs) -> R:
            item = arguments[0]
            way = way_of(item.lane) if isinstance(item, Item) else None
            if way is not None:
                self._failed.labels(*way).inc()
            return tell(*arguments, **more)

        return counted

    # --- what the homeserver asks ---------------------------------------------------------------------------

    def watching(self) -> Middleware:
        """A middleware that counts the homeserver's requests by kind and status."""

        @web.middleware
        async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                response = await handler(request)
            except web.HTTPException as error:
                self._note(request, error.status)
                raise
            self._note(request, response.status)
            return response

        return watch

    def _note(self, request: web.Request, status: int) -> None:
        resource = request.match_info.route.resource
        # The template, never the path: a path names transactions and people.
        template = resource.canonical if resource is not None else ""
        if template.startswith(PUSHED):
            self._requests.labels(template.removeprefix(PUSHED).split("/")[0], str(status)).inc()

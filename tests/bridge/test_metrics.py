"""What Prometheus is told: what was carried, what failed, how long it took, what the homeserver asked; and nobody's name."""

from collections.abc import Sequence

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bridge.links import way_of
from bridge.metrics import Figures, Metrics
from bridge.store import Item, Pair, now_ms
from haven.errors import Refused, Unreachable
from haven.ids import Network

IRC = Network("irc")
NOTHING = Figures(ready=True, waiting=0, aside=0, links={"linked": 1}, refused_rooms=0, networks={IRC: False})
OUT, IN = "!room>irc:#fathers", "irc:#fathers>!room"


def values(metrics: Metrics, figures: Figures = NOTHING) -> dict[str, float]:
    pairs = (line.rsplit(" ", 1) for line in metrics.text(figures).decode().splitlines() if line[0] != "#")
    return {name.removeprefix("haven_bridge_"): float(value) for name, value in pairs}


@pytest.mark.parametrize(
    ("lane", "way"),
    [
        (OUT, ("irc", "out")),
        (IN, ("irc", "in")),
        ("!room:server>irc:#a>b", ("irc", "out")),
        ("xmpp:room@muc.example>!room:server", ("xmpp", "in")),
        ("invite !room", None),
        ("something else", None),
    ],
)
def test_the_way_of_a_lane(lane: str, way: tuple[str, str] | None) -> None:
    assert way_of(lane) == way


async def test_what_becomes_of_messages_is_counted() -> None:
    metrics = Metrics([IRC])
    fails: list[Exception] = [Unreachable(), Unreachable()]
    told: list[str] = []

    async def handle(_item: Item) -> Sequence[Pair]:
        if fails:
            raise fails.pop()
        return ()

    def tell(_item: Item, reference: str) -> None:
        told.append(reference)

    counted = metrics.counting(handle)
    item = Item(1, OUT, "{}", arrived=now_ms() - 3000)
    for _ in range(2):
        with pytest.raises(Unreachable):
            await counted(item)
    await counted(item)
    await counted(Item(2, IN, "{}", arrived=now_ms()))
    await counted(Item(3, "invite !room", "{}"))
    metrics.failing(tell)(item, "abcd")
    now = values(metrics)
    assert now['carried_total{direction="out",network="irc"}'] == 1
    assert now['carried_total{direction="in",network="irc"}'] == 1
    assert now['retried_total{direction="out",network="irc"}'] == 2
    assert now['failed_total{direction="out",network="irc"}'] == 1
    assert now['lag_seconds_count{direction="out",network="irc"}'] == 1
    assert now['lag_seconds_sum{direction="out",network="irc"}'] >= 3
    assert now['lag_seconds_bucket{direction="out",le="2.5",network="irc"}'] == 0
    assert told == ["abcd"]


def test_counters_begin_at_nought_and_states_that_are_no_more_are_gone() -> None:
    metrics = Metrics([IRC])
    now = values(metrics)
    assert now['carried_total{direction="in",network="irc"}'] == 0
    assert now['links{state="linked"}'] == 1
    assert now['network_connected{network="irc"}'] == 0
    later = Figures(ready=False, waiting=7, aside=2, links={"away": 1}, refused_rooms=1, networks={IRC: True})
    now = values(metrics, later)
    assert 'links{state="linked"}' not in now
    assert (now["ready"], now["inbox_waiting"], now["inbox_aside"], now["rooms_refused"]) == (0, 7, 2, 1)
    assert now["process_resident_memory_bytes"] > 1_000_000


async def test_what_the_homeserver_asks_is_counted_by_kind_and_never_by_path() -> None:
    metrics = Metrics()

    async def answer(request: web.Request) -> web.Response:
        if "Authorization" not in request.headers:
            raise web.HTTPUnauthorized
        return web.Response()

    app = web.Application(middlewares=[metrics.watching()])
    app.add_routes(
        [web.put("/_matrix/app/v1/transactions/{transaction}", answer), web.get("/health", answer)]
    )
    async with TestClient(TestServer(app)) as client:
        for headers in ({}, {"Authorization": "Bearer x"}, {}):
            await client.put("/_matrix/app/v1/transactions/secret", headers=headers)
        await client.get("/health")
        await client.get("/nowhere/secret")
    now = values(metrics)
    assert now['requests_total{kind="transactions",status="401"}'] == 2
    assert now['requests_total{kind="transactions",status="200"}'] == 1
    assert len([name for name in now if name.startswith("requests_total")]) == 2
    assert "secret" not in metrics.text(NOTHING).decode()


async def test_a_refusal_is_a_try_that_failed() -> None:
    metrics = Metrics([IRC])

    async def refuse(_item: Item) -> Sequence[Pair]:
        raise Refused("homeserver_refused")

    with pytest.raises(Refused):
        await metrics.counting(refuse)(Item(1, IN, "{}"))
    assert values(metrics)['retried_total{direction="in",network="irc"}'] == 1

"""What the homeserver pushes, over real HTTP: authenticated, stored, then answered."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO

import aiohttp
import pytest
from aiohttp import web

from bridge.appservice import LARGEST, application
from bridge.health import health_routes
from bridge.metrics import Figures, Metrics
from haven.errors import Unreachable
from haven.ids import Network

TOKEN = "the-homeservers-token"
RIGHT = {"Authorization": f"Bearer {TOKEN}"}


@dataclass
class Served:
    """The appservice on a port, and what it accepted."""

    url: str = ""
    events: list[Mapping[str, object]] = field(default_factory=list)
    trouble: Exception | None = None
    database_down: bool = False
    held: asyncio.Event = field(default_factory=asyncio.Event)

    async def accept(self, events: Sequence[Mapping[str, object]]) -> None:
        await self.held.wait()
        if self.trouble is not None:
            raise self.trouble
        self.events += events

    async def figures(self) -> Figures:
        if self.database_down:
            raise Unreachable("database")
        return Figures(
            ready=True,
            waiting=3,
            aside=1,
            links={"linked": 2},
            refused_rooms=0,
            networks={Network("irc"): True},
        )


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    served = Served()
    served.held.set()
    app = application(
        TOKEN,
        served.accept,
        lambda user: user == "@known:haven.test",
        health_routes(served.figures, Metrics()),
    )
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    served.url = f"http://{host}:{port}"
    yield served
    await runner.cleanup()


async def ask(
    served: Served, method: str, path: str, body: bytes | BytesIO = b"{}", headers: Mapping[str, str] = RIGHT
) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, served.url + path, data=body, headers=headers) as answer,
    ):
        return answer.status, await answer.text()


def transaction(*events: object) -> bytes:
    return json.dumps({"events": events}).encode()


PUT = "/_matrix/app/v1/transactions/1"


async def test_events_are_accepted_before_the_answer(served: Served) -> None:
    served.held.clear()
    asking = asyncio.create_task(ask(served, "PUT", PUT, transaction({"a": 1}, {"b": 2})))
    done, _ = await asyncio.wait({asking}, timeout=0.1)
    assert not done
    served.held.set()
    assert await asking == (200, "{}")
    assert served.events == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer wrong"}, 403),
        ({"Authorization": TOKEN}, 403),
        ({"Authorization": f"bearer {TOKEN}"}, 403),
        ({"Authorization": f"Bearer {TOKEN} "[:-2]}, 403),
        ({"Authorization": f"Bearer {TOKEN}\xe9"}, 403),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", PUT),
        ("PUT", f"{PUT}?access_token={TOKEN}"),
        ("POST", "/_matrix/app/v1/ping"),
        ("GET", "/_matrix/app/v1/users/@known:haven.test"),
        ("GET", "/_matrix/app/v1/rooms/%23a:haven.test"),
    ],
)
async def test_without_the_token_nothing_happens(
    served: Served, method: str, path: str, headers: Mapping[str, str], status: int
) -> None:
    assert (await ask(served, method, path, transaction({"a": 1}), headers))[0] == status
    assert served.events == []


async def test_trouble_of_our_own_has_it_sent_again(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    served.trouble = Unreachable("database")
    assert (await ask(served, "PUT", PUT, transaction({"a": 1})))[0] == 503
    served.trouble = KeyError("secret words")
    status, text = await ask(served, "PUT", PUT, transaction({"a": 1}))
    assert status == 500
    assert "secret words" not in text + caplog.text
    served.trouble = None
    assert (await ask(served, "PUT", PUT, transaction({"a": 1})))[0] == 200
    assert served.events == [{"a": 1}]


async def test_what_was_skipped_comes_before_what_came_after_it(served: Served) -> None:
    async def put(number: int) -> int:
        place = f"/_matrix/app/v1/transactions/{number}"
        return (await ask(served, "PUT", place, transaction({"number": number})))[0]

    assert [await put(number) for number in (6, 8, 7, 8)] == [200, 503, 200, 200]
    assert served.events == [{"number": 6}, {"number": 7}, {"number": 8}]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"events": 7}', b"[" * 100_000, b"\xff"])
async def test_what_is_no_transaction_is_refused(served: Served, body: bytes) -> None:
    assert (await ask(served, "PUT", PUT, body))[0] == 400


async def test_what_is_no_event_is_left_out(served: Served) -> None:
    assert (await ask(served, "PUT", PUT, transaction(7, {"a": 1}, None)))[0] == 200
    assert served.events == [{"a": 1}]


async def test_a_body_too_large_is_refused(served: Served) -> None:
    assert (await ask(served, "PUT", PUT, BytesIO(b" " * (LARGEST + 1))))[0] == 413


async def test_ping_and_queries(served: Served) -> None:
    assert (await ask(served, "POST", "/_matrix/app/v1/ping"))[0] == 200
    assert (await ask(served, "GET", "/_matrix/app/v1/users/@known:haven.test"))[0] == 200
    assert (await ask(served, "GET", "/_matrix/app/v1/users/@unknown:haven.test"))[0] == 404
    assert (await ask(served, "GET", "/_matrix/app/v1/rooms/%23a:haven.test"))[0] == 404


async def test_health_is_for_everybody(served: Served) -> None:
    for path in ("/health", "/ready"):
        assert (await ask(served, "GET", path, headers={}))[0] == 200
    status, text = await ask(served, "GET", "/metrics", headers={})
    assert status == 200
    lines = text.splitlines()
    assert 'haven_bridge_links{state="linked"} 2.0' in lines
    assert 'haven_bridge_network_connected{network="irc"} 1.0' in lines
    assert "haven_bridge_inbox_waiting 3.0" in lines
    served.database_down = True
    assert (await ask(served, "GET", "/health", headers={}))[0] == 503

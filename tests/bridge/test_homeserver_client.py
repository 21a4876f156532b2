"""The adapter over nio: in whose name it asks, and what failures mean. Over real HTTP; the contract runs on
Synapse (tests/system).
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from bridge.homeserver import DEVICE, NioHomeserver
from haven.errors import HavenError, Invalid, Missing, RateLimited, Refused, Unreachable
from haven.ids import EventId, RoomId, UserId

BOT = UserId("@haven-bridge:haven.test")
GHOST = UserId("@_haven_irc_a/b:haven.test")
ROOM = RoomId("!v12-without-a-server")


@dataclass
class Answering:
    """A homeserver that notes what it is asked, and answers as it is told."""

    bot: NioHomeserver = field(init=False)
    asked: list[web.Request] = field(default_factory=list)
    status: int = 200
    body: bytes = b'{"event_id": "$1"}'
    kind: str = "application/json"
    first: list[tuple[int, bytes]] = field(default_factory=list)
    """What is answered before ``status`` and ``body`` are."""

    async def answer(self, request: web.Request) -> web.Response:
        await request.read()
        self.asked.append(request)
        if self.first:
            status, body = self.first.pop(0)
            return web.Response(status=status, body=body, content_type="application/json")
        return web.Response(status=self.status, body=self.body, content_type=self.kind)


@pytest.fixture
async def server() -> AsyncIterator[Answering]:
    server = Answering()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    server.bot = NioHomeserver.connect(f"http://{host}:{port}", "secret-token", BOT)
    yield server
    await server.bot.close()
    await runner.cleanup()


async def test_a_ghost_asks_in_its_own_name_and_under_its_device(server: Answering) -> None:
    await server.bot.as_user(GHOST).send_message(ROOM, "m.room.message", {"body": "x"}, "t/1")
    await server.bot.send_state(ROOM, "m.bridge", "haven://irc/#c", {"a": 1})
    ghost, bot = server.asked
    assert dict(ghost.query) == {"user_id": GHOST, "device_id": DEVICE}
    # Synapse tells an appservice's transactions apart by their ids alone: the ghost is in it.
    path = "/_matrix/client/v3/rooms/!v12-without-a-server/send/m.room.message/t/1 @_haven_irc_a/b:haven.test"
    assert ghost.path == path
    assert "/t%2F1" in ghost.raw_path
    assert dict(bot.query) == {"user_id": BOT}
    assert "%23c" in bot.raw_path
    for request in server.asked:
        assert request.headers["Authorization"] == "Bearer secret-token"
        assert "secret-token" not in request.raw_path


async def test_joins_and_knocks_go_by_the_servers_that_know_the_room(server: Answering) -> None:
    await server.bot.join(ROOM, ["a.test", "b.test"])
    await server.bot.knock(ROOM, ["c.test"])
    assert server.asked[0].query.getall("via") == ["a.test", "b.test"]
    assert server.asked[1].query.getall("via") == ["c.test"]


@pytest.mark.parametrize(
    ("status", "body", "error", "key"),
    [
        (
            429,
            {"errcode": "M_LIMIT_EXCEEDED", "error": "", "retry_after_ms": 1500},
            RateLimited,
            "rate_limited",
        ),
        (401, {"errcode": "M_UNKNOWN_TOKEN", "error": ""}, Unreachable, "token_refused"),
        (403, {"errcode": "M_FORBIDDEN", "error": ""}, Refused, "homeserver_refused"),
        (404, {"errcode": "M_NOT_FOUND", "error": ""}, Missing, "homeserver_missing"),
        (400, {"errcode": "M_BAD_JSON", "error": ""}, Invalid, "homeserver_invalid"),
        (413, {"errcode": "M_TOO_LARGE", "error": ""}, Invalid, "homeserver_invalid"),
        (500, {"errcode": "M_UNKNOWN", "error": ""}, Unreachable, "server_error"),
        (502, "<html>Bad Gateway</html>", Unreachable, "unreachable"),
        (503, {}, Unreachable, "unreachable"),
    ],
)
async def test_failures_come_out_as_ours_and_at_once(
    server: Answering, status: int, body: object, error: type[HavenError], key: str
) -> None:
    server.status = status
    server.body = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    server.kind = "text/html" if isinstance(body, str) else "application/json"
    ghost = server.bot.as_user(GHOST)
    for ask in (
        lambda: ghost.send_message(ROOM, "m.room.message", {}, "1"),
        lambda: ghost.room_state(ROOM),
        lambda: ghost.join(ROOM),
        lambda: server.bot.redact(ROOM, EventId("$1"), "", "1"),
    ):
        with pytest.raises(error) as raised:
            await ask()
        assert raised.value.key == key
    assert len(server.asked) == 4


async def test_a_limit_says_how_long(server: Answering) -> None:
    server.status, server.body = 429, b'{"errcode": "M_LIMIT_EXCEEDED", "error": "", "retry_after_ms": 1500}'
    with pytest.raises(RateLimited) as limited:
        await server.bot.invite(ROOM, GHOST)
    assert limited.value.after == 1.5
    server.body = b"{}"
    with pytest.raises(RateLimited) as unsaid:
        await server.bot.invite(ROOM, GHOST)
    assert unsaid.value.after is not None
    assert unsaid.value.after > 0


async def test_nobody_there_is_unreachable() -> None:
    bot = NioHomeserver.connect("http://127.0.0.1:1", "t", BOT)
    with pytest.raises(Unreachable):
        await bot.joined_rooms()
    with pytest.raises(Unreachable):
        await bot.whoami()
    await bot.close()


async def test_who_is_there_already_gets_the_device_by_a_login(server: Answering) -> None:
    server.status, server.body = 400, b'{"errcode": "M_USER_IN_USE", "error": ""}'
    with pytest.raises(Invalid):
        await server.bot.as_user(GHOST).register()
    assert [request.path.rpartition("/")[2] for request in server.asked] == ["register", "login"]


async def test_the_bot_sends_under_a_device_too_which_is_made_where_it_is_missing(server: Answering) -> None:
    server.first = [
        (400, b'{"errcode": "M_UNKNOWN_DEVICE", "error": ""}'),
        (400, b'{"errcode": "M_USER_IN_USE", "error": ""}'),
        (200, b"{}"),
    ]
    assert await server.bot.send_message(ROOM, "m.room.message", {}, "1") == "$1"
    first, register, login, again = server.asked
    assert (register.path, login.path) == ("/_matrix/client/v3/register", "/_matrix/client/v3/login")
    assert first.path == again.path
    assert first.query["device_id"] == again.query["device_id"] == DEVICE
    server.status, server.body = 400, b'{"errcode": "M_UNKNOWN_DEVICE", "error": ""}'
    with pytest.raises(Invalid):
        await server.bot.redact(ROOM, EventId("$1"), "", "2")


async def test_an_answer_without_an_event_is_no_answer(server: Answering) -> None:
    server.body = b"{}"
    with pytest.raises(Unreachable):
        await server.bot.send_message(ROOM, "m.room.message", {}, "1")
    with pytest.raises(Unreachable):
        await server.bot.redact(ROOM, EventId("$1"), "", "2")

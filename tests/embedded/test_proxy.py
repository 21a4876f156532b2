"""The proxy counts and fails as told, before a real homeserver."""

from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from embedded.matrix import MatrixRefused
from embedded.person import Person
from embedded.proxy import Answered, Asked, Drop, Proxy, broken, rate_limited, route
from embedded.synapse import Synapse
from tests.conftest import Newcomer

SEND = ("PUT", "/rooms/{room}/send/m.room.message/{txn}")


@pytest.fixture
async def ana(newcomer: Newcomer) -> Person:
    return await newcomer("ana")


@pytest.fixture
async def proxy(homeserver: Synapse) -> AsyncIterator[Proxy]:
    async with Proxy(homeserver.url) as running:
        yield running


@pytest.mark.system
async def test_requests_are_counted_by_route(ana: Person, proxy: Proxy) -> None:
    near = ana.through(proxy.url)
    room = await near.create_room("Sala: ¿sí?")
    for number in range(3):
        await near.say(room, f"{number}")
    assert proxy.counts == {("POST", "/createRoom"): 1, SEND: 3}
    assert [event.body for event in (await ana.messages(room))[-3:]] == ["0", "1", "2"]
    proxy.forget()
    assert (await near.state(room, "m.room.name")) == {"name": "Sala: ¿sí?"}
    assert proxy.counts == {("GET", "/rooms/{room}/state/m.room.name/"): 1}


@pytest.mark.system
async def test_a_request_can_be_refused_before_the_homeserver_hears_of_it(ana: Person, proxy: Proxy) -> None:
    near = ana.through(proxy.url)
    room = await near.create_room()
    refusals = [broken(), rate_limited(0.01)]

    async def before(asked: Asked) -> Answered | None:
        return refusals.pop() if refusals and "/send/" in asked.path else None

    proxy.before = before
    with pytest.raises(MatrixRefused) as refusal:
        await near.say(room, "hello")
    assert refusal.value.status == 502
    await near.say(room, "hello again")
    assert [event.body for event in await ana.messages(room) if event.body] == ["hello again"]
    assert proxy.counts[SEND] == 3


@pytest.mark.system
async def test_an_answer_can_be_lost_after_the_homeserver_committed(ana: Person, proxy: Proxy) -> None:
    near = ana.through(proxy.url)
    room = await near.create_room()
    losing = True

    async def after(asked: Asked, answer: Answered) -> Answered | None:
        if losing and "/send/" in asked.path:
            assert answer.status == 200
            raise Drop
        return None

    proxy.after = after
    with pytest.raises(aiohttp.ClientConnectionError):
        await near.send(room, {"msgtype": "m.text", "body": "once"}, txn="same")
    losing = False
    await near.send(room, {"msgtype": "m.text", "body": "once"}, txn="same")
    assert [event.body for event in await ana.messages(room) if event.body] == ["once"]


@pytest.mark.system
async def test_a_body_can_come_slowly_or_be_cut_in_the_middle(ana: Person, proxy: Proxy) -> None:
    near = ana.through(proxy.url)
    room = await near.create_room("Slow")

    async def slow(_asked: Asked, answer: Answered) -> Answered | None:
        return replace(answer, seconds=0.05)

    async def cut(_asked: Asked, answer: Answered) -> Answered | None:
        return replace(answer, cut=5)

    proxy.after = slow
    assert await near.state(room, "m.room.name") == {"name": "Slow"}
    proxy.after = cut
    with pytest.raises(aiohttp.ClientPayloadError):
        await near.state(room, "m.room.name")


@pytest.mark.system
async def test_a_request_can_be_delivered_twice(ana: Person, proxy: Proxy) -> None:
    near = ana.through(proxy.url)
    room = await near.create_room()

    async def twice(asked: Asked) -> Answered | None:
        assert (await proxy.forward(asked)).status == 200
        return None

    proxy.before = twice
    await near.send(room, {"msgtype": "m.text", "body": "once"}, txn="same")
    assert [event.body for event in await ana.messages(room) if event.body] == ["once"]
    proxy.before = None


@pytest.mark.system
async def test_a_homeserver_that_is_down_is_a_lost_connection(proxy: Proxy, ana: Person) -> None:
    proxy.upstream = "http://127.0.0.1:9"
    with pytest.raises(aiohttp.ClientConnectionError):
        await ana.through(proxy.url).joined_rooms()


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/_matrix/client/v3/rooms/%21abc/send/m.room.message/t1", "/rooms/{room}/send/m.room.message/{txn}"),
        (
            "/_matrix/client/v3/rooms/!a:b/state/m.room.member/%40x%3Ay",
            "/rooms/{room}/state/m.room.member/{id}",
        ),
        ("/_matrix/client/v3/rooms/!a/redact/$e/t", "/rooms/{room}/redact/{event}/{txn}"),
        ("/_matrix/client/v3/join/%23alias%3Ax", "/join/{room}"),
        ("/_matrix/client/v1/rooms/!a/hierarchy", "/rooms/{room}/hierarchy"),
        ("/_matrix/client/v3/profile/@x:y/displayname", "/profile/{user}/displayname"),
        ("/_matrix/client/v3/sync", "/sync"),
    ],
)
def test_routes_keep_what_matters(path: str, template: str) -> None:
    assert route(path) == template

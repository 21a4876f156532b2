"""R16: files are fetched from the public internet only. No connection is made to anything else, whatever the address looks like."""

import asyncio
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from bridge.media_guard import Outside, is_public
from haven.errors import HavenError, Invalid, Missing, Refused, Unreachable
from tests.bridge.website import Website

_connected: list[object] = []
_watching = False


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    """Notes every connection that is attempted, and lets none out: should the guard fail, this test must not be what asks strangers."""
    if not _watching or event != "socket.connect":
        return
    address = arguments[1]
    _connected.append(address)
    if not isinstance(address, tuple) or address[0] != "127.0.0.1":
        raise PermissionError("tests stay at home")


sys.addaudithook(_watch)


@pytest.fixture
def connections() -> Iterator[list[object]]:
    """Every address that this process connects a socket to."""
    global _watching  # noqa: PLW0603  # an audit hook cannot be taken away again
    _connected.clear()
    _watching = True
    yield _connected
    _watching = False


@dataclass
class Names:
    """A name server: each question takes the next answer, the last one for ever."""

    answers: dict[str, list[Sequence[str]]] = field(default_factory=dict)
    asked: int = 0

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        answers = self.answers.get(host)
        if answers is None:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
            return [str(address[0]) for *_, address in found]
        return answers.pop(0) if len(answers) > 1 else answers[0]


async def fetched(outside: Outside, url: str) -> bytes:
    async with outside.fetch(url) as file:
        return b"".join([piece async for piece in file.body])


LOCAL = [
    "http://127.0.0.1:{port}/",
    "http://127.0.0.1./",
    "http://127.1:{port}/",
    "http://127.8.8.8:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7f.0.0.1:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://017700000001:{port}/",
    "http://0:{port}/",
    "http://0.0.0.0:{port}/",
    "http://localhost:{port}/",
    "http://LOCALHOST:{port}/",
    "http://localhost.:{port}/",
    "http://①②⑦.⓪.⓪.①:{port}/",
    "http://127。0。0。1:{port}/",
    "http://[::1]:{port}/",
    "http://[::]:{port}/",
    "http://[0:0:0:0:0:0:0:1]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://[2001:0:7f00:1::]:{port}/",
    "http://[fe80::1%25lo]:{port}/",
    "http://[fe80::1]:{port}/",
    "http://[fc00::1]:{port}/",
    "http://[fd12:3456::1]/",
    "http://[ff02::1]/",
    "http://[fec0::1]/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[::ffff:169.254.169.254]/",
    "http://192.0.2.1/",
    "http://198.18.0.1/",
    "http://224.0.0.1/",
    "http://239.1.1.1/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://user@127.0.0.1:{port}/",
    "http://example.org@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}#@example.org/",
    "http://user:secret@example.org/",
    "https://127.0.0.1:{port}/",
    "http://example.org:22/",
    "http://example.org:25/",
    "http://example.org:0/",
    "http://example.org:99999/",
    "file:///etc/passwd",
    "file://localhost/etc/passwd",
    "ftp://example.org/",
    "gopher://127.0.0.1:{port}/_",
    "unix:///run/docker.sock",
    "data:text/plain,hello",
    "javascript:alert(1)",
    "jar:http://127.0.0.1!/",
    "//127.0.0.1:{port}/",
    "/etc/passwd",
    "http:///",
    "http://",
    "http://[::1",
    "",
    "mxc://haven.test/secret",
]


@pytest.mark.parametrize("url", LOCAL)
async def test_no_connection_is_made(website: Website, connections: list[object], url: str) -> None:
    with pytest.raises(HavenError):
        await fetched(Outside(), url.format(port=website.port))
    assert connections == []
    assert website.asked == []


async def test_a_trusted_host_is_reached_which_shows_that_the_others_could_be(
    website: Website, connections: list[object]
) -> None:
    outside = Outside(frozenset({f"127.0.0.1:{website.port}"}))
    assert await fetched(outside, f"http://127.0.0.1:{website.port}/cat") == website.body
    assert connections == [("127.0.0.1", website.port)]
    (request,) = website.asked
    assert (request.headers.get("Cookie"), request.headers.get("Authorization")) == (None, None)


async def test_a_name_that_leads_inside_is_not_asked(website: Website, connections: list[object]) -> None:
    names = Names({"evil.example": [["127.0.0.1"]], "both.example": [["8.8.8.8", "127.0.0.1"]]})
    for host in ("evil.example", "both.example"):
        with pytest.raises(Refused):
            await fetched(Outside(resolve=names.resolve), f"http://{host}:{website.port}/")
    assert connections == []


async def test_a_name_is_resolved_once_and_the_connection_goes_where_was_looked(
    website: Website, connections: list[object]
) -> None:
    """Rebinding: a name that means something else a moment later gains nothing by it."""
    names = Names({"fine.example": [["127.0.0.1"], ["127.0.0.2"]]})
    outside = Outside(frozenset({"fine.example"}), names.resolve)
    assert await fetched(outside, f"http://fine.example:{website.port}/") == website.body
    assert (names.asked, connections) == (1, [("127.0.0.1", website.port)])


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/",
        "//10.0.0.1/",
        "http://localhost:{port}/",
        "file:///etc/passwd",
        "http://inside.example/",
        "",
    ],
)
async def test_a_redirect_inside_is_not_followed(
    website: Website, connections: list[object], location: str
) -> None:
    website.status, website.headers = 302, {"Location": location.format(port=website.port)}
    names = Names({"door.example": [["127.0.0.1"]], "inside.example": [["192.168.0.1"]]})
    outside = Outside(frozenset({f"door.example:{website.port}"}), names.resolve)
    with pytest.raises(Refused):
        await fetched(outside, f"http://door.example:{website.port}/")
    # A redirect to itself ends, too.
    assert set(connections) == {("127.0.0.1", website.port)}


async def test_redirects_are_followed_to_their_end_but_not_for_ever(website: Website) -> None:
    outside = Outside(frozenset({"127.0.0.1"}))
    website.status, website.headers = 307, {"Location": "/next"}
    with pytest.raises(Refused):
        await fetched(outside, f"http://127.0.0.1:{website.port}/first")
    assert [request.path for request in website.asked] == ["/first", *["/next"] * 5]


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, Missing), (410, Missing), (401, Refused), (403, Refused), (500, Unreachable), (503, Unreachable)],
)
async def test_what_an_answer_means(website: Website, status: int, error: type[HavenError]) -> None:
    website.status = status
    with pytest.raises(error):
        await fetched(Outside(frozenset({"127.0.0.1"})), f"http://127.0.0.1:{website.port}/")


async def test_a_body_that_breaks_off_is_no_file(website: Website) -> None:
    website.body, website.cut = b"x" * 100_000, 60_000
    with pytest.raises(Unreachable) as caught:
        await fetched(Outside(frozenset({"127.0.0.1"})), f"http://127.0.0.1:{website.port}/")
    assert caught.value.key == "media_cut"


async def test_a_packed_body_is_not_unpacked(website: Website) -> None:
    website.headers = {"Content-Encoding": "gzip"}
    with pytest.raises(Invalid):
        await fetched(Outside(frozenset({"127.0.0.1"})), f"http://127.0.0.1:{website.port}/")


async def test_nobody_there(website: Website) -> None:
    outside = Outside(frozenset({"127.0.0.1"}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable):
            await fetched(outside, f"http://127.0.0.1:{free.getsockname()[1]}/")


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)

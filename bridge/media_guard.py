"""Fetches files from addresses that strangers name, and from none but the public's.

An address in a message may be meant to make the bridge speak with what only the bridge can reach: its own machine, the network around it, a
cloud's metadata. So each name is resolved once, all that came of it must be public, and the connection goes to just these addresses, whatever the
name means a moment later; the same for each redirect. No proxy, no cookies, no credentials, no decompression.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

from aiohttp import (
    ClientConnectorCertificateError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from haven.errors import Invalid, Missing, Refused, Unreachable

from .media_body import ANY_TYPE, Fetched
from .networks.media import PIECE, Body

REDIRECTS = 5
CONNECT = 10.0
"""Seconds for finding an address, and for connecting to it."""
SILENCE = 20.0
"""Seconds without a byte after which a body counts as cut."""
_LOW_PORTS = frozenset({80, 443})
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": "haven-bridge"}

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""All addresses of a host, as texts; raises ``OSError`` where it has none."""

_NAT64 = IPv6Network("64:ff9b::/96")
_TRANSLATED = (IPv6Network("64:ff9b:1::/48"), IPv6Network("5f00::/16"), IPv6Network("3fff::/20"))
"""Local translation (RFC 8215), segment routing (RFC 9602), documentation (RFC 9637): newer than this Python's own list."""


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet: neither itself nor an IPv4 address inside it (mapped, compatible, 6to4, Teredo, NAT64) is
    loopback, private, link-local, shared, multicast, reserved or for documentation (RFC 6890).
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv4Address):
        return ip.is_global and not ip.is_multicast
    inner = list(_inside(ip))
    outer = ip.ipv4_mapped is not None or (ip.is_global and not ip.is_multicast and not ip.is_site_local)
    local = ip.scope_id is not None or any(ip in network for network in _TRANSLATED)
    return outer and not local and all(is_public(str(one)) for one in inner)


def _inside(ip: IPv6Address) -> list[IPv4Address]:
    found = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
    if ip in _NAT64 or int(ip) < 2**32:
        found.append(IPv4Address(int(ip) & 0xFFFFFFFF))
    return [one for one in found if one is not None]


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system, as any program does."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Outside:
    """The world outside, as far as files may be fetched from it. ``trusted``: hosts (``name`` or ``name:port``) whose addresses may be any."""

    def __init__(self, trusted: frozenset[str] = frozenset(), resolve: Resolve = resolve) -> None:
        self._trusted = trusted
        self._resolve = resolve

    @asynccontextmanager
    async def fetch(self, address: str) -> AsyncIterator[Fetched]:
        """The file at an ``http(s)`` address; its body is good until the context ends.

        ``Refused`` (key ``media_address``) where the address, or one that it leads to, must not be asked; ``Missing`` (``media_missing``) where
        there is no file; ``Refused`` (``media_refused``) where it is not for us; ``Unreachable`` where it may come another time.
        """
        url = _checked(address)
        for _ in range(REDIRECTS + 1):
            async with self._asked(url) as response:
                if response.status not in (301, 302, 303, 307, 308):
                    yield _file(response)
                    return
                url = _checked(response.headers.get("Location", ""), url)
        raise Refused("media_address")

    @asynccontextmanager
    async def _asked(self, url: URL) -> AsyncIterator[ClientResponse]:
        addresses = await self._addresses(url)
        async with ClientSession(
            connector=_connector(addresses),
            timeout=ClientTimeout(total=None, sock_connect=CONNECT, sock_read=SILENCE),
            cookie_jar=DummyCookieJar(),
            auto_decompress=False,
            headers=_HEADERS,
        ) as session:
            try:
                response = await session.get(url, allow_redirects=False)
            except ClientConnectorCertificateError as error:
                raise Refused("media_refused") from error
            except (ClientError, TimeoutError, OSError) as error:
                raise Unreachable("media_unreachable") from error
            try:
                yield response
            finally:
                response.close()

    async def _addresses(self, url: URL) -> Sequence[str]:
        host, port = url.raw_host or "", url.port or 0
        try:
            async with asyncio.timeout(CONNECT):
                addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise Unreachable("media_unreachable") from error
        if self._trusted.isdisjoint((host, f"{host}:{port}")) and not all(map(is_public, addresses)):
            raise Refused("media_address")
        if not addresses:
            raise Unreachable("media_unreachable")
        return addresses


def _checked(address: str, base: URL | None = None) -> URL:
    """The address as a URL that may be asked, as far as it can be told from its words alone."""
    try:
        url = URL(address) if base is None else base.join(URL(address))
        port = url.port
    except ValueError:
        raise Refused("media_address") from None
    fits = (
        url.scheme in ("http", "https") and bool(url.raw_host) and url.user is None and url.password is None
    )
    if not fits or port is None or (port < 1024 and port not in _LOW_PORTS):
        raise Refused("media_address")
    return url


def _connector(addresses: Sequence[str]) -> TCPConnector:
    """Connects to these addresses and to no other, whatever it is asked for."""
    allowed = frozenset(addresses)

    def make(found: tuple[Any, ...]) -> socket.socket:
        family, kind, proto, _, address = found
        if address[0] not in allowed:
            raise OSError
        return socket.socket(family, kind, proto)

    return TCPConnector(
        resolver=_Fixed(addresses), use_dns_cache=False, force_close=True, socket_factory=make
    )


class _Fixed(AbstractResolver):
    """Knows one host only."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """See `AbstractResolver.resolve`."""
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._addresses
        ]

    async def close(self) -> None:
        """Nothing to release."""


def _file(response: ClientResponse) -> Fetched:
    status = response.status
    if status in (404, 410):
        raise Missing("media_missing")
    if status == 429 or status >= 500:
        raise Unreachable("media_unreachable")
    if status != 200:
        raise Refused("media_refused")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise Invalid("media_refused")
    return Fetched(pieces_of(response), response.content_length, response.content_type or ANY_TYPE)


async def pieces_of(response: ClientResponse) -> Body:
    """The body of an answer; ``Unreachable`` (key ``media_cut``) where it breaks off or stands still."""
    try:
        async for piece in response.content.iter_chunked(PIECE):
            yield piece
    except (ClientError, TimeoutError, OSError) as error:
        raise Unreachable("media_cut") from error

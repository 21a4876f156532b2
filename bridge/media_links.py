"""Links to files for people of networks that keep none: signed, good for some days, served by the bridge from the homeserver.

``PUBLIC/media/<end>-<signature>/<server>/<id>/<name>``: the end of its days in seconds since 1970 (base 36), and HMAC-SHA256 (128 bits of it) over
all the rest. Nothing is stored; nobody can make a link who does not have the bridge's key. The name of a file is all it tells of its sender.
"""

import asyncio
import base64
import hashlib
import hmac
import logging
from collections.abc import Callable

from aiohttp import web

from haven.errors import GiveUp, TryLater

from .homeserver_media import MediaRepository, parts_of
from .i18n import Voice
from .media_body import ANY_TYPE, Fetched
from .media_names import plain_name

log = logging.getLogger(__name__)

DAY = 24 * 3600
AT_ONCE = 6
"""Files served at the same time; who comes then is told to come again.."""
_SHOWN = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"})
"""Types that a browser may show; with sound and film. All others it saves: a page of a stranger's must not open under our address."""
_HEADERS = {
    "Cache-Control": "private, max-age=86400",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Links:
    """Makes links and reads them. ``key``: the bridge's secret; ``public``: the address before ``/media``, ``""`` for none; ``clock``: seconds since
    1970.
    """

    def __init__(self, key: bytes, public: str, days: int, clock: Callable[[], float]) -> None:
        self._key = hmac.digest(key, b"haven media links", hashlib.sha256)
        self._public = public
        self._days = days
        self._clock = clock

    def link(self, mxc: str, name: str) -> str | None:
        """A link to a file; ``None`` where the bridge has no public address. The same all day long, so that a repeated try says the same."""
        if not self._public:
            return None
        server, file = parts_of(mxc)
        end = _base36((int(self._clock()) // DAY + 1 + self._days) * DAY)
        shown = plain_name(name)
        return (
            f"{self._public}/media/{end}-{self._signature(end, server, file, shown)}/{server}/{file}/{shown}"
        )

    def file(self, url: str) -> str | None:
        """The file of a link of ours, also of an old one; ``None`` for all else."""
        parts = url.removeprefix(f"{self._public}/media/").split("/")
        if not self._public or not url.startswith(self._public) or len(parts) != 4:
            return None
        end, _, signature = parts[0].partition("-")
        return self._read(end, signature, *parts[1:])

    def read(self, ticket: str, server: str, file: str, name: str) -> str | None:
        """The file that the parts of a link stand for, ``None`` where it is no link of ours; raises ``GiveUp`` where its days are over."""
        end, _, signature = ticket.partition("-")
        found = self._read(end, signature, server, file, name)
        if found is not None and int(end, 36) < self._clock():
            raise GiveUp("media_link_over")
        return found

    def _read(self, end: str, signature: str, server: str, file: str, name: str) -> str | None:
        expected = self._signature(end, server, file, name)
        if not hmac.compare_digest(signature.encode(errors="replace"), expected.encode()):
            return None
        return f"mxc://{server}/{file}"

    def _signature(self, *parts: str) -> str:
        words = "\0".join(parts).encode(errors="surrogatepass")
        return (
            base64.urlsafe_b64encode(hmac.digest(self._key, words, hashlib.sha256)[:16]).decode().rstrip("=")
        )


class Served:
    """Serves the files of links, streamed."""

    def __init__(self, links: Links, repository: MediaRepository, voice: Voice, seconds: float) -> None:
        self._links = links
        self._repository = repository
        self._voice = voice
        self._seconds = seconds
        self._places = asyncio.Semaphore(AT_ONCE)

    def routes(self) -> list[web.RouteDef]:
        """``GET`` and ``HEAD`` of a link."""
        return [web.get("/media/{ticket}/{server}/{file}/{name}", self._serve)]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        parts = request.match_info
        try:
            mxc = self._links.read(parts["ticket"], parts["server"], parts["file"], parts["name"])
            if mxc is None:
                return self._words("media_missing", 404)
            if self._places.locked():
                return self._words("media_busy", 503, {"Retry-After": "30"})
            async with self._places:
                return await self._stream(request, mxc, parts["name"])
        except GiveUp as error:
            return self._words(error.key, 410 if error.key == "media_link_over" else 404)
        except TryLater:
            return self._words("media_busy", 503, {"Retry-After": "30"})

    async def _stream(self, request: web.Request, mxc: str, name: str) -> web.StreamResponse:
        async with self._repository.download(mxc) as fetched:
            response = web.StreamResponse(headers={**_HEADERS, **_said(fetched, name)})
            response.content_length = fetched.size
            await response.prepare(request)
            if request.method != "HEAD":
                await self._write(response, fetched, request)
            return response

    async def _write(self, response: web.StreamResponse, fetched: Fetched, request: web.Request) -> None:
        """Hand the body on, and what ails it: a body that breaks off must not look whole."""
        try:
            async with asyncio.timeout(self._seconds):
                async for piece in fetched.body:
                    await response.write(piece)
                await response.write_eof()
        except (TryLater, GiveUp, TimeoutError, OSError) as error:
            log.info("A file could not be served to its end: %s", type(error).__name__)
            if request.transport is not None:
                request.transport.abort()

    def _words(self, key: str, status: int, headers: dict[str, str] | None = None) -> web.Response:
        text = self._voice.say(f"error.{key}")
        return web.Response(
            status=status, text=text, headers={**_HEADERS, **(headers or {}), "Cache-Control": "no-store"}
        )


def _said(fetched: Fetched, name: str) -> dict[str, str]:
    family = fetched.media_type.partition("/")[0]
    shown = fetched.media_type in _SHOWN or family in ("audio", "video")
    return {
        "Content-Type": fetched.media_type if shown else ANY_TYPE,
        "Content-Disposition": f'{"inline" if shown else "attachment"}; filename="{name}"',
    }


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits

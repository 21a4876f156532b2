"""The homeserver's store of files over matrix-nio's client: streamed both ways, as the bridge's bot.

Source: client-server API, "Content repository" (v1.11: authenticated media).
"""

import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Protocol
from urllib.parse import quote, urlencode

from aiohttp import ClientResponse, ClientTimeout

from haven.errors import GiveUp, HavenError, Invalid, Missing, Refused
from haven.ids import UserId

from .homeserver_client import AppserviceClient, Speaker, answered
from .media_body import ANY_TYPE, Fetched, Measured
from .media_guard import pieces_of
from .networks.media import Body

SILENCE = 60.0
"""Seconds without a byte after which a transfer counts as broken; a homeserver fetches from others first."""
_PATIENT = ClientTimeout(total=None, sock_connect=SILENCE, sock_read=SILENCE)

_MXC = re.compile(r"mxc://([A-Za-z0-9.:\[\]-]{1,255})/([A-Za-z0-9_~-]{1,255})")


class MediaRepository(Protocol):
    """What the bridge needs of a homeserver for files."""

    async def largest(self) -> int | None:
        """Most bytes of one file there; ``None`` where it does not say."""

    async def upload(self, body: Body, size: int, media_type: str, name: str) -> str:
        """Put a file of exactly ``size`` bytes there; its ``mxc://`` address.

        What goes wrong while ``body`` is read comes out as it is. ``Refused`` (keys ``media_too_large``, ``media_not_taken``) where it is not taken.
        """

    def download(self, mxc: str) -> AbstractAsyncContextManager[Fetched]:
        """A file of this or any other homeserver; the body is good until the context ends. ``Missing`` (key ``media_missing``) where there is none."""


def parts_of(mxc: str) -> tuple[str, str]:
    """Server and id of a file; raises ``Invalid`` (key ``media_missing``) where ``mxc`` is no such address."""
    found = _MXC.fullmatch(mxc)
    if found is None:
        raise Invalid("media_missing")
    return found[1], found[2]


class NioMedia:
    """See `MediaRepository`. Files take no place from messages: whoever carries them sees to it that they do not become too many."""

    def __init__(self, client: AppserviceClient, user: UserId) -> None:
        self._client = client
        self._speaker = Speaker(user)

    async def largest(self) -> int | None:
        """See `MediaRepository.largest`."""
        async with self._client.speaking(self._speaker):
            try:
                said = await self._client.request("GET", "/_matrix/client/v1/media/config")
            except (Missing, Invalid):
                said = await self._client.request("GET", "/_matrix/media/v3/config")
        size = said.get("m.upload.size")
        return size if isinstance(size, int) and not isinstance(size, bool) else None

    async def upload(self, body: Body, size: int, media_type: str, name: str) -> str:
        """See `MediaRepository.upload`."""
        path = f"/_matrix/media/v3/upload?{urlencode({'filename': name})}"
        measured = Measured(body, size)
        headers = {**self._authorized(), "Content-Type": media_type, "Content-Length": str(size)}
        try:
            async with self._client.speaking(self._speaker, nullcontext()):
                response = await self._client.send("POST", path, measured, headers, timeout=_PATIENT)
                try:
                    answer = await answered(response)
                except GiveUp as error:
                    key = "media_too_large" if response.status == 413 else "media_not_taken"
                    raise Refused(key) from error
                finally:
                    response.close()  # with it ends the reading of a body that was refused half-way
        except HavenError as error:
            if measured.error is not None:
                raise measured.error from error
            raise
        mxc = str(answer.get("content_uri"))
        parts_of(mxc)
        return mxc

    @asynccontextmanager
    async def download(self, mxc: str) -> AsyncIterator[Fetched]:
        """See `MediaRepository.download`. Homeservers before 1.11 have the unauthenticated address only."""
        server, file = (quote(part, safe="") for part in parts_of(mxc))
        try:
            try:
                response = await self._get(f"/_matrix/client/v1/media/download/{server}/{file}")
            except Missing:
                response = await self._get(f"/_matrix/media/v3/download/{server}/{file}")
        except GiveUp as error:  # also where another server's files are not for us
            raise Missing("media_missing") from error
        try:
            yield Fetched(pieces_of(response), response.content_length, response.content_type or ANY_TYPE)
        finally:
            response.close()

    async def _get(self, path: str) -> ClientResponse:
        async with self._client.speaking(self._speaker, nullcontext()):
            response = await self._client.send("GET", path, None, self._authorized(), timeout=_PATIENT)
            if response.status == 200:
                return response
            try:
                await answered(response)
            finally:
                response.close()
        raise Missing("media_missing")

    def _authorized(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._client.access_token}"}

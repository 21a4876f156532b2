"""The fake homeserver's store of files: how bodies come is noted, and it can fail as homeservers do."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from bridge.homeserver_media import parts_of
from bridge.media_body import Fetched, Measured
from bridge.networks.media import PIECE, Body
from haven.errors import HavenError, Invalid, Missing, Unreachable
from haven.ids import UserId

Asking = Callable[[str], AbstractAsyncContextManager[None]]
"""Around each request: logged, and subject to faults."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file there: its bytes, its type, the name it was given, who put it there."""

    data: bytes
    media_type: str
    name: str
    by: UserId


class FakeMedia:
    """All files of a homeserver.

    ``limit``: what it says to take at most. ``fault``: raised by the next uploads and downloads until it is taken away. ``cut``: downloads break off
    after so many bytes. ``sized``: whether it says how large files are. ``longest``: bytes of the longest piece of an upload,
    ``pieces``: how many there were.
    """

    def __init__(self, domain: str = "haven.test") -> None:
        self.kept: dict[str, Kept] = {}
        self.limit: int | None = None
        self.fault: HavenError | None = None
        self.cut: int | None = None
        self.sized = True
        self.longest = 0
        self.pieces = 0
        self.downloads = 0
        self._domain = domain

    def put(self, data: bytes, media_type: str, by: UserId, name: str = "") -> str:
        """Keep a file as a member's client does; its address."""
        mxc = f"mxc://{self._domain}/file{len(self.kept) + 1}"
        self.kept[mxc] = Kept(data, media_type, name, by)
        return mxc

    def of(self, user: UserId, asking: Asking) -> "FakeRepository":
        """The store as one user sees it."""
        return FakeRepository(self, user, asking)


class FakeRepository:
    """See `bridge.homeserver_media.MediaRepository`."""

    def __init__(self, media: FakeMedia, user: UserId, asking: Asking) -> None:
        self._media = media
        self._user = user
        self._asking = asking

    async def largest(self) -> int | None:
        """See the port."""
        return self._media.limit

    async def upload(self, body: Body, size: int, media_type: str, name: str) -> str:
        """See the port."""
        media = self._media
        async with self._asking("upload"):
            if media.fault is not None:
                raise media.fault
            if media.limit is not None and size > media.limit:
                raise Invalid("media_too_large")
            data = bytearray()
            async for piece in Measured(body, size):
                media.longest = max(media.longest, len(piece))
                media.pieces += 1
                data += piece
            return media.put(bytes(data), media_type, self._user, name)

    @asynccontextmanager
    async def download(self, mxc: str) -> AsyncIterator[Fetched]:
        """See the port."""
        parts_of(mxc)
        self._media.downloads += 1
        async with self._asking("download"):
            if self._media.fault is not None:
                raise self._media.fault
        kept = self._media.kept.get(mxc)
        if kept is None:
            raise Missing("media_missing")
        yield Fetched(self._read(kept.data), len(kept.data) if self._media.sized else None, kept.media_type)

    async def _read(self, data: bytes) -> Body:
        for start in range(0, len(data), PIECE):
            if self._media.cut is not None and start >= self._media.cut:
                raise Unreachable("media_cut")
            yield data[start : start + PIECE]

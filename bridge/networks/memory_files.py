"""The files of the network in memory: what its people and the bridge put there, handed out in pieces."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

from haven.errors import GiveUp, Missing, Unreachable

from .media import PIECE, Body


class Files:
    """All files of a ``MemoryServer``, by url. It can be told to misbehave, and tells how it was used.

    ``failures``: the next so many uploads and downloads raise ``Unreachable`` at once. ``cut``: downloads break off after so many bytes.
    ``refuses``: raised by each upload. ``uploads`` and ``downloads``: how many were begun. ``longest``: bytes of the longest piece of an upload.
    """

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.failures = 0
        self.cut: int | None = None
        self.refuses: GiveUp | None = None
        self.uploads = 0
        self.downloads = 0
        self.longest = 0
        self._numbers = count(1)

    def put(self, data: bytes) -> str:
        """Keep a file, as people of the network do; its url."""
        url = f"memory://file/{next(self._numbers)}"
        self.kept[url] = data
        return url

    async def take(self, body: Body) -> str:
        """Keep a file that comes in pieces; nothing of it where the body breaks off."""
        self.uploads += 1
        self._maybe_fail()
        if self.refuses is not None:
            raise self.refuses
        pieces = []
        async for piece in body:
            self.longest = max(self.longest, len(piece))
            pieces.append(piece)
        return self.put(b"".join(pieces))

    @asynccontextmanager
    async def give(self, url: str) -> AsyncIterator[Body]:
        """Hand a file out; ``Missing`` (key ``media_missing``) where there is none."""
        self.downloads += 1
        self._maybe_fail()
        data = self.kept.get(url)
        if data is None:
            raise Missing("media_missing")
        yield self._pieces(data)

    async def _pieces(self, data: bytes) -> Body:
        for start in range(0, len(data), PIECE):
            if self.cut is not None and start >= self.cut:
                raise Unreachable
            yield data[start : start + PIECE]

    def _maybe_fail(self) -> None:
        if self.failures:
            self.failures -= 1
            raise Unreachable

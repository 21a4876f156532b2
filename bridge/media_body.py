"""Files on their way: bodies that are read once, piece by piece, and held to what was said of them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Self

from haven.errors import HavenError, Invalid, Unreachable

from .networks.media import PIECE, Body

ANY_TYPE = "application/octet-stream"
HEAD = 64 * 1024
"""Bytes at the beginning of a file that are looked at, to know what it is."""
UNSIZED = 4 * 1024 * 1024
"""Most bytes of a file whose size nobody says beforehand: these few are held in memory, since homeservers want the size first."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that comes in: its body (good as long as the context that gave it), its exact size in bytes (``None``: nobody says), its type as the
    other side says it.
    """

    body: Body
    size: int | None = None
    media_type: str = ANY_TYPE


class Measured(AsyncIterator[bytes]):
    """A body that must be exactly ``size`` bytes long, or (``size`` is ``None``) at most ``most``.

    Raises ``Unreachable`` (key ``media_cut``) where it ends before, ``Invalid`` where it goes on (key
    ``media_size_false``) or becomes too large (``media_too_large``). What it raised, or
    what came out of the body beneath, stays in ``error``: whoever writes the body into a request hears only that the writing failed.
    """

    def __init__(self, body: Body, size: int | None, most: int = UNSIZED) -> None:
        self._body = body
        self._exact = size is not None
        self._left = most if size is None else size
        self.error: HavenError | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            return self._counted(await anext(self._body))
        except StopAsyncIteration:
            if not self._exact or not self._left:
                raise
            self.error = Unreachable("media_cut")
            raise self.error from None
        except HavenError as error:
            self.error = error
            raise

    def _counted(self, piece: bytes) -> bytes:
        self._left -= len(piece)
        if self._left < 0:
            raise Invalid("media_size_false" if self._exact else "media_too_large")
        return piece


async def head_of(body: Body, most: int = HEAD) -> bytearray:
    """The first bytes: at least ``most``, or all there are. What follows them stays in ``body``."""
    head = bytearray()
    while len(head) < most:
        try:
            head += await anext(body)
        except StopAsyncIteration:
            break
    return head


async def joined(head: bytearray, rest: Body) -> Body:
    """The body whose first bytes were read already, in pieces as if they had not been."""
    for start in range(0, len(head), PIECE):
        yield bytes(head[start : start + PIECE])
    async for piece in rest:
        yield piece

"""What a network may do with files: take them from us (``UploadsMedia``), and give us those that people sent (``DownloadsMedia``).

Bodies are streamed: a network never holds a whole file in memory, and never writes one to disk. A file that somebody on the network sent
and whose ``Attachment.url`` is an ordinary ``http(s)`` address needs no ``DownloadsMedia``: the bridge fetches it itself, guarded against
addresses that are none of the public's.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol, runtime_checkable

from haven.ids import ChatId

from ..message import Attachment

Body = AsyncIterator[bytes]
"""The bytes of a file, in order, in pieces of any length (usually 64 KiB or less). Can be read once."""

PIECE = 64 * 1024
"""Bytes of a body that are read at a time."""


@runtime_checkable
class UploadsMedia(Protocol):
    """A network that keeps files for its people."""

    async def upload(self, chat: ChatId, attachment: Attachment, body: Body) -> str:
        """Put the file there for ``chat``; the url under which the network knows it, given back to it as ``Attachment.url`` when the message is
        sent.

        ``attachment.size`` is exact where it is known, ``None`` otherwise: a network that must know it first raises ``Invalid`` (key
        ``media_size_unknown``). ``attachment.url`` means nothing here. Errors while reading ``body`` are not the network's: let them through, and
        leave nothing half there. ``TryLater``: once more with a new body; ``GiveUp``: the relay finds another way to say it.
        """


@runtime_checkable
class DownloadsMedia(Protocol):
    """A network whose files cannot be had by an ordinary ``http(s)`` address."""

    def download(self, attachment: Attachment) -> AbstractAsyncContextManager[Body]:
        """The file that ``attachment``, which this network said, stands for; the body is good until the context ends.

        ``TryLater`` where it may come later (also in the middle of the body), ``Missing`` where it is gone, any other ``GiveUp`` where it will
        never come.
        """

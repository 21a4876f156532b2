"""The way of files from a network into the homeserver's store."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

from haven.errors import Invalid, Missing, Refused

from .homeserver_media import MediaRepository
from .media_body import ANY_TYPE, HEAD, UNSIZED, Fetched, head_of, joined
from .media_guard import Outside
from .media_links import Links
from .media_names import file_name
from .media_shape import Shape, shape_of
from .media_shelf import Shelf
from .media_terms import Terms
from .message import Attachment, MediaKind
from .networks.base import Network
from .networks.media import DownloadsMedia
from .spelling import read, spell

WHOLE_AT_ONCE = 2
"""Files held in memory at the same time, since nobody says their size beforehand."""
_TYPE = re.compile(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60}")
_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"})
_FAMILIES = {"video": MediaKind.VIDEO, "audio": MediaKind.AUDIO}

Key = Callable[..., str]
"""Makes a key for the shelf out of texts: a keyed hash, so that nothing of them is in it."""


class Inwards:
    """Brings files to Matrix."""

    def __init__(
        self,
        *,
        repository: MediaRepository,
        shelf: Shelf,
        outside: Outside,
        links: Links,
        terms: Terms,
        key: Key,
    ) -> None:
        self._repository = repository
        self._shelf = shelf
        self._outside = outside
        self._links = links
        self._terms = terms
        self._key = key
        self._whole = asyncio.Semaphore(WHOLE_AT_ONCE)

    async def bring(self, network: Network, file: Attachment) -> Attachment:
        """``file``, which ``network`` said, as one that the homeserver has (``url`` is ``mxc://``), with what could be seen of its type and size.

        Raises ``GiveUp`` where it cannot be had, or may not; ``TryLater`` for some seconds before that.
        """
        if file.url.startswith("mxc:"):
            raise Refused("media_refused")  # what is on Matrix already nobody from outside has to show around
        name = file_name(file.name, file.media_type)
        ours = self._links.file(file.url)
        if ours is not None:
            return replace(file, url=ours, name=name)
        key = self._key("in", network.name, file.url)
        stored = await self._terms.carried(key, lambda: self._stored(network, file, key))
        return replace(stored, name=name, duration_ms=file.duration_ms)

    async def _stored(self, network: Network, file: Attachment, key: str) -> Attachment:
        known = await self._shelf.find(key)
        if known is not None:
            return _like(read(known, Attachment), file)
        async with self._source(network, file) as fetched:
            if fetched.size is not None:
                return await self._taken(fetched, file, key)
            async with self._whole:
                return await self._taken(fetched, file, key)

    def _source(self, network: Network, file: Attachment) -> AbstractAsyncContextManager[Fetched]:
        if isinstance(network, DownloadsMedia):
            return _from_network(network, file)
        return self._outside.fetch(file.url)

    async def _taken(self, fetched: Fetched, file: Attachment, key: str) -> Attachment:
        """Look at the beginning, then store the file, unless the same bytes are stored already."""
        said = _type(file.media_type) or _type(fetched.media_type) or ANY_TYPE
        await self._terms.check_for_homeserver(fetched.size, said)
        head = await head_of(fetched.body, HEAD if fetched.size is not None else UNSIZED + 1)
        size = len(head) if fetched.size is None else fetched.size
        if fetched.size is None and size > UNSIZED:
            raise Invalid("media_size_unknown")
        if not head:
            raise Missing("media_missing")
        file = _recognised(replace(file, size=size), said, shape_of(bytes(head[:HEAD])))
        await self._terms.check_for_homeserver(size, file.media_type)
        keys = (
            [key]
            if len(head) < size
            else [key, self._key("bytes", file.media_type, hashlib.sha256(head).hexdigest())]
        )
        known = await self._shelf.find(keys[1]) if len(keys) > 1 else None
        if known is None:
            name = file_name(file.name, file.media_type)
            mxc = await self._repository.upload(joined(head, fetched.body), size, file.media_type, name)
            file = replace(file, url=mxc)
        else:
            file = replace(file, url=read(known, Attachment).url)
        # Without its name: that is not ours to keep.
        await self._shelf.put(spell(replace(file, name="", duration_ms=None)), *keys)
        return file


@asynccontextmanager
async def _from_network(network: DownloadsMedia, file: Attachment) -> AsyncIterator[Fetched]:
    async with network.download(file) as body:
        yield Fetched(body, file.size, file.media_type)


def _type(said: str) -> str | None:
    """A media type as others may be told it; ``None`` where it is none, or says nothing."""
    bare = said.partition(";")[0].strip().lower()
    return bare if _TYPE.fullmatch(bare) and bare != ANY_TYPE else None


def _like(stored: Attachment, file: Attachment) -> Attachment:
    """What is stored already, as what it was sent this time: once a picture, once a sticker."""
    return replace(stored, kind=_kind(file.kind, stored.media_type))


def _recognised(file: Attachment, said: str, shape: Shape | None) -> Attachment:
    """``file`` with the type that its bytes show rather than the one that was said, and the size of its picture."""
    seen = shape.media_type if shape else None
    if seen in _PICTURES or said == ANY_TYPE:
        said = seen or said
    elif said in _PICTURES:
        said = ANY_TYPE
    width, height = (shape.width, shape.height) if shape else (None, None)
    return replace(
        file,
        media_type=said,
        kind=_kind(file.kind, said),
        width=file.width or width,
        height=file.height or height,
    )


def _kind(kind: MediaKind, media_type: str) -> MediaKind:
    """What a file of that type can be shown as: as what it was sent, where that fits."""
    shown = MediaKind.IMAGE if media_type in _PICTURES else _FAMILIES.get(media_type.partition("/")[0])
    special = {MediaKind.STICKER: MediaKind.IMAGE, MediaKind.VOICE: MediaKind.AUDIO}.get(kind)
    if shown is None:
        return MediaKind.FILE
    return kind if special is shown else shown

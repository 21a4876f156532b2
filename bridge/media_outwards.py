"""The way of files from the homeserver's store to a network, or to a link."""

from dataclasses import replace

from haven.errors import GiveUp, Refused
from haven.ids import ChatId

from .homeserver_media import MediaRepository, parts_of
from .media_inwards import Key
from .media_links import Links
from .media_shelf import DAY, Shelf
from .media_terms import Terms
from .message import Attachment
from .networks.base import Network
from .networks.media import UploadsMedia


class Outwards:
    """Brings files to networks."""

    def __init__(
        self, *, repository: MediaRepository, shelf: Shelf, links: Links, terms: Terms, key: Key
    ) -> None:
        self._repository = repository
        self._shelf = shelf
        self._links = links
        self._terms = terms
        self._key = key

    async def take(self, network: Network, chat: ChatId, file: Attachment) -> tuple[Attachment, bool]:
        """``file``, which is on Matrix, as ``network`` can use it, and whether the network has it: otherwise it is to be said in words, and its
        ``url`` is a link that anybody can open, or ``""``.

        Raises ``GiveUp`` for what is not carried at all.
        """
        if not file.url:
            raise Refused("media_encrypted")
        parts_of(file.url)
        self._terms.check(file.size, file.media_type)
        if isinstance(network, UploadsMedia) and _fits(file, network):
            key = self._key("out", network.name, chat, file.url)
            try:
                return await self._terms.carried(key, lambda: self._uploaded(network, chat, file, key)), True
            except GiveUp as error:
                if error.key == "media_missing":
                    raise
                # What the network does not take its people may take by a link.
        return replace(file, url=self._links.link(file.url, file.name) or ""), False

    async def _uploaded(self, network: UploadsMedia, chat: ChatId, file: Attachment, key: str) -> Attachment:
        known = await self._shelf.find(key, DAY)
        if known is not None:
            return replace(file, url=known)
        async with self._repository.download(file.url) as fetched:
            exact = replace(file, size=fetched.size)
            self._terms.check(exact.size, exact.media_type)
            url = await network.upload(chat, exact, self._terms.bounded(fetched.body, fetched.size))
        await self._shelf.put(url, key)
        return replace(exact, url=url)


def _fits(file: Attachment, network: Network) -> bool:
    can = network.capabilities
    return file.kind in can.media and (can.media_bytes is None or (file.size or 0) <= can.media_bytes)

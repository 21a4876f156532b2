"""Files between networks and Matrix, both ways: streamed, bounded, each stored once; where one cannot go, a link or a line of words goes instead."""

import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import replace

from aiohttp import web

from haven.errors import GiveUp
from haven.ids import ChatId
from haven.ids import Network as NetworkName

from .convert.plainer import with_files
from .homeserver_media import MediaRepository
from .i18n import Voice
from .media_guard import Outside
from .media_inwards import Inwards
from .media_links import Links, Served
from .media_names import file_name, tells_nobody
from .media_outwards import Outwards
from .media_settings import MediaSettings
from .media_shelf import Shelf
from .media_terms import Terms
from .message import Attachment, Message, Span
from .networks.base import Network
from .store import Store

Count = Callable[[NetworkName, str, str], None]
STILL_THERE = frozenset(
    {"media_larger", "media_too_large", "media_type", "media_slow", "media_size_unknown", "media_not_taken"}
)
"""Why a file is not carried that people can still fetch where it is."""


class Media:
    """Makes the files of a message usable on the other side. ``key``: the bridge's secret; ``outside``: what files are fetched through;
    ``count``: told of each file's network, direction and outcome (`metrics.OUTCOMES`); ``clock``: seconds since 1970; ``ticks``: seconds
    since anything.
    """

    def __init__(
        self,
        settings: MediaSettings,
        *,
        key: bytes,
        store: Store,
        repository: MediaRepository,
        voice: Voice,
        outside: Outside | None = None,
        count: Count = lambda *_: None,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._voice = voice
        self._count = count
        self._secret = key
        links = Links(key, settings.public_url, settings.link_days, clock)
        shelf, terms = Shelf(store, lambda: int(clock() * 1000)), Terms(settings, repository, ticks)
        self._inwards = Inwards(
            repository=repository,
            shelf=shelf,
            outside=outside or Outside(settings.trusted_hosts),
            links=links,
            terms=terms,
            key=self._key,
        )
        self._outwards = Outwards(repository=repository, shelf=shelf, links=links, terms=terms, key=self._key)
        self._served = Served(links, repository, voice, settings.seconds)

    def routes(self) -> list[web.RouteDef]:
        """What serves the links."""
        return self._served.routes()

    async def for_matrix(self, network: Network, message: Message) -> Message:
        """``message``, which ``network`` said, with files that the homeserver has; the others are said in its text.

        Raises ``TryLater`` where a file may come in some seconds.
        """
        kept: list[Attachment] = []
        text = message.text
        for file in message.attachments:
            try:
                kept.append(await self._inwards.bring(network, file))
                self._count(network.name, "in", "carried")
            except GiveUp as error:
                text = (*text, *self._lost(file, error, "\n" if text else ""))
                self._count(network.name, "in", "said")
                if error.key in STILL_THERE and tells_nobody(file.url):
                    text = (*text, Span(f" {file.url}"))
        return replace(message, text=text, attachments=tuple(kept))

    async def for_network(self, network: Network, chat: ChatId, message: Message) -> Message:
        """``message``, which somebody on Matrix said, with files that ``network`` has; the others are said in its text, with a link where there can
        be one.

        Raises ``TryLater`` where the network may take a file in some seconds.
        """
        kept: list[Attachment] = []
        text = message.text
        for file in message.attachments:
            try:
                usable, taken = await self._outwards.take(network, chat, file)
            except GiveUp as error:
                text = (*text, *self._lost(file, error, "\n" if text else ""))
                self._count(network.name, "out", "said")
                continue
            self._count(network.name, "out", "carried" if taken else "linked" if usable.url else "said")
            if taken:
                kept.append(usable)
            else:
                text = with_files(Message(text, attachments=(usable,)))
        return replace(message, text=text, attachments=tuple(kept))

    def _lost(self, file: Attachment, error: GiveUp, gap: str) -> tuple[Span, ...]:
        why = self._voice.say(f"error.{error.key}", **error.values)
        name = file_name(file.name, file.media_type)
        return (Span(gap + self._voice.say("said.file_lost", name=name, why=why)),)

    def _key(self, *parts: str) -> str:
        words = "\0".join(("haven media", *parts)).encode(errors="surrogatepass")
        return hmac.digest(self._secret, words, hashlib.sha256).hex()

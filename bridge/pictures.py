"""People's pictures: fetched from the network once, brought to the homeserver once, for their ghosts to be shown with."""

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping

from haven.errors import HavenError, TryLater
from haven.ids import Network as NetworkName

from .homeserver_media import MediaRepository
from .networks.base import Network
from .networks.events import Person
from .networks.people import HasPictures, Picture

log = logging.getLogger(__name__)

LARGEST = 1024 * 1024
"""Bytes of a picture; larger ones are none."""
TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""What clients show without risk: an SVG can hold scripts."""
PATIENCE = 5.0
"""Seconds a message waits for the picture of who said it; a ghost can do without."""
AGAIN = 600.0
"""Seconds until a picture that could not be had is tried again."""
REMEMBERED = 1000


class Pictures:
    """Brings pictures over. ``clock``: seconds, only forward."""

    def __init__(
        self,
        media: MediaRepository,
        networks: Mapping[NetworkName, Network],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._media = media
        self._networks = networks
        self._clock = clock
        self._missed: dict[tuple[NetworkName, str], float] = {}
        self._brought: OrderedDict[bytes, str] = OrderedDict()

    async def brought(self, network: NetworkName, person: Person) -> str | None:
        """Where the person's picture is on Matrix, "" where they have none to be shown; ``None`` where it cannot be had for now."""
        port = self._networks.get(network)
        if port is None or not person.picture:
            return ""
        if not isinstance(port, HasPictures):
            return ""
        place = (network, person.picture)
        if self._missed.get(place, -AGAIN) > self._clock() - AGAIN:
            return None
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._fetched(port, person)
        except (HavenError, TimeoutError) as error:
            log.info("A picture could not be brought over: %s", type(error).__name__)
            self._missed = {**dict(list(self._missed.items())[-REMEMBERED:]), place: self._clock()}
            return None if isinstance(error, TryLater | TimeoutError) else ""

    async def _fetched(self, port: HasPictures, person: Person) -> str:
        picture = await port.picture(person)
        if picture is None or picture.type not in TYPES or not 0 < len(picture.content) <= LARGEST:
            return ""
        digest = hashlib.sha256(picture.content).digest()
        if digest not in self._brought:
            self._brought[digest] = await self._upload(picture)
            while len(self._brought) > REMEMBERED:
                self._brought.popitem(last=False)
        return self._brought[digest]

    async def _upload(self, picture: Picture) -> str:
        """Under no name of theirs, since names may be ids."""

        async def body() -> AsyncIterator[bytes]:
            yield picture.content

        return await self._media.upload(body(), len(picture.content), picture.type, "picture")

"""``plan`` for whole communities: connects for a moment, reads both sides, and says what would be done."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from haven.accord import Line
from haven.errors import GiveUp, HavenError, Invalid, Unreachable
from haven.stateevents import LINK, read_link

from .admins import Admins
from .agreed import Treaties
from .asks import Asks
from .config import Secrets, Settings
from .homeserver import AppserviceHomeserver
from .i18n import Voice
from .links import Linked
from .networks.base import Network
from .networks.events import Connection, ConnectionState, Event
from .rooms import Rooms
from .store import Store
from .structure import Structure

PATIENCE = 20.0
"""Seconds for which a network may take to be reached."""


@dataclass(frozen=True, slots=True)
class Prospect:
    """What would be done about one whole link: ``lines``, or what stands in the way."""

    link: Linked
    lines: tuple[Line, ...] = ()
    conflicts: int = 0
    wrong: HavenError | None = None


def whole_links(rooms: Rooms, homeserver: AppserviceHomeserver) -> list[Linked]:
    """The links of whole communities that are proven."""
    found: list[Linked] = []
    for room in sorted(rooms):
        for (kind, key), event in rooms.view(room).state.items():
            if kind != LINK or event.sender != homeserver.user:
                continue
            with suppress(Invalid):
                link = read_link(event.content)
                if link is not None and link.key == key and link.whole and link.proven:
                    found.append(Linked(room, link.network, link.chat, link.by, event.event, True, True))
    return found


async def prospects(
    settings: Settings, tokens: Secrets, store: Store, homeserver: AppserviceHomeserver, rooms: Rooms
) -> AsyncIterator[Prospect]:
    """What would be done about each whole link."""
    voice, admins = Voice(settings.language), Admins(homeserver, rooms)
    structure = Structure(
        homeserver=homeserver,
        rooms=rooms,
        treaties=Treaties(store),
        admins=admins,
        asks=Asks(homeserver, rooms, admins, tokens.key),
        voice=voice,
    )
    for link in whole_links(rooms, homeserver):
        network = settings.networks.get(link.network)
        if network is None:
            yield Prospect(link, wrong=GiveUp("network_no_such_chat"))
            continue
        try:
            async with _reached(network):
                found = await structure.outlook(link, network)
        except HavenError as error:
            yield Prospect(link, wrong=error)
        else:
            yield Prospect(link, tuple(step.line() for step in found.steps), len(found.conflicts))


@asynccontextmanager
async def _reached(network: Network) -> AsyncIterator[None]:
    """Be connected for a moment; what is said meanwhile is not for us."""
    connected = asyncio.Event()

    async def receive(event: Event) -> None:
        if isinstance(event, Connection) and event.state is ConnectionState.CONNECTED:
            connected.set()

    running = asyncio.create_task(network.run(receive), name="network")
    try:
        async with asyncio.timeout(PATIENCE):
            await connected.wait()
        yield
    except TimeoutError:
        raise Unreachable("network_unreachable") from None
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

"""Looks after each link: enters the chat, has the link proven, keeps the topics alike, says how it is; tries
again where it must.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from haven.errors import GiveUp, HavenError, TryLater
from haven.ids import Network as NetworkName
from haven.ids import RoomId
from haven.stateevents import LINK, LinkState, LinkStatus, link_content, read_link

from .bugs import log_bug
from .homeserver import AppserviceHomeserver
from .i18n import Voice
from .links import Linked, Links
from .message import Kind, Message, plain, spans
from .networks.acts import Outgoing, Say
from .networks.base import Network, Place
from .networks.events import ChatGone, Connection, ConnectionState, Role, Said
from .people import People
from .proof import code_for, says_code
from .rooms import Rooms
from .sides import space_of
from .statuses import Statuses
from .store import Store
from .structure import Structure
from .timers import Timers
from .topics import Topics

log = logging.getLogger(__name__)

GRACE = 3.0
"""Seconds for which a connection may be lost before the rooms are told."""
SOON, LATER = 5.0, 60.0
"""Seconds until another try: where something did not answer, and where it refused."""
REGULARLY = 300.0
"""Seconds after which whole communities are compared without anybody having said that something changed."""


@dataclass(slots=True, eq=False)
class _Care:
    """One link's care: ``wake`` to look at it again now."""

    link: Linked
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None
    since_trouble: float | None = None


@dataclass(frozen=True, slots=True)
class _How:
    """How a link is, and in how many seconds to look again (``None``: when something happens)."""

    state: LinkState
    again: float | None = None
    reason: str = ""
    code: str = ""


class Caretaker:
    """Looks after all links, each by a task of its own, so that none waits for another."""

    def __init__(
        self,
        *,
        homeserver: AppserviceHomeserver,
        networks: Mapping[NetworkName, Network],
        rooms: Rooms,
        links: Links,
        statuses: Statuses,
        topics: Topics,
        timers: Timers,
        structure: Structure,
        people: People,
        store: Store,
        voice: Voice,
        key: bytes,
    ) -> None:
        self._homeserver = homeserver
        self._networks = networks
        self._rooms = rooms
        self._links = links
        self._statuses = statuses
        self._topics = topics
        self._timers = timers
        self._structure = structure
        self._people = people
        self._store = store
        self._voice = voice
        self._key = key
        self._care: dict[Linked, _Care] = {}
        self._connections: dict[NetworkName, Connection] = {}
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Look after links until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            for care in self._care.values():
                self._begin(care)
            await asyncio.Event().wait()

    # --- what the keeper says -------------------------------------------------------------------------------

    def look_after(self, link: Linked) -> None:
        """Begin to look after ``link``."""
        care = self._care[link] = _Care(link)
        self._begin(care)

    def _begin(self, care: _Care) -> None:
        if self._tasks is not None and care.task is None:
            care.task = self._tasks.create_task(self._look_after(care), name="caretaker: link")

    def wake(self, link: Linked) -> None:
        """Something may have changed for ``link``."""
        if link in self._care:
            self._care[link].wake.set()

    def dismiss(self, link: Linked) -> None:
        """Look after ``link`` no more."""
        care = self._care.pop(link, None)
        if care is not None and care.task is not None:
            care.task.cancel()

    async def close(self, link: Linked) -> None:
        """Forget what its two sides agreed on, and leave the chat, where no other link needs it."""
        await self._people.ended(link)
        network = self._networks.get(link.network)
        chat = link.hears or link.chat
        self._links.listen(link, None)
        if network is not None and not self._links.of_chat(link.network, chat):
            try:
                await network.close(chat)
                await self._store.forget_place(link.network, chat)
            except HavenError as error:
                log.warning("A chat could not be left: %s", error)

    def stirred(self, room: RoomId) -> None:
        """Something may have changed in a room: whole communities that it belongs to are compared again."""
        space = space_of(self._rooms, room)
        for link in self._links:
            if link.whole and link.room in (space, room):
                self.wake(link)

    def restructured(self, network: NetworkName) -> None:
        """Something may have changed about the communities of a network."""
        for link in self._links:
            if link.whole and link.network == network:
                self.wake(link)

    async def end_wholes(self, room: RoomId, wanted: set[str]) -> None:
        """End what belonged to the links of whole communities that a space wants no more."""
        if not self._rooms.view(room).is_space:
            return
        for status in self._former(room, wanted):
            await self._structure.end(room, status.network, status.chat)

    def ended(self, room: RoomId, wanted: set[str]) -> set[NetworkName]:
        """The networks of the links that the room still speaks of and wants no more."""
        return {status.network for status in self._former(room, wanted)}

    def _former(self, room: RoomId, wanted: set[str]) -> list[LinkStatus]:
        return [
            status
            for status in self._statuses.known(room)
            if f"{status.network}:{status.chat}" not in wanted and status.state is not LinkState.UNLINKED
        ]

    async def say_unlinked(self, room: RoomId, wanted: set[str]) -> None:
        """Have the room say of each former link that it is one no more."""
        bot = self._homeserver.user
        for status in self._former(room, wanted):
            await self._statuses.say(room, status.network, status.chat, by=bot, state=LinkState.UNLINKED)

    # --- what networks say ----------------------------------------------------------------------------------

    def connection(self, network: NetworkName, said: Connection) -> None:
        """A network is reached, or no more."""
        self._connections[network] = said
        if said.state is ConnectionState.CONNECTED:
            self._people.connected(network)
        for link in self._links:
            if link.network == network:
                self.wake(link)

    def gone(self, network: NetworkName, event: ChatGone) -> None:
        """We are no longer in a chat; its links are told, and we try to come back later."""
        for link in self._links.of_chat(network, event.chat):
            self.wake(link)

    async def heard(self, link: Linked, said: Said) -> None:
        """Someone spoke in a chat whose link is not proven yet: is it the code, and may they?"""
        code = code_for(self._key, link)
        if not says_code(plain(said.message.text), code):
            return
        if said.person.role is not Role.OPERATOR:
            await self._answer(link, "proof.not_operator")
            return
        await self._prove(link)
        name = self._rooms.view(link.room).text("m.room.name", "name") or str(link.room)
        await self._answer(link, "proof.linked", room=name)

    async def _prove(self, link: Linked) -> None:
        view = self._rooms.view(link.room)
        before = view.content(LINK, link.key)
        wanted = read_link(before)
        if wanted is None:
            return
        content = link_content(replace(wanted, proven=True), before)
        await self._people.ended(link)  # what an earlier link between the two had agreed on
        event = await self._homeserver.send_state(link.room, LINK, link.key, content)
        view.note(LINK, link.key, self._homeserver.user, content, event)
        link.event, link.proven = event, True
        self.wake(link)

    async def _answer(self, link: Linked, phrase: str, **values: str) -> None:
        words = self._voice.say(phrase, **values)
        answer = Say(Message(spans(words), Kind.NOTICE))
        with suppress(HavenError):
            outgoing = Outgoing(f"{link.event} {phrase}", link.hears or link.chat, None, answer)
            await self._networks[link.network].send(outgoing, _always)

    # --- looking after one link -----------------------------------------------------------------------------

    async def _look_after(self, care: _Care) -> None:
        while True:
            care.wake.clear()
            try:
                how = await self._look(care)
                await self._say(care.link, how)
            except TryLater as error:
                how = _How(LinkState.BROKEN, error.after or SOON)
            except Exception as error:  # one link's bug must not stop the others
                log_bug(log, "looking after a link", error)
                how = _How(LinkState.BROKEN, LATER)
            with suppress(TimeoutError):
                async with asyncio.timeout(how.again):
                    await care.wake.wait()

    async def _look(self, care: _Care) -> _How:
        link, network = care.link, self._networks.get(care.link.network)
        if network is None:
            return _How(LinkState.BROKEN, None, "network_missing")
        try:
            await self._enter(link, network)
        except GiveUp as error:
            return _How(LinkState.BROKEN, LATER, str(error.values.get("reason", error.key)))
        except TryLater as error:
            return await self._in_trouble(care, error)
        care.since_trouble = None
        if not link.proven:
            return _How(LinkState.PROOF, code=code_for(self._key, link))
        try:
            if link.whole:
                await self._structure.settle(link, network)
                return _How(LinkState.LINKED, REGULARLY)
            await self._topics.settle(link, network)
            await self._timers.settle(link, network)
            await self._people.settle(link, network)
        except TryLater:
            return _How(LinkState.LINKED, SOON)
        return _How(LinkState.LINKED)

    async def _enter(self, link: Linked, network: Network) -> None:
        """Be in the chat; of a whole community, in its announcement group until the link is proven."""
        if not link.whole:
            await network.open(link.chat, await self._after(link))
        elif link.proven:
            self._links.listen(link, None)
        else:
            self._links.listen(link, await self._structure.announcements(link, network))
            await network.open(link.hears or link.chat)

    async def _after(self, link: Linked) -> Place | None:
        """From where the network is to go on; a chat that no proven link has is heard from now on."""
        if any(other.proven for other in self._links.of_chat(link.network, link.chat)):
            return await self._store.place(link.network, link.chat)
        return None

    async def _in_trouble(self, care: _Care, error: TryLater) -> _How:
        """The network does not answer. For a short while that is nobody's business."""
        loop = asyncio.get_running_loop()
        if care.since_trouble is None:
            care.since_trouble = loop.time()
        left = GRACE - (loop.time() - care.since_trouble)
        if left > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await care.wake.wait()
            care.wake.clear()
            return await self._look(care)
        said = self._connections.get(care.link.network)
        if said is None:
            return _How(LinkState.CONNECTING, SOON)
        if said.state is ConnectionState.LOGGED_OUT:
            return _How(LinkState.BROKEN, None, said.reason or "network_logged_out")
        if said.state is ConnectionState.CONNECTED:
            return _How(LinkState.BROKEN, error.after or SOON, error.key)
        return _How(LinkState.BROKEN, SOON, said.reason or "connection_lost")

    async def _say(self, link: Linked, how: _How) -> None:
        await self._statuses.say(
            link.room, link.network, link.chat, by=link.by, state=how.state, reason=how.reason, code=how.code
        )


async def _always(_part: int) -> bool:
    """An answer may be said twice rather than not at all."""
    return True

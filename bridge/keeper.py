"""Keeps the links: reads from room state which are wanted, has each looked after, ends those that are wanted
no more.

What is wanted stands in ``chat.haven.link`` (CONTRACT, "Room state"). Events only nudge: the room's whole
state is read each time, and what it says is compared with what we do.
"""

import asyncio
import logging
from itertools import repeat

from haven.errors import GiveUp, Invalid, TryLater
from haven.ids import Network as NetworkName
from haven.ids import RoomId
from haven.ports import Content, StateEvent
from haven.stateevents import LINK, read_link

from .bugs import log_bug
from .caretaker import Caretaker
from .ghosts import Ghosts
from .homeserver import AppserviceHomeserver
from .links import Linked, Links
from .networks.events import Connection
from .offers import Offers
from .rooms import Rooms, RoomView

log = logging.getLogger(__name__)

SIDE_BY_SIDE = 8
PAUSE = 5.0
"""Seconds to wait where the homeserver does not answer."""


class Keeper:
    """Keeps all links in step with what the rooms say."""

    def __init__(
        self,
        *,
        homeserver: AppserviceHomeserver,
        rooms: Rooms,
        links: Links,
        ghosts: Ghosts,
        caretaker: Caretaker,
        offers: Offers,
    ) -> None:
        self._homeserver = homeserver
        self._rooms = rooms
        self._links = links
        self._ghosts = ghosts
        self._caretaker = caretaker
        self._offers = offers
        self._nudged: asyncio.Queue[RoomId] = asyncio.Queue()
        self._waiting: set[RoomId] = set()
        self._places = asyncio.Semaphore(SIDE_BY_SIDE)
        self.ready = asyncio.Event()

    def nudge(self, room: RoomId) -> None:
        """Something happened in ``room``; look at it soon."""
        if room not in self._waiting:
            self._waiting.add(room)
            self._nudged.put_nowait(room)

    async def connection(self, network: NetworkName, said: Connection) -> None:
        """A network says how it is reached."""
        self._caretaker.connection(network, said)

    async def run(self) -> None:
        """Look at every room, set ``ready``, then at each that is nudged, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._caretaker.run(), name="caretaker")
            await self._look_at_all()
            self.ready.set()
            while True:
                room = await self._nudged.get()
                tasks.create_task(self._look_until_seen(room), name="keeper: room")

    async def _look_at_all(self) -> None:
        await asyncio.gather(*map(self._look_until_seen, await self._rooms_now()))

    async def _rooms_now(self) -> tuple[RoomId, ...]:
        while True:
            try:
                return await self._homeserver.joined_rooms()
            except TryLater as error:
                await asyncio.sleep(error.after or 1.0)

    async def _look_until_seen(self, room: RoomId) -> None:
        async with self._places:
            while True:
                self._waiting.discard(room)
                try:
                    await self.look(room)
                    return
                except TryLater as error:
                    await asyncio.sleep(error.after or PAUSE)
                except Exception as error:  # one room's bug must not stop the others
                    log_bug(log, "looking at a room", error)
                    return

    async def look(self, room: RoomId) -> None:
        """Read the room's state and do what it asks for. Raises ``TryLater`` where the homeserver does not
        answer.
        """
        try:
            events = await self._homeserver.room_state(room)
        except GiveUp:
            await self._leave(room)
            return
        view = self._rooms.read(room, events)
        await self._take_along(room, view)
        wanted = {link.key: link for link in map(self._wanted, _link_events(view), repeat(room)) if link}
        for link in self._links.of_room(room):
            if link.key not in wanted:
                await self._end(link)
        for link in wanted.values():
            await self._want(link)
        # The room says "linked" until the ghosts are out, so that a crash in between is made good at the
        # next start.
        for network in self._caretaker.ended(room, set(wanted)) - {link.network for link in wanted.values()}:
            await self._ghosts.leave_all(network, room)
        await self._caretaker.end_wholes(room, set(wanted))
        await self._caretaker.say_unlinked(room, set(wanted))
        self._caretaker.stirred(room)
        await self._offers.answer(room)

    async def _take_along(self, room: RoomId, view: RoomView) -> None:
        """Carry the proof of links from a room that was upgraded to the one that took its place, where both say so."""
        pairs = [(room, view.replaced_by), (view.replaces, room)]
        for old, new in pairs:
            if old is None or new is None or self._rooms.view(new).replaces != old:
                continue
            if self._rooms.view(old).replaced_by == new:
                try:
                    await self._move(old, new)
                except GiveUp as error:
                    log.warning("A link could not be taken to an upgraded room: %s", error)

    async def _move(self, old: RoomId, new: RoomId) -> None:
        """What an operator of the chat has proven for the old room holds in the new one, if it is wanted there; the old one ends.

        The new room speaks first, so that a crash in between loses no proof.
        """
        before, after = self._rooms.view(old), self._rooms.view(new)
        for event in _link_events(before):
            proven = self._wanted(event, old)
            wanted = after.state.get((LINK, event.key))
            link = self._wanted(wanted, new) if wanted is not None else None
            if proven is None or not proven.proven or wanted is None or link is None:
                continue
            if not link.proven:
                await self._write(new, after, event.key, {**wanted.content, "proven": True})
            await self._write(old, before, event.key, {})
            self.nudge(old)
            self.nudge(new)

    async def _write(self, room: RoomId, view: RoomView, key: str, content: Content) -> None:
        event = await self._homeserver.send_state(room, LINK, key, content)
        view.note(LINK, key, self._homeserver.user, content, event)

    def _wanted(self, event: StateEvent, room: RoomId) -> Linked | None:
        try:
            link = read_link(event.content)
        except Invalid as error:
            log.warning("A damaged chat.haven.link was ignored: %s", error)
            return None
        if link is None or link.key != event.key:
            return None
        # Only our own word counts as proof: anybody who may write this event could write "proven" into it.
        proven = link.proven and event.sender == self._homeserver.user
        return Linked(room, link.network, link.chat, link.by, event.event, proven, link.whole)

    async def _want(self, link: Linked) -> None:
        there = self._links.find(link.room, link.network, link.chat)
        if there is not None and (there.event, there.proven) == (link.event, link.proven):
            self._caretaker.wake(there)
            return
        if there is not None:
            self._caretaker.dismiss(there)
        self._links.put(link)
        self._caretaker.look_after(link)

    async def _end(self, link: Linked) -> None:
        self._links.drop(link)
        self._caretaker.dismiss(link)
        await self._caretaker.close(link)

    async def _leave(self, room: RoomId) -> None:
        """The bot is no longer in the room: its links end, and there is nobody to tell."""
        self._rooms.forget(room)
        for link in self._links.of_room(room):
            self._links.drop(link)
            self._caretaker.dismiss(link)
            await self._caretaker.close(link)


def _link_events(view: RoomView) -> list[StateEvent]:
    return [event for (kind, _), event in view.state.items() if kind == LINK]

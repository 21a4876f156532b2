"""Keeps answers to announcements in their threads: takes out what members say elsewhere in the room, and tells them kindly.

Power levels cannot tell a message in a thread from another one, so this is done by looking. Only what was said since the levels
and settings in force were set is judged: what was allowed when it was said stays.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from haven.errors import GiveUp, HavenError
from haven.ids import EventId, RoomId, UserId
from haven.model import Community, Group, Kind, Replies
from haven.permissions import Right, has_right
from haven.reach import POWER
from haven.snapshot import Room
from haven.stateevents import COMMUNITY, GROUP

from ..events import Gap, Posted
from ..faults import reference_of
from ..homeserver_messages import Messenger
from ..timers import Timer, Timers
from ..wording import Line, Term, line
from .communities import Communities
from .groups import shown
from .notes import Notes, Place

log = logging.getLogger("haven.strays")

STRAY = "stray"
"""The kind of the timers that finish what a crash or a limit interrupted."""

BACK = 200
"""How many messages are looked at again after a start, or where the homeserver left some out."""

SECOND_LOOK = 30_000
"""Milliseconds after which a stray message is taken out that could not be at once."""

WAITING = 5_000
"""How many messages may wait to be looked at."""

NOTE_PAUSE = 300_000
"""Milliseconds in which one person gets at most one note: who writes ten messages has understood after the first."""


@dataclass(slots=True)
class Strays:
    """Judges what is said in announcements where answers belong in threads. `run` while the engine does."""

    communities: Communities
    messages: Messenger
    notes: Notes
    timers: Timers
    _waiting: asyncio.Queue[Posted | Gap] = field(default_factory=lambda: asyncio.Queue(WAITING))
    _noted: dict[tuple[RoomId, UserId], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.timers.rings[STRAY] = self._again

    def overhear(self, heard: Posted | Gap) -> None:
        """Something was said, or missed, in a room. Marks, and works on nothing here."""
        room = self.communities.rooms.world.get(heard.room)
        known = room is None or room.text(GROUP, "kind") == Kind.ANNOUNCEMENTS
        if known and not self._waiting.full():
            self._waiting.put_nowait(heard)

    async def run(self) -> None:
        """Keep order until cancelled; first of all in what was said while nobody was there."""
        for room in self.communities.rooms.world:
            self.overhear(Gap(room))
        while True:
            heard = await self._waiting.get()
            try:
                await self._heard(heard)
            except HavenError as error:
                log.warning("a message in announcements could not be judged: %s", error)
            except Exception as error:
                reference_of(log, error, "keeping order in announcements")
            finally:
                self._waiting.task_done()

    async def idle(self) -> None:
        """Wait until everything overheard has been judged."""
        await self._waiting.join()

    async def _heard(self, heard: Posted | Gap) -> None:
        if not await self._kept(heard.room):
            return
        for said in (heard,) if isinstance(heard, Posted) else await self.messages.recent(heard.room, BACK):
            order = await self._kept(heard.room)
            if order is not None and await self._is_stray(order, said):
                await self._put_right(order, said)

    async def _kept(self, room: RoomId) -> "_Order | None":
        """The order that is kept in a room, if there is one."""
        community = await self.communities.of_room(room)
        group = community.group(room) if community else None
        if community is None or group is None or group.kind is not Kind.ANNOUNCEMENTS:
            return None
        if community.settings.replies is not Replies.THREADS or community.deactivated is not None:
            return None
        rooms = [self.communities.rooms.world[each] for each in (room, community.space)]
        if any(
            at == 0 for at in _since(*rooms)
        ):  # our own writing, of which the server has not told the time
            self.communities.rooms.doubt((room, community.space))
            world = await self.communities.rooms.observe()
            rooms = [world[each] for each in (room, community.space) if each in world]
        if len(rooms) < 2 or ("m.room.encryption", "") in rooms[0].state:
            return None
        return _Order(community, group, rooms[0], max(_since(*rooms)))

    async def _is_stray(self, order: "_Order", said: Posted) -> bool:
        bot = self.communities.loop.actors.bot
        if said.sender == bot or said.at < order.since or not order.is_ordinary(said.sender):
            return False
        if said.edits:
            target = await self.messages.posted(said.room, said.edits)
            return target is None or await self._is_loose(order, target)
        return await self._is_loose(order, said)

    async def _is_loose(self, order: "_Order", said: Posted) -> bool:
        """Whether it stands outside of the threads of announcements."""
        return await self._announcement(order, said.thread) is None

    async def _announcement(self, order: "_Order", event: EventId) -> Posted | None:
        """An announcement by its event: what stands at the top of the room, said by somebody who may, or when everybody might."""
        root = await self.messages.posted(order.room.id, event) if event else None
        if root is None or root.thread or root.edits:
            return None
        bot = self.communities.loop.actors.bot
        may = root.sender == bot or root.at < order.since or not order.is_ordinary(root.sender)
        return root if may else None

    async def _put_right(self, order: "_Order", said: Posted) -> None:
        """Take it out and tell its author. The timer does it again where we are stopped in between."""
        root = await self._announcement(order, said.reply_to)
        payload = {"room": said.room, "who": said.sender, "root": root.event if root else ""}
        payload |= {"quiet": "yes"} if said.command or await self._is_told(said) else {}
        await self.timers.set(STRAY, said.event, self.timers.epoch() + SECOND_LOOK, payload)
        await self._carry_out(said.event, payload)
        await self.timers.cancel(STRAY, said.event)

    async def _is_told(self, said: Posted) -> bool:
        """Whether its author has heard of it: an edit of what was taken out, or one of many."""
        now, key = self.timers.epoch(), (said.room, said.sender)
        recently = now - self._noted.get(key, 0) < NOTE_PAUSE
        self._noted = {each: at for each, at in self._noted.items() if now - at < NOTE_PAUSE}
        self._noted.setdefault(key, now)
        return recently

    async def _again(self, timer: Timer) -> None:
        await self._carry_out(EventId(timer.key), timer.payload)

    async def _carry_out(self, event: EventId, payload: Mapping[str, str]) -> None:
        room, user = RoomId(payload["room"]), UserId(payload["who"])
        community = await self.communities.of_room(room)
        group = community.group(room) if community else None
        if community is None or group is None:
            return
        language, root = community.settings.language, EventId(payload["root"])
        reason = self.notes.replies.wording(language).text(Term("stray.reason"))
        take_out = self.messages.take_out
        await self.notes.replies.patiently(lambda: take_out(room, event, reason, f"stray.{event}"))
        if "quiet" not in payload:
            place = Place(room, thread=root or None)
            try:
                await self.notes.give(user, language, self._note(community, group), place, f"note.{event}")
            except GiveUp as error:
                log.info("the author of a stray message could not be told: %s", error)

    def _note(self, community: Community, group: Group) -> tuple[Line, ...]:
        room = shown(self.communities.rooms.world, community, group)
        return (line("stray.note", room=room),)


@dataclass(frozen=True, slots=True)
class _Order:
    """What is kept in one room of announcements. ``since``: from when on its rules hold, in ms since the epoch."""

    community: Community
    group: Group
    room: Room
    since: int

    def is_ordinary(self, user: UserId) -> bool:
        """Whether somebody may not announce."""
        strong = self.room.power_of(user) >= self.room.power.events_default
        return not strong and not has_right(self.community, user, Right.ANNOUNCE)


def _since(room: Room, space: Room) -> tuple[int, int]:
    """When the levels of the room and the record of the community were set."""
    events = room.state.get((POWER, "")), space.state.get((COMMUNITY, ""))
    return (events[0].at if events[0] else 0, events[1].at if events[1] else 0)

"""The rooms of XMPP that we want to be in: entered whenever we are connected, entered again where we fell out, until they do not want us."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from xml.etree import ElementTree as ET

from haven.errors import GiveUp, Invalid, TryLater, Unreachable
from haven.ids import ChatId, RemoteMessageId

from .base import Place
from .events import ChatEvent, ChatGone, Event, Talk
from .irc_pace import Backoff
from .xmpp_connection import XmppConnection
from .xmpp_known import Known
from .xmpp_own import Own
from .xmpp_room import Room
from .xmpp_settings import XmppSettings
from .xmpp_wanted import MADE, PATIENCE, Wanted

_BARRED = 60.0
"""Seconds for which we do not try to enter a room that put us out."""


class Rooms:
    """All rooms of a network, over all its connections. ``say`` takes what happens in them; ``keeps_up`` returns when that is stored."""

    def __init__(
        self,
        settings: XmppSettings,
        own: Own,
        *,
        say: Callable[[ChatEvent], None],
        new_id: Callable[[], str],
        keeps_up: Callable[[], Awaitable[None]],
    ) -> None:
        self._settings = settings
        self._own = own
        self._say = say
        self._new_id = new_id
        self._keeps_up = keeps_up
        self._wanted: dict[ChatId, Wanted] = {}
        self._known: dict[ChatId, Known] = {}
        self._stays: dict[ChatId, asyncio.Task[None]] = {}
        self._barred: dict[ChatId, tuple[float, GiveUp]] = {}
        self._connection: XmppConnection | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self.entered: dict[ChatId, Room] = {}

    def begin(self, connection: XmppConnection, tasks: asyncio.TaskGroup) -> None:
        """We are connected: enter those that are wanted."""
        self._connection, self._tasks = connection, tasks
        for wanted in self._wanted.values():
            self._stay_in(wanted)

    def end(self) -> None:
        """We are connected no more."""
        self._connection = self._tasks = None
        for stay in self._stays.values():
            stay.cancel()
        self._stays.clear()
        for wanted in self._wanted.values():
            wanted.settle(Unreachable("network_unreachable"))

    async def open(self, chat: ChatId, after: Place | None) -> None:
        """See ``Network.open``. The chat is the room's address, ``fathers@rooms.example.org``."""
        if not _is_room(chat):
            raise Invalid("network_no_such_chat")
        until, error = self._barred.get(chat, (0.0, None))
        if error is not None and time.monotonic() < until:
            raise error
        wanted = self._wanted.get(chat)
        if wanted is None:
            backoff = Backoff(
                self._settings.retry_least, self._settings.retry_most, secrets.SystemRandom().random
            )
            wanted = self._wanted[chat] = Wanted(chat, backoff, place=after)
        if self._connection is None:
            raise TryLater("network_unreachable")
        self._stay_in(wanted)
        room = self.entered.get(chat)
        if room is None or not room.settled:
            await wanted.entered(PATIENCE)

    async def close(self, chat: ChatId) -> Room | None:
        """Want to be in it no more; the room, where we were in."""
        wanted, stay = self._wanted.pop(chat, None), self._stays.pop(chat, None)
        room = self.entered.get(chat)
        self._known.pop(chat, None)
        self._barred.pop(chat, None)
        if wanted is not None:
            wanted.settle(Invalid("network_no_such_chat"))
        if stay is not None:
            stay.cancel()
            await asyncio.wait([stay])
        return room

    def inside(self, chat: ChatId) -> Room:
        """The room, if we are in it now and have caught up; ``TryLater`` else."""
        room = self.entered.get(chat)
        if room is None or not room.settled:
            raise TryLater("network_not_inside")
        return room

    def known(self, chat: ChatId) -> Known:
        """What is remembered of a room."""
        return self._known.setdefault(chat, Known())

    def hear(self, chat: ChatId, stanza: ET.Element) -> None:
        """Something of a room came, to us."""
        room = self.entered.get(chat)
        if room is not None:
            room.hear(stanza)

    def stored(self, event: Event) -> None:
        """An event is on disk: the next life goes on after it. What the room gave no id is no place to go on from."""
        if isinstance(event, Talk) and event.chat in self._wanted and not event.id.startswith(MADE):
            self._wanted[event.chat].heard(RemoteMessageId(event.id.partition(MADE)[0]), event.at)

    # --- inside ----------------------------------------------------------------------------------------------------------

    def _stay_in(self, wanted: Wanted) -> None:
        stay = self._stays.get(wanted.chat)
        if self._tasks is not None and self._connection is not None and (stay is None or stay.done()):
            self._stays[wanted.chat] = self._tasks.create_task(self._stay(wanted, self._connection))

    async def _stay(self, wanted: Wanted, connection: XmppConnection) -> None:
        """Be in a room, enter it again where we fell out of it; until we are not wanted there."""
        while True:
            room = self.entered[wanted.chat] = self._room(wanted, connection)
            try:
                await room.run()
            except GiveUp as error:
                self._not_wanted(wanted, error)
                return
            except TryLater as error:
                wanted.settle(error)
            finally:
                if self.entered.get(wanted.chat) is room:
                    del self.entered[wanted.chat]
            await asyncio.sleep(wanted.backoff.next())

    def _room(self, wanted: Wanted, connection: XmppConnection) -> Room:
        return Room(
            wanted,
            connection,
            self._own,
            self.known(wanted.chat),
            nick=self._settings.nick,
            alive=self._settings.alive,
            say=self._say,
            new_id=self._new_id,
            keeps_up=self._keeps_up,
        )

    def _not_wanted(self, wanted: Wanted, error: GiveUp) -> None:
        """We are not let in, or are out for good. Who asked is told; where nobody did, we had been in."""
        self._wanted.pop(wanted.chat, None)
        if wanted.settle(error):
            return
        self._barred[wanted.chat] = (time.monotonic() + _BARRED, error)
        reason = str(error.values.get("reason", error.key))
        self._say(ChatGone(RemoteMessageId(MADE + self._new_id()), wanted.chat, reason))


def _is_room(chat: str) -> bool:
    """Whether this can be the address of a room: a name and a domain, in the one spelling that all have in common."""
    name, _, domain = chat.partition("@")
    return (
        bool(name and domain) and "/" not in chat and chat == chat.lower() and not any(map(str.isspace, chat))
    )

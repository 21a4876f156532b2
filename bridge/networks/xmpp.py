"""XMPP as a network: many rooms over one connection, each Matrix member an occupant (as a component) or all of them one account.

What stands in a room's archive is told from where we heard it last. What we send is known to have arrived when the room hands it on to us; when the
connection breaks before, the archive tells.
"""

import asyncio
import itertools
import secrets
import time
from contextlib import suppress
from xml.etree import ElementTree as ET

from haven.errors import GiveUp, Invalid, Refused, TryLater, Unreachable
from haven.ids import ChatId, RemoteMessageId
from haven.ids import Network as NetworkName

from ..message import Attachment, MediaKind
from ..section import Section
from . import xmpp_errors
from .acts import Claim, Outgoing, Receipt
from .base import Capabilities, Place
from .events import ChatEvent, ChatGone, ConnectionState, Event, Person, Receive, Talk
from .irc_pace import Backoff, Pace
from .lasting import BACKLOG, Lasting
from .media import Body
from .xmpp_connection import XmppConnection
from .xmpp_known import Known
from .xmpp_occupants import Occupants
from .xmpp_own import Own
from .xmpp_room import Room
from .xmpp_sending import Sending, Voice, voice_of
from .xmpp_settings import XmppSettings, read_settings
from .xmpp_styling import STYLES
from .xmpp_upload import Uploads
from .xmpp_wanted import MADE, Wanted
from .xmpp_wording import TEXT_BYTES, Content
from .xmpp_xml import CLIENT, bare, make

_FRESH = 15.0
"""Seconds after which a silent server is asked whether it is there before anything is written to it."""
_DOUBT = 60.0
"""Seconds for which we wait to hear what became of something that we sent."""
_BARRED = 60.0
"""Seconds for which we do not try to enter a room that put us out."""


class XmppNetwork:
    """XMPP behind the ``Network`` port; also ``SetsTopic``, ``ListsMembers``, ``UploadsMedia`` and ``Checks``."""

    def __init__(self, settings: XmppSettings, name: str = "xmpp") -> None:
        self._settings = settings
        self._name = NetworkName(name)
        self._own = Own(settings.secret)
        self._sending = Sending(self._own)
        self._pace = Pace(settings.burst, settings.rate, time.monotonic)
        self._wanted: dict[ChatId, Wanted] = {}
        self._known: dict[ChatId, Known] = {}
        self._rooms: dict[ChatId, Room] = {}
        self._stays: dict[ChatId, asyncio.Task[None]] = {}
        self._barred: dict[ChatId, tuple[float, GiveUp]] = {}
        self._connection: XmppConnection | None = None
        self._occupants: Occupants | None = None
        self._uploads: Uploads | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._ids = map(f"{secrets.token_hex(8)}-{{}}".format, itertools.count())
        self._lasting = Lasting(self._once, self._stored, settings.retry_least, settings.retry_most)

    @property
    def name(self) -> NetworkName:
        """See the port."""
        return self._name

    @property
    def capabilities(self) -> Capabilities:
        """See the port."""
        return Capabilities(
            formatting=STYLES,
            edits=True,
            deletions=True,
            reactions=True,
            replies=True,
            sends_as_person=bool(self._settings.component),
            topic_from_network=True,
            topic_to_network=True,
            lists_members=True,
            roles=True,
            history=True,
            media=frozenset(MediaKind)
            if self._uploads is not None and self._uploads.service
            else frozenset(),
            media_bytes=self._uploads.most if self._uploads is not None else None,
            text_bytes=TEXT_BYTES,
        )

    # --- staying connected -----------------------------------------------------------------------------------------------

    async def run(self, receive: Receive) -> None:
        """See the port."""
        await self._lasting.run(receive)

    async def _once(self) -> None:
        """Connect, be in the rooms that are wanted, return when the connection is lost."""
        connection = XmppConnection(self._settings, self._heard)
        try:
            await connection.open()
            await self._over(connection)
        finally:
            self._connection = self._tasks = self._uploads = None
            if self._occupants is not None:
                self._occupants.gone()
            for wanted in self._wanted.values():
                wanted.settle(Unreachable("network_unreachable"))
            await connection.close()

    async def _over(self, connection: XmppConnection) -> None:
        async with asyncio.TaskGroup() as tasks:
            self._connection, self._tasks = connection, tasks
            self._occupants = Occupants(connection, self._own, self._settings.idle)
            self._uploads = Uploads(self._settings, connection)
            work = [tasks.create_task(self._occupants.leave_idle()), tasks.create_task(self._uploads.find())]
            self._lasting.say_state(ConnectionState.CONNECTED)
            for wanted in self._wanted.values():
                self._stay_in(wanted)
            await connection.lost()
            for task in (*work, *self._stays.values()):
                task.cancel()
            self._stays.clear()

    def _stored(self, event: Event) -> None:
        """An event is on disk: the next life goes on after it."""
        # What the room gave no id is no place to go on from.
        if isinstance(event, Talk) and event.chat in self._wanted and not event.id.startswith(MADE):
            self._wanted[event.chat].heard(RemoteMessageId(event.id.partition(MADE)[0]), event.at)
        if self._connection is not None and self._lasting.waiting < BACKLOG // 10:
            self._connection.pause(paused=False)

    # --- rooms -----------------------------------------------------------------------------------------------------------

    async def open(self, chat: ChatId, after: Place | None = None) -> None:
        """See the port. The chat is the room's address, ``fathers@rooms.example.org``."""
        if not _is_room(chat):
            raise Invalid("network_no_such_chat")
        until, error = self._barred.get(chat, (0.0, None))
        if error is not None and time.monotonic() < until:
            raise error
        wanted = self._wanted.get(chat)
        if wanted is None:
            wanted = self._wanted[chat] = Wanted(chat, self._backoff(), after)
        if self._connection is None:
            raise TryLater("network_unreachable")
        self._stay_in(wanted)
        room = self._rooms.get(chat)
        if room is None or not room.settled:
            await wanted.entered()

    async def close(self, chat: ChatId) -> None:
        """See the port."""
        wanted = self._wanted.pop(chat, None)
        stay = self._stays.pop(chat, None)
        room = self._rooms.get(chat)
        self._known.pop(chat, None)
        self._barred.pop(chat, None)
        if wanted is not None:
            wanted.settle(Invalid("network_no_such_chat"))
        if stay is not None:
            stay.cancel()
            await asyncio.wait([stay])
        if self._occupants is not None:
            self._occupants.leave(chat)
        if room is not None and self._connection is not None:
            with suppress(Unreachable):
                room.leave()
                await self._connection.awake()

    async def members(self, chat: ChatId) -> tuple[Person, ...]:
        """See the port."""
        return tuple(self._in(chat).people)

    def _stay_in(self, wanted: Wanted) -> None:
        stay = self._stays.get(wanted.chat)
        if self._tasks is not None and self._connection is not None and (stay is None or stay.done()):
            self._stays[wanted.chat] = self._tasks.create_task(self._stay(wanted, self._connection))

    async def _stay(self, wanted: Wanted, connection: XmppConnection) -> None:
        """Be in a room, enter it again where we fell out of it; until we are not wanted there."""
        while True:
            room = self._rooms[wanted.chat] = self._room(wanted, connection)
            try:
                await room.run()
            except GiveUp as error:
                self._not_wanted(wanted, error)
                return
            except TryLater as error:
                wanted.settle(error)
            finally:
                if self._rooms.get(wanted.chat) is room:
                    del self._rooms[wanted.chat]
            await asyncio.sleep(wanted.backoff.next())

    def _room(self, wanted: Wanted, connection: XmppConnection) -> Room:
        return Room(
            wanted,
            connection,
            self._own,
            self._known.setdefault(wanted.chat, Known()),
            nick=self._settings.nick,
            alive=self._settings.alive,
            say=self._say,
            new_id=self._new_id,
            keeps_up=self._lasting.stored_all,
        )

    def _not_wanted(self, wanted: Wanted, error: GiveUp) -> None:
        """We are not let in, or are out for good. Who asked is told; where nobody did, we had been in."""
        self._wanted.pop(wanted.chat, None)
        if wanted.settle(error):
            return
        self._barred[wanted.chat] = (time.monotonic() + _BARRED, error)
        reason = str(error.values.get("reason", error.key))
        self._say(ChatGone(RemoteMessageId(MADE + self._new_id()), wanted.chat, reason))

    # --- what is heard -----------------------------------------------------------------------------------------------------

    def _heard(self, stanza: ET.Element) -> None:
        connection, chat = self._connection, ChatId(bare(stanza.get("from", "")))
        if connection is None:
            return
        ours = stanza.get("to", connection.address) == connection.address
        if stanza.tag == f"{CLIENT}message" and stanza.get("type") == "error":
            self._refused(chat, stanza)
        elif ours:
            if chat in self._rooms:
                self._rooms[chat].hear(stanza)
        elif stanza.tag == f"{CLIENT}presence" and self._occupants is not None:
            self._occupants.hear(stanza)

    def _refused(self, chat: ChatId, stanza: ET.Element) -> None:
        """A room did not hand on what we said."""
        if xmpp_errors.condition(stanza) == "not-acceptable" and self._occupants is not None:
            self._occupants.lost(chat, stanza.get("to", ""))
        self._own.refused(chat, stanza.get("id", ""), xmpp_errors.speaking(stanza))

    def _say(self, event: ChatEvent) -> None:
        self._lasting.say(event)
        if self._connection is not None and self._lasting.waiting > BACKLOG:
            self._connection.pause(paused=True)

    # --- what is said ------------------------------------------------------------------------------------------------------

    async def send(self, outgoing: Outgoing, claim: Claim) -> Receipt:
        """See the port. ``Refused`` when the room does not let it through."""
        chat = outgoing.chat
        await self._awake(chat)
        voice = await self._voice(outgoing)
        known = self._known.setdefault(chat, Known())
        written: list[tuple[int, RemoteMessageId]] = []
        for part, content in enumerate(await self._sending.contents(self._in(chat), known, voice, outgoing)):
            await self._pace.wait()
            name = self._own.name(chat, outgoing.key, part)
            self._in(chat)
            if await claim(part):
                message = await self._write(voice.address, chat, name, content)
            else:
                message = known.ours(name)
            if message is not None:
                written.append((part, message))
        return Receipt(tuple(written))

    async def _voice(self, outgoing: Outgoing) -> Voice:
        occupants = self._occupants if self._settings.component else None
        return await voice_of(self._in(outgoing.chat), occupants, outgoing.sender)

    async def _write(self, address: str, chat: ChatId, name: str, content: Content) -> RemoteMessageId | None:
        """Write a message and return the room's id of it; ``None`` where it stays in doubt. Nothing is awaited before it is written."""
        connection = self._in_touch()
        answer = self._own.expect(chat, name, connection)
        message = make(f"{CLIENT}message", *content, type="groupchat", id=name, to=chat, from_=address)
        try:
            connection.send(message)
            async with asyncio.timeout(_DOUBT):
                return await answer
        except TimeoutError:
            return None
        finally:
            answer.cancel()

    async def set_topic(self, chat: ChatId, topic: str) -> None:
        """See the port."""
        await self._awake(chat)
        await self._pace.wait()
        room, connection = self._in(chat), self._in_touch()
        room.expects_topic(topic)
        name = self._own.name(chat, f"subject {self._new_id()}", 0)
        answer = self._own.expect(chat, name, connection)
        subject = make(f"{CLIENT}subject", text=topic)
        try:
            connection.send(
                make(
                    f"{CLIENT}message", subject, type="groupchat", id=name, to=chat, from_=connection.address
                )
            )
            await connection.awake()
            # Servers need not keep the id of a subject: where no refusal came before the server's next answer, none will.
            self._own.echoed(chat, name, None)
            await answer
        except Refused as error:
            raise Refused("network_refused", reason="operators_only") from error
        finally:
            answer.cancel()

    async def upload(self, chat: ChatId, attachment: Attachment, body: Body) -> str:
        """See `networks.media.UploadsMedia`; a file has the same address for all rooms."""
        self._in_touch()
        if self._uploads is None:
            raise TryLater("network_unreachable")
        return await self._uploads.put(attachment, body)

    async def check(self) -> None:
        """See the port."""
        connection = XmppConnection(self._settings, lambda _stanza: None)
        try:
            await connection.open()
        finally:
            await connection.close()

    async def _awake(self, chat: ChatId) -> None:
        """Do not write into a connection that may be dead: ask a server that has been silent."""
        self._in(chat)
        connection = self._in_touch()
        if connection.quiet > _FRESH:
            await connection.awake()

    def _in_touch(self) -> XmppConnection:
        """The connection; ``TryLater`` where there is none."""
        if self._connection is None or not self._connection.connected:
            raise TryLater("network_unreachable")
        return self._connection

    def _in(self, chat: ChatId) -> Room:
        """The room, if we are in it now and have caught up; ``TryLater`` else."""
        self._in_touch()
        room = self._rooms.get(chat)
        if room is None or not room.settled:
            raise TryLater("network_not_inside")
        return room

    # --- small things ------------------------------------------------------------------------------------------------------

    def _backoff(self) -> Backoff:
        return Backoff(self._settings.retry_least, self._settings.retry_most, secrets.SystemRandom().random)

    def _new_id(self) -> str:
        return next(self._ids)


def _is_room(chat: str) -> bool:
    """Whether this can be the address of a room: a name and a domain, in the one spelling that all have in common."""
    name, _, domain = chat.partition("@")
    return (
        bool(name and domain) and "/" not in chat and chat == chat.lower() and not any(map(str.isspace, chat))
    )


def build(section: Section) -> XmppNetwork:
    """The network that ``section`` of the configuration describes; what stands under the entry point ``xmpp``."""
    return XmppNetwork(read_settings(section), section.path.rpartition(".")[2] or "xmpp")

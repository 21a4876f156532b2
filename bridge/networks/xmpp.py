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

from haven.errors import Refused, TryLater, Unreachable
from haven.ids import ChatId, RemoteMessageId, RemoteUserId, UserId
from haven.ids import Network as NetworkName

from ..message import Attachment, MediaKind
from ..section import Section
from . import xmpp_errors
from .acts import Claim, Delete, Outgoing, Receipt
from .base import Capabilities, Place
from .events import ConnectionState, Event, Person, Receive, Role
from .irc_pace import Pace
from .lasting import Lasting
from .media import Body
from .people import Picture
from .xmpp_connection import XmppConnection
from .xmpp_occupants import Occupants
from .xmpp_own import Own
from .xmpp_pictures import picture_of
from .xmpp_room import Room
from .xmpp_rooms import Rooms
from .xmpp_ruling import Ruling
from .xmpp_sending import Sending, Voice, voice_of
from .xmpp_settings import XmppSettings, read_settings
from .xmpp_styling import STYLES
from .xmpp_upload import Uploads
from .xmpp_wording import TEXT_BYTES, Content
from .xmpp_xml import CLIENT, bare, make

_FRESH = 15.0
"""Seconds after which a silent server is asked whether it is there before anything is written to it."""
_DOUBT = 60.0
"""Seconds for which we wait to hear what became of something that we sent."""


class XmppNetwork:
    """XMPP behind the ``Network`` port; also ``LooksUp``, ``SetsTopic``, ``ListsMembers``, ``UploadsMedia``, ``KnowsAccounts``, ``SetsRoles``, ``PutsOut``, ``Bans``,
    ``HasPictures`` and ``Checks``.
    """

    def __init__(self, settings: XmppSettings, name: str = "xmpp") -> None:
        self._settings = settings
        self._name = NetworkName(name)
        self._own = Own(settings.secret)
        self._sending = Sending(self._own)
        self._pace = Pace(settings.burst, settings.rate, time.monotonic)
        self._connection: XmppConnection | None = None
        self._occupants: Occupants | None = None
        self._uploads: Uploads | None = None
        self._ids = map(f"{secrets.token_hex(8)}-{{}}".format, itertools.count())
        self._lasting = Lasting(
            self._once, self._stored, self._pause, least=settings.retry_least, most=settings.retry_most
        )
        self._rooms = Rooms(
            settings, self._own, say=self._lasting.say, new_id=self._new_id, keeps_up=self._lasting.stored_all
        )

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
            self._connection = self._uploads = None
            if self._occupants is not None:
                self._occupants.gone()
            self._rooms.end()
            await connection.close()

    async def _over(self, connection: XmppConnection) -> None:
        async with asyncio.TaskGroup() as tasks:
            self._connection = connection
            self._occupants = Occupants(connection, self._own, self._settings.idle)
            self._uploads = Uploads(self._settings, connection)
            work = [tasks.create_task(self._occupants.leave_idle()), tasks.create_task(self._uploads.find())]
            self._lasting.say_state(ConnectionState.CONNECTED)
            self._rooms.begin(connection, tasks)
            await connection.lost()
            self._rooms.end()
            for task in work:
                task.cancel()

    def _stored(self, event: Event) -> None:
        """An event is on disk."""
        self._rooms.stored(event)

    def _pause(self, paused: bool) -> None:
        if self._connection is not None:
            self._connection.pause(paused=paused)

    # --- rooms -----------------------------------------------------------------------------------------------------------

    async def open(self, chat: ChatId, after: Place | None = None) -> None:
        """See the port. The chat is the room's address, ``fathers@rooms.example.org``."""
        await self._rooms.open(chat, after)

    async def close(self, chat: ChatId) -> None:
        """See the port."""
        room = await self._rooms.close(chat)
        if self._occupants is not None:
            self._occupants.leave(chat)
        if room is not None and self._connection is not None:
            with suppress(Unreachable):
                room.leave()
                await self._connection.awake()

    async def members(self, chat: ChatId) -> tuple[Person, ...]:
        """See the port."""
        return tuple(self._in(chat).people)

    # --- what is heard -----------------------------------------------------------------------------------------------------

    def _heard(self, stanza: ET.Element) -> None:
        connection, chat = self._connection, ChatId(bare(stanza.get("from", "")))
        if connection is None:
            return
        ours = stanza.get("to", connection.address) == connection.address
        if stanza.tag == f"{CLIENT}message" and stanza.get("type") == "error":
            self._refused(chat, stanza)
        elif ours:
            self._rooms.hear(chat, stanza)
        elif stanza.tag == f"{CLIENT}presence" and self._occupants is not None:
            self._occupants.hear(stanza)

    def _refused(self, chat: ChatId, stanza: ET.Element) -> None:
        """A room did not hand on what we said."""
        if xmpp_errors.condition(stanza) == "not-acceptable" and self._occupants is not None:
            self._occupants.lost(chat, stanza.get("to", ""))
        self._own.refused(chat, stanza.get("id", ""), xmpp_errors.speaking(stanza))

    # --- what is said ------------------------------------------------------------------------------------------------------

    async def send(self, outgoing: Outgoing, claim: Claim) -> Receipt:
        """See the port. ``Refused`` when the room does not let it through."""
        chat = outgoing.chat
        await self._awake(chat)
        voice = await self._voice(outgoing)
        known = self._rooms.known(chat)
        written: list[tuple[int, RemoteMessageId]] = []
        if isinstance(outgoing.act, Delete) and not await self._is_ours(outgoing.chat, outgoing.act.target):
            await Ruling(self._in_touch(), self._in(chat)).retract(outgoing.act.target)
            return Receipt()
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

    async def sent(self, outgoing: Outgoing, part: int) -> RemoteMessageId | None:
        """See `LooksUp`; by the id that we give to each part."""
        name = self._own.name(outgoing.chat, outgoing.key, part)
        return await self._in(outgoing.chat).find_own(name)

    async def _voice(self, outgoing: Outgoing) -> Voice:
        occupants = self._occupants if self._settings.component else None
        return await voice_of(self._in(outgoing.chat), occupants, outgoing.sender)

    async def _is_ours(self, chat: ChatId, message: RemoteMessageId) -> bool:
        """Whether we wrote a message; one that nobody remembers may be ours."""
        author = await self._in(chat).talker.author(message)
        return author is None or self._own.made(chat, author.chosen)

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

    # --- people ------------------------------------------------------------------------------------------------------------

    async def accounts(self, chat: ChatId) -> tuple[tuple[UserId, Person], ...]:
        """See `KnowsAccounts`: the occupants of a component."""
        room = self._in(chat)
        there = self._occupants.in_room(room) if self._occupants is not None else ()
        return tuple((occupant.user, person) for occupant, person in there)

    async def picture(self, person: Person) -> Picture | None:
        """See `HasPictures`; only of who is in a room now."""
        connection = self._in_touch()
        for room in self._rooms.entered.values():
            nick = room.people.nick(person.id)
            if nick is not None and person.picture:
                return await picture_of(connection, room, nick, person.picture)
        raise TryLater("network_not_inside")

    async def set_role(self, chat: ChatId, person: RemoteUserId, role: Role) -> None:
        """See `SetsRoles`."""
        room = self._in(chat)
        own = self._occupants.in_room(room) if self._occupants is not None else ()
        for occupant, who in own:
            if who.id == person:
                if who.role is not role:
                    ruling = Ruling(self._in_touch(), room)
                    await ruling.set_role(person, role, nick=occupant.nick, address=occupant.address)
                return
        await Ruling(self._in_touch(), room).set_role(person, role)

    async def put_out(self, chat: ChatId, person: RemoteUserId) -> None:
        """See `PutsOut`."""
        await Ruling(self._in_touch(), self._in(chat)).put_out(person)

    async def ban(self, chat: ChatId, person: RemoteUserId) -> None:
        """See `Bans`; only who was seen in the room, by somebody who may see who people are."""
        await Ruling(self._in_touch(), self._in(chat)).ban(person)

    async def unban(self, chat: ChatId, person: RemoteUserId) -> None:
        """See `Bans`."""
        await Ruling(self._in_touch(), self._in(chat)).unban(person)

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
        return self._rooms.inside(chat)

    # --- small things ------------------------------------------------------------------------------------------------------

    def _new_id(self) -> str:
        return next(self._ids)


def build(section: Section) -> XmppNetwork:
    """The network that ``section`` of the configuration describes; what stands under the entry point ``xmpp``."""
    return XmppNetwork(read_settings(section), section.path.rpartition(".")[2] or "xmpp")

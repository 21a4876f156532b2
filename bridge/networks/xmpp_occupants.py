"""The Matrix members as occupants of XMPP's rooms, each under their own nick: they enter when they first speak, and leave when they are silent for long.

Only a component (XEP-0114) can have them: each is an address of its domain.
"""

import asyncio
import contextlib
import stringprep
import time
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from haven.errors import GiveUp, HavenError, Refused, TryLater, Unreachable
from haven.ids import ChatId, UserId

from ..convert.names import safe_name
from . import xmpp_errors
from .acts import Sender
from .events import Person, Role
from .xmpp_connection import XmppConnection
from .xmpp_own import Own
from .xmpp_people import Seen, read_presence
from .xmpp_room import Room
from .xmpp_xml import CLIENT, MUC, MUC_ADMIN, bare, make

_LETS_IN = 30.0
"""Seconds that a room may take to answer who enters."""
_NICKS = 20
"""Nicks that we try for one name."""
_LONGEST = 40
"""Characters of a name that become a nick."""
_BARRED = 60.0
"""Seconds for which somebody who was put out stays out."""


class _Taken(Exception):
    """The nick is somebody else's."""


@dataclass(slots=True, eq=False)
class Occupant:
    """A member in a room. ``name``: the display name that the nick was made from; ``occupant``: the room's id of them."""

    user: UserId
    chat: ChatId
    address: str
    name: str = ""
    nick: str = ""
    occupant: str = ""
    role: Role = Role.MEMBER
    inside: bool = False
    used: float = 0.0
    barred: float = 0.0
    answer: "asyncio.Future[None] | None" = None


class Occupants:
    """All occupants of one connection."""

    def __init__(self, connection: XmppConnection, own: Own, idle: float) -> None:
        self._connection = connection
        self._own = own
        self._idle = idle
        self._all: dict[tuple[ChatId, str], Occupant] = {}

    async def speaker(self, room: Room, sender: Sender) -> Occupant | None:
        """The occupant of ``sender``, in the room under their name; ``None`` where the room has no place for them, but would let us in.

        ``Refused`` where the room does not want them.
        """
        address = self._connection.occupant(sender.user)
        there = self._all.setdefault((room.chat, address), Occupant(sender.user, room.chat, address))
        there.used = time.monotonic()
        if time.monotonic() < there.barred:
            raise Refused("network_refused", reason="removed")
        if not there.inside or there.name != sender.name:
            try:
                await self._enter(room, there, sender.name)
            except _Unwelcome:
                return None
        return there

    def lost(self, chat: ChatId, address: str) -> None:
        """The room does not know one of ours any more."""
        there = self._all.get((chat, address))
        if there is not None:
            there.inside = False

    def hear(self, stanza: ET.Element) -> None:
        """A presence for one of ours."""
        chat, address = ChatId(bare(stanza.get("from", ""))), stanza.get("to", "")
        there = self._all.get((chat, address))
        if there is None:
            self._forgotten(stanza, chat, address)
        elif stanza.get("type") == "error":
            taken = xmpp_errors.condition(stanza) == "conflict"
            self._answer(there, _Taken() if taken else xmpp_errors.entering(stanza))
        elif "110" in (seen := read_presence(stanza)).statuses:
            self._hear_own(there, seen)

    def _hear_own(self, there: Occupant, seen: Seen) -> None:
        if seen.there:
            self._own.is_known_as(there.chat, seen.occupant)
            there.occupant, there.nick, there.role, there.inside = seen.occupant, seen.nick, seen.role, True
            self._own.claims(there.chat, seen.nick, there.address)
            self._answer(there, None)
        elif "303" in seen.statuses:
            self._own.gives_up(there.chat, seen.nick, there.address)
        else:
            there.inside = False
            self._own.gives_up(there.chat, there.nick, there.address)
            if {"301", "307"} & seen.statuses:
                there.barred = time.monotonic() + _BARRED

    def _forgotten(self, stanza: ET.Element, chat: ChatId, address: str) -> None:
        """An occupant of an earlier life is still in a room: it leaves."""
        if stanza.get("type") is None and "@" in address and address != self._connection.address:
            self._say_goodbye(chat, address)

    # --- entering and leaving --------------------------------------------------------------------------------------------

    async def _enter(self, room: Room, there: Occupant, name: str) -> None:
        """Be in the room under ``name``, or one like it that is free; who is in already changes their nick."""
        for nick in self._nicks(room, there, name):
            if there.inside and nick == there.nick:
                break
            try:
                await self._take(there, nick)
                break
            except _Taken:
                continue
            except Refused as error:
                if error.values.get("reason") not in {"invite_only", "nick_refused"}:
                    raise
                if error.values.get("reason") == "nick_refused" or not await self._made_member(room, there):
                    raise _Unwelcome from None
                await self._take(there, nick)
                break
            except TryLater as error:
                if error.key == "network_chat_full":
                    raise _Unwelcome from None
                raise
        if not there.inside:
            raise _Unwelcome
        there.name = name

    def _nicks(self, room: Room, there: Occupant, name: str) -> Iterator[str]:
        wish = nick_of(name)
        for again in range(_NICKS):
            nick = f"{wish} {again + 1}" if again else wish
            ours = self._own.has_nick(room.chat, nick) and nick != there.nick
            if not ours and not room.people.has(nick):
                yield nick

    async def _take(self, there: Occupant, nick: str) -> None:
        """Ask the room for ``nick``. Raises what it says: `_Taken`, or an error of entering."""
        self._own.claims(there.chat, nick, there.address)
        there.answer = asyncio.get_running_loop().create_future()
        try:
            self._connection.send(_presence(there.address, f"{there.chat}/{nick}"))
            async with asyncio.timeout(_LETS_IN):
                await there.answer
        except BaseException as error:
            if nick != there.nick or not there.inside:
                self._own.gives_up(there.chat, nick, there.address)
            if isinstance(error, TimeoutError):
                raise TryLater("network_unreachable") from None
            raise
        finally:
            there.answer = None

    def _answer(self, there: Occupant, error: Exception | None) -> None:
        if there.answer is not None and not there.answer.done():
            there.answer.set_exception(error) if error else there.answer.set_result(None)

    async def _made_member(self, room: Room, there: Occupant) -> bool:
        """Make them a member of a room for members only, where we may (XEP-0045 section 9.3)."""
        if room.affiliation not in {"owner", "admin"}:
            return False
        item = make(f"{MUC_ADMIN}item", affiliation="member", jid=bare(there.address))
        try:
            await self._connection.demand(room.chat, make(f"{MUC_ADMIN}query", item), "set")
        except GiveUp:
            return False
        return True

    async def leave_idle(self) -> None:
        """Have those leave who have been silent for long; until cancelled."""
        while True:
            await asyncio.sleep(min(self._idle / 4, 60.0))
            for key, there in tuple(self._all.items()):
                if time.monotonic() - there.used > self._idle and there.answer is None:
                    self._leave(there)
                    if time.monotonic() > there.barred:
                        del self._all[key]

    def leave(self, chat: ChatId) -> None:
        """All leave a room."""
        for key, there in tuple(self._all.items()):
            if there.chat == chat:
                self._leave(there)
                del self._all[key]

    def _leave(self, there: Occupant) -> None:
        if there.inside:
            self._say_goodbye(there.chat, there.address)
            there.inside = False
            self._own.gives_up(there.chat, there.nick, there.address)

    def _say_goodbye(self, chat: ChatId, address: str) -> None:
        with contextlib.suppress(Unreachable):
            self._connection.send(make(f"{CLIENT}presence", type="unavailable", to=chat, from_=address))

    def in_room(self, room: Room) -> tuple[tuple[Occupant, Person], ...]:
        """Those who are in a room now, and who they are there."""
        return tuple(
            (there, Person(room.people.id_of(there.occupant, there.nick), there.nick, there.role))
            for there in self._all.values()
            if there.chat == room.chat and there.inside
        )

    def gone(self) -> None:
        """The connection is gone, and all of them with it."""
        for there in self._all.values():
            there.inside = False
            self._own.gives_up(there.chat, there.nick, there.address)
            self._answer(there, Unreachable("network_unreachable"))


class _Unwelcome(HavenError):
    """There is no place for this member in the room, but the bridge may speak for them."""

    def __init__(self) -> None:
        super().__init__("network_refused")


def nick_of(name: str) -> str:
    """The nick that shows ``name``: what servers let stand in one, which is less than what names may hold (RFC 7622 section 3.4)."""
    prepared = "".join(char for char in safe_name(name, "") if not _is_unfit(char))
    return " ".join(prepared.split())[:_LONGEST].strip() or "Matrix"


def _is_unfit(char: str) -> bool:
    """What resourceprep refuses: characters younger than Unicode 3.2, and those of its tables of the forbidden (RFC 3920 appendix B)."""
    return stringprep.in_table_a1(char) or stringprep.in_table_c21_c22(char) or stringprep.in_table_c3(char)


def _presence(address: str, to: str) -> ET.Element:
    return make(
        f"{CLIENT}presence", make(f"{MUC}x", make(f"{MUC}history", maxstanzas="0")), to=to, from_=address
    )

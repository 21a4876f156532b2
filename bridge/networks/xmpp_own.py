"""What is our own in the rooms of XMPP: the ids that we give to what we send, and the occupants in whose names it is sent."""

import asyncio
import base64
import hashlib
import hmac
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from haven.errors import HavenError
from haven.ids import ChatId, RemoteMessageId


@dataclass(slots=True)
class _InRoom:
    nicks: dict[str, str] = field(default_factory=dict)
    """The address of each nick that is ours, or that we are asking for."""
    occupants: set[str] = field(default_factory=set)
    """Occupant ids that are ours; they stay ours."""


class Own:
    """What is ours, in all rooms. ``secret`` is that of the account or component: with it we know our ids again after a restart."""

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), b"haven: ids of messages", hashlib.sha256)
        self._rooms: defaultdict[ChatId, _InRoom] = defaultdict(_InRoom)
        self._echoes: dict[tuple[ChatId, str], _Echo] = {}

    # --- ids -----------------------------------------------------------------------------------------------------------

    def name(self, chat: ChatId, key: str, part: int) -> str:
        """The id under which a part of something is sent: the same at each try, and telling nothing of it."""
        number = _short(hashlib.sha256(f"{key}\0{part}".encode()).digest())
        return f"{number}.{self._seal(chat, number)}"

    def made(self, chat: ChatId, name: str) -> bool:
        """Whether we made this id. Others may repeat it, which makes theirs pass for ours: nobody loses by it but they."""
        number, _, seal = name.partition(".")
        return hmac.compare_digest(seal.encode(), self._seal(chat, number).encode())

    def _seal(self, chat: ChatId, number: str) -> str:
        return _short(hmac.digest(self._key, f"{chat}\0{number}".encode(), hashlib.sha256))

    # --- occupants -----------------------------------------------------------------------------------------------------

    def claims(self, chat: ChatId, nick: str, address: str) -> None:
        """We are asking for ``nick``, or have it."""
        self._rooms[chat].nicks[nick] = address

    def gives_up(self, chat: ChatId, nick: str, address: str) -> None:
        """We do not have ``nick``, or have it no more."""
        if self._rooms[chat].nicks.get(nick) == address:
            del self._rooms[chat].nicks[nick]

    def is_known_as(self, chat: ChatId, occupant: str) -> None:
        """The room knows one of ours by this occupant id."""
        if occupant:
            self._rooms[chat].occupants.add(occupant)

    def has_nick(self, chat: ChatId, nick: str) -> bool:
        """Whether ``nick`` is ours."""
        return nick in self._rooms[chat].nicks

    def has_occupant(self, chat: ChatId, occupant: str) -> bool:
        """Whether an occupant id is ours."""
        return occupant in self._rooms[chat].occupants

    # --- echoes --------------------------------------------------------------------------------------------------------

    def expect(self, chat: ChatId, name: str, connection: object) -> "asyncio.Future[RemoteMessageId | None]":
        """The room's id of what goes out now as ``name`` over ``connection``, once the room hands it on (``None``: it gives none)."""
        echo = _Echo(asyncio.get_running_loop().create_future(), connection)
        self._echoes[chat, name] = echo
        echo.answer.add_done_callback(lambda _: self._echoes.pop((chat, name), None))
        return echo.answer

    def echoed(self, chat: ChatId, name: str, message: RemoteMessageId | None) -> None:
        """The room has handed it on."""
        echo = self._echoes.get((chat, name))
        if echo is not None and not echo.answer.done():
            echo.answer.set_result(message)

    def refused(self, chat: ChatId, name: str, error: HavenError) -> bool:
        """The room has not handed it on; whether anybody waited for it."""
        echo = self._echoes.get((chat, name))
        if echo is None or echo.answer.done():
            return False
        echo.answer.set_exception(error)
        return True

    def older(self, chat: ChatId, connection: object) -> Iterator[str]:
        """What went out over an earlier connection than this one, and is still waited for."""
        for (room, name), echo in tuple(self._echoes.items()):
            if room == chat and echo.connection is not connection:
                yield name


@dataclass(frozen=True, slots=True)
class _Echo:
    answer: "asyncio.Future[RemoteMessageId | None]"
    connection: object


def _short(digest: bytes) -> str:
    return base64.b32encode(digest[:15]).decode().lower()

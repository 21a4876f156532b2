"""One connection to an IRC server, over the asyncio client of the ``irc`` package; the only file that imports it.

What we add to the library: lines in any encoding; an odd line is skipped, not fatal; a server that fell silent is noticed; capabilities
and SASL; a barrier that tells when the server has read what we wrote. We take its parsing of tags and commands, its buffer, its
connecting and its checks of what is sent.
"""

import asyncio
import contextlib
import logging
import ssl
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from irc import client, client_aio, connection, events, message

from haven.errors import HavenError, Unreachable

from .irc_capabilities import OPENING
from .irc_features import Features
from .irc_line import Line
from .irc_registration import Registration
from .irc_settings import IrcSettings
from .irc_tags import tagged

log = logging.getLogger(__name__)
logging.getLogger("irc").setLevel(logging.WARNING)  # its DEBUG lines hold passwords and what people say

CONNECT_TIMEOUT = 20.0
"""Seconds for the connection, and again for the login."""
_LONGEST_INPUT = 65536
"""Bytes without an end of line that we hold; a server sends 512 (8,703 with tags)."""


class _Wire(client_aio.AioConnection):  # type: ignore[misc]  # the library has no types: its classes are Any
    """The library's connection, giving lines away as they come instead of dispatching events."""

    connected: bool = False
    buffer_class = client.buffer.LenientDecodingLineBuffer

    def __init__(self, reactor: Any, heard: Callable[[Line], None], lost: Callable[[], None]) -> None:
        super().__init__(reactor)
        self._heard = heard
        self._lost = lost

    def process_data(self, new_data: bytes) -> None:
        """Cut what came into lines and give them away."""
        self.buffer.feed(new_data)
        for text in self.buffer:
            line = parsed(text)
            if line is not None:
                self._heard(line)
        if len(self.buffer) > _LONGEST_INPUT:
            self.disconnect()

    def send_tagged(self, line: str, tags: Mapping[str, str]) -> None:
        """Write a line that the library finds fit, with ``tags`` before it, which it does not know."""
        self.transport.write(tagged("", tags).encode(errors="replace") + self._prep_message(line))

    def disconnect(self, message: str = "") -> None:
        """Hang up, without the library's farewell: the line may be dead. Also called when the other side hung up."""
        if self.connected:
            self.connected = False
            self.transport.close()
            self._lost()


class _Reactor(client_aio.AioReactor):  # type: ignore[misc]  # see above
    """The library's reactor; all that we need of it is the loop, and to be first to speak on a new connection."""


def parsed(text: str) -> Line | None:
    """A line as it stood on the wire, without its end; ``None`` for what is no line of IRC."""
    tags, source = "", ""
    if text.startswith("@"):
        tags, _, text = text[1:].partition(" ")
    text = text.lstrip(" ")
    if text.startswith(":"):
        source, _, text = text[1:].partition(" ")
    head, colon, last = text.partition(" :")
    words = head.split(" ") if head else []
    words = [word for word in words if word]
    if not words or words[0].startswith(":"):
        return None
    params = (*words[1:], last) if colon else tuple(words[1:])
    known = {item["key"]: item["value"] or "" for item in message.Tag.from_group(tags) or ()}
    return Line(str(events.Command.lookup(words[0])), source, params, known)


class IrcConnection:
    """A connection that is logged in from ``open`` until ``lost``.

    ``heard`` gets every line after the login, as it comes; it must not block and not raise.
    """

    def __init__(self, settings: IrcSettings, heard: Callable[[Line], None]) -> None:
        self._settings = settings
        self._heard = heard
        self._loop = asyncio.get_running_loop()
        self._wire = _Wire(_Reactor(on_connect=self._greet, loop=self._loop), self._arrived, self._went)
        self._login = Registration(settings)
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._gone = asyncio.Event()
        self._barriers: deque[asyncio.Future[None]] = deque()
        self._last_heard = self._loop.time()
        self._paused = False
        self._watch: asyncio.Task[None] | None = None

    # --- its life ----------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Connect and log in. ``Unreachable`` when it cannot be done now, ``Refused`` when the server does not want us.

        A certificate that is not valid is ``Unreachable`` with the key ``network_tls``: it may be renewed.
        """
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await self._connect()
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await self._ready
        except (OSError, TimeoutError) as error:
            self.drop()
            raise Unreachable(
                "network_tls" if isinstance(error, ssl.SSLError) else "network_unreachable"
            ) from error
        except BaseException:
            self.drop()
            raise
        self._watch = self._loop.create_task(self._stay_awake())

    async def lost(self) -> None:
        """Returns when the connection is gone."""
        await self._gone.wait()

    async def close(self) -> None:
        """Say goodbye and hang up, within a second."""
        if self.connected:
            self.send("QUIT")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._gone.wait()
        self.drop()

    def drop(self) -> None:
        """Hang up at once."""
        self._wire.disconnect()
        self._went()

    # --- what it is --------------------------------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether what is written now can arrive, as far as we know."""
        return bool(self._wire.connected) and not self._wire.transport.is_closing()

    @property
    def nick(self) -> str:
        """The nick we got."""
        return self._login.nick

    @property
    def capabilities(self) -> frozenset[str]:
        """The extensions of IRCv3 in force now."""
        return self._login.capabilities

    @property
    def features(self) -> Features:
        """What the server said of itself."""
        return self._login.features

    # --- writing -----------------------------------------------------------------------------------------------------

    def send(self, line: str, tags: Mapping[str, str] | None = None) -> None:
        """Write one line, with ``tags``. ``Unreachable`` when the connection is gone; nothing of it was written then.

        A line with a line feed in it, or over 512 bytes, is a mistake of the caller: the library's ``ValueError``.
        """
        if not self.connected:
            raise Unreachable("network_unreachable")
        self._wire.send_tagged(line.replace("\r", "").replace("\0", ""), tags or {})

    async def barrier(self) -> None:
        """Returns when the server has read all that was written before, and its answers have been heard.

        Servers answer in order, so the answers to our PINGs come in their order too: this holds also for servers that answer
        without our token. ``Unreachable`` when the connection is lost before.
        """
        passed: asyncio.Future[None] = self._loop.create_future()
        self.send("PING :haven")
        self._barriers.append(passed)
        await passed

    @property
    def quiet(self) -> float:
        """For how many seconds nothing has been heard."""
        return self._loop.time() - self._last_heard

    def pause(self, *, paused: bool) -> None:
        """Stop reading, or go on: the server's own buffers then hold what comes."""
        if paused == self._paused or not self.connected:
            return
        self._paused = paused
        self._last_heard = self._loop.time()
        (self._wire.transport.pause_reading if paused else self._wire.transport.resume_reading)()

    # --- inside ------------------------------------------------------------------------------------------------------

    async def _connect(self) -> None:
        """Connect; the library sends PASS, NICK and USER. The colon lets a password have blanks."""
        settings = self._settings
        password = f":{settings.password}" if settings.password and not settings.account else None
        factory = connection.AioFactory(**self._tls())
        await self._wire.connect(
            settings.host, settings.port, settings.nick, password, settings.user, settings.realname, factory
        )

    def _tls(self) -> dict[str, object]:
        if not self._settings.tls:
            return {}
        context = ssl.create_default_context()
        if not self._settings.tls_verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return {"ssl": context}

    def _greet(self, _protocol: object, transport: asyncio.Transport) -> None:
        """The library has connected and is about to log in: our line goes first."""
        transport.write(f"{OPENING}\r\n".encode())

    def _arrived(self, line: Line) -> None:
        self._last_heard = self._loop.time()
        if line.command == "ping":
            self._answer((f"PONG :{line.param(-1)}",))
        elif line.command == "pong":
            if self._barriers:
                _settle(self._barriers.popleft())
        elif line.command == "cap" or not self._login.done:
            self._answer(self._login.answers(line))
            self._settle_login()
        else:
            self._pass_on(line)

    def _pass_on(self, line: Line) -> None:
        if line.command == "nick" and self._is_own(line.nick):
            self._login.nick = line.param(0)
        try:
            self._heard(line)
        except HavenError as error:
            log.warning("A line of IRC led nowhere: %s", error)

    def _is_own(self, nick: str) -> bool:
        return self.features.fold(nick) == self.features.fold(self.nick)

    def _settle_login(self) -> None:
        if self._login.error is not None and not self._ready.done():
            self._ready.set_exception(self._login.error)
        elif self._login.done:
            _settle(self._ready)

    def _answer(self, lines: tuple[str, ...]) -> None:
        with contextlib.suppress(Unreachable, client.InvalidCharacters, client.MessageTooLong):
            for line in lines:
                self.send(line)

    def _went(self) -> None:
        """The connection is gone: nobody waits for it any longer."""
        self._gone.set()
        if self._watch is not None:
            self._watch.cancel()
        for waiting in (self._ready, *self._barriers):
            if not waiting.done():
                waiting.set_exception(Unreachable("network_unreachable"))
                waiting.exception()  # it may be that nobody asks; that is no fault
        self._barriers.clear()

    async def _stay_awake(self) -> None:
        """Ask a silent server whether it is there; one that does not answer either is lost."""
        while True:
            await asyncio.sleep(self._settings.alive)
            if self._paused or self.quiet < self._settings.alive:
                continue
            try:
                async with asyncio.timeout(self._settings.alive):
                    await self.barrier()
            except (TimeoutError, Unreachable):
                log.warning("The IRC server fell silent")
                break
        self._loop.call_soon(self.drop)


def _settle(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)

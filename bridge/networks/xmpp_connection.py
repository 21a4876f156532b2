"""One connection to an XMPP server, as a component or an account, over slixmpp; the only file that imports it.

We take the library's connecting, TLS, logging in and cutting of the stream into stanzas. Above that we speak XML ourselves: what is written
goes out at once, in order, or not at all, and nothing is answered in our name that we do not know of.
"""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import logging
import secrets
import ssl
from collections.abc import Callable
from xml.etree import ElementTree as ET

from slixmpp import ClientXMPP, ComponentXMPP, Iq, Message, Presence
from slixmpp.xmlstream.stanzabase import StanzaBase

from haven.errors import HavenError, Refused, Unreachable
from haven.ids import UserId

from . import xmpp_errors
from .xmpp_settings import XmppSettings
from .xmpp_xml import CLIENT, DISCO_INFO, PING, STANZAS, at_home, bare, make, written

log = logging.getLogger(__name__)
logging.getLogger("slixmpp").setLevel(logging.CRITICAL + 1)  # its lines hold passwords and what people say

CONNECT_TIMEOUT = 25.0
"""Seconds until we must be logged in."""
ANSWER_TIMEOUT = 30.0
"""Seconds for the answer to a question."""
_REASONS_TIME = 0.2
"""Seconds for the library to say why a connection ended."""
_RESOURCE = "haven"
_DIRECT = frozenset({443, 5223})
"""Ports on which TLS begins at once (XEP-0368); on all others it is asked for (STARTTLS)."""


class XmppConnection:
    """A connection that is logged in from ``open`` until ``lost``.

    ``heard`` gets every message and presence, as it comes; it must not block and not raise. ``address``: who we are, with a resource.
    """

    def __init__(self, settings: XmppSettings, heard: Callable[[ET.Element], None]) -> None:
        self._settings = settings
        self._heard = heard
        self._loop = asyncio.get_running_loop()
        self._stream = _stream(settings)
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._gone = asyncio.Event()
        self._asked: dict[str, tuple[str, asyncio.Future[ET.Element]]] = {}
        self._why: Exception | None = None
        self._last_heard = self._loop.time()
        self._paused = False
        self._watch: asyncio.Task[None] | None = None
        self.address = ""
        self._listen()

    def _listen(self) -> None:
        stream = self._stream
        stream.add_filter("in", self._filtered)
        stream.add_event_handler("session_start", self._started)
        stream.add_event_handler("connection_failed", self._failed)
        stream.add_event_handler("reconnect_delay", lambda _seconds: self._went())
        stream.add_event_handler("failed_all_auth", lambda _stanza: self._unwanted())
        stream.add_event_handler("stream_negotiated", lambda _nothing: self._negotiated())
        stream.add_event_handler("stream_error", self._stream_error)
        stream.add_event_handler("ssl_invalid_chain", self._untrusted)
        stream.add_event_handler("disconnected", self._ended)

    # --- its life ------------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Connect and log in. ``Unreachable`` when it cannot be done now, ``Refused`` when the server does not want us.

        A certificate that is not valid is ``Unreachable`` with the key ``network_tls``: it may be renewed.
        """
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                self._stream.connect(self._settings.host or None, self._settings.port)
                await self._ready
        except TimeoutError:
            self.drop()
            raise self._why or Unreachable("network_unreachable") from None
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
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    self._stream.disconnect(wait=0.5, ignore_send_queue=True)
                    await self._gone.wait()
        self.drop()
        await asyncio.sleep(0)  # the library's own tasks end in the turn after their cancellation

    def drop(self) -> None:
        """Hang up at once."""
        self._stream.cancel_connection_attempt()
        self._stream.abort()
        filters = self._stream._run_out_filters  # noqa: SLF001 - the library leaves this task running, and has no name for ending it
        if filters is not None:
            filters.cancel()
        self._went()

    @property
    def connected(self) -> bool:
        """Whether what is written now can arrive, as far as we know."""
        transport = self._stream.transport
        return self._ready.done() and transport is not None and not transport.is_closing()

    @property
    def quiet(self) -> float:
        """For how many seconds nothing has been heard."""
        return self._loop.time() - self._last_heard

    def occupant(self, user: UserId) -> str:
        """The address under which a Matrix member speaks through a component: always the same, and telling nothing of them."""
        digest = hmac.digest(self._settings.secret.encode(), f"occupant\0{user}".encode(), hashlib.sha256)
        local = base64.b32encode(digest[:15]).decode().lower()
        return f"{local}@{self._settings.component}/{_RESOURCE}"

    # --- writing -------------------------------------------------------------------------------------------------------

    def send(self, stanza: ET.Element) -> None:
        """Write one stanza, at once. ``Unreachable`` when the connection is gone; nothing of it was written then."""
        if not self.connected:
            raise Unreachable("network_unreachable")
        self._stream.send_raw(written(stanza))

    async def ask(self, to: str, payload: ET.Element, kind: str = "get") -> ET.Element:
        """Ask ``to`` and return the answer, an iq of type ``result`` or ``error``. ``Unreachable`` where none comes."""
        number = secrets.token_hex(8)
        answer: asyncio.Future[ET.Element] = self._loop.create_future()
        self.send(make(f"{CLIENT}iq", payload, type=kind, id=number, from_=self.address, to=to))
        self._asked[number] = (to, answer)
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT):
                return await answer
        except TimeoutError:
            raise Unreachable("network_unreachable") from None
        finally:
            self._asked.pop(number, None)

    async def demand(
        self,
        to: str,
        payload: ET.Element,
        kind: str = "get",
        error: Callable[[ET.Element], HavenError] = xmpp_errors.general,
    ) -> ET.Element:
        """The same; an answer of type ``error`` is raised as what ``error`` makes of it."""
        answer = await self.ask(to, payload, kind)
        if answer.get("type") == "error":
            raise error(answer)
        return answer

    def pause(self, *, paused: bool) -> None:
        """Stop reading, or go on: the server's own buffers then hold what comes."""
        transport = self._stream.transport
        if paused == self._paused or transport is None or not self.connected:
            return
        self._paused = paused
        self._last_heard = self._loop.time()
        (transport.pause_reading if paused else transport.resume_reading)()

    # --- reading -------------------------------------------------------------------------------------------------------

    def _filtered(self, stanza: StanzaBase) -> StanzaBase | None:
        """All stanzas are ours once we are logged in; until then they are the library's."""
        self._last_heard = self._loop.time()
        if not self._ready.done() or not isinstance(stanza, (Message, Presence, Iq)):
            return stanza
        self._arrived(at_home(stanza.xml))
        return None

    def _arrived(self, stanza: ET.Element) -> None:
        if stanza.tag != f"{CLIENT}iq":
            self._heard(stanza)
        elif stanza.get("type") in {"get", "set"}:
            self._answer(stanza)
        else:
            to, answer = self._asked.get(stanza.get("id", ""), ("", None))
            if answer is not None and not answer.done() and self._is_from(stanza, to):
                answer.set_result(stanza)

    def _is_from(self, stanza: ET.Element, asked: str) -> bool:
        """Only who was asked may answer; our own server answers for our account without saying so (RFC 6120 section 8.1.2.1)."""
        sender = stanza.get("from", "")
        return sender == asked or (not sender and asked in {self._settings.domain, bare(self.address)})

    def _answer(self, question: ET.Element) -> None:
        """What we are asked: whether we are there, and what we are; nothing else."""
        kind = next((child.tag for child in question), "")
        known = kind in {f"{PING}ping", f"{DISCO_INFO}query"} and question.get("type") == "get"
        addresses = {"to": question.get("from", ""), "from": question.get("to", "")}
        answer = make(f"{CLIENT}iq", id=question.get("id", ""), type="result" if known else "error")
        for name, address in addresses.items():
            if address:
                answer.set(name, address)
        if kind == f"{DISCO_INFO}query":
            identity = make(f"{DISCO_INFO}identity", category="gateway", type="matrix", name="Haven")
            answer.append(make(kind, identity, make(f"{DISCO_INFO}feature", var=PING[1:-1])))
        if not known:
            answer.append(make(f"{CLIENT}error", make(f"{STANZAS}service-unavailable"), type="cancel"))
        with contextlib.suppress(Unreachable):
            self.send(answer)

    # --- what the library says -------------------------------------------------------------------------------------------

    def _started(self, _event: object) -> None:
        component = self._settings.component
        self.address = f"haven@{component}/{_RESOURCE}" if component else self._stream.boundjid.full
        if not self._ready.done():
            self._ready.set_result(None)

    def _failed(self, error: object) -> None:
        """One way of connecting failed; there may be others."""
        self._why = Unreachable("network_tls" if isinstance(error, ssl.SSLError) else "network_unreachable")

    def _untrusted(self, error: object) -> None:
        self._failed(error)
        self._went()

    def _ended(self, _reason: object) -> None:
        """The library says that a connection is gone before it says why, where TLS failed."""
        if self._ready.done():
            self._went()
        else:
            self._loop.call_later(_REASONS_TIME, self._went)

    def _negotiated(self) -> None:
        """The server has offered all that it has: where we are not logged in by then, it wants something first, which is TLS."""
        if isinstance(self._stream, ClientXMPP) and not self._stream.authenticated:
            self._why = Refused("network_logged_out", reason="needs_tls")
            self._went()

    def _unwanted(self) -> None:
        self._why = Refused("network_logged_out", reason="login_refused")

    def _stream_error(self, error: StanzaBase) -> None:
        if error["condition"] in {"not-authorized", "host-unknown"}:
            self._unwanted()
        log.info("The XMPP server ended the stream: %s", error["condition"])

    def _went(self) -> None:
        """The connection is gone: nobody waits for it any longer."""
        if self._stream.is_connecting():
            self._stream.cancel_connection_attempt()
        self._gone.set()
        if self._watch is not None:
            self._watch.cancel()
        if not self._ready.done():
            self._ready.set_exception(self._why or Unreachable("network_unreachable"))
            self._ready.exception()  # it may be that nobody asks; that is no fault
        for _, waiting in self._asked.values():
            if not waiting.done():
                waiting.set_exception(Unreachable("network_unreachable"))
                waiting.exception()

    async def _stay_awake(self) -> None:
        """Ask a silent server whether it is there (XEP-0199); one that does not answer either is lost.

        A component asks itself: the question goes through the server, whose own name it need not know.
        """
        while True:
            await asyncio.sleep(self._settings.alive)
            if self._paused or self.quiet < self._settings.alive:
                continue
            try:
                async with asyncio.timeout(self._settings.alive):
                    await self.awake()
            except (TimeoutError, Unreachable):
                log.warning("The XMPP server fell silent")
                break
        self._loop.call_soon(self.drop)

    async def awake(self) -> None:
        """Returns when the server has answered; ``Unreachable`` where it does not."""
        await self.ask(self._settings.domain, make(f"{PING}ping"))


def _stream(settings: XmppSettings) -> ClientXMPP | ComponentXMPP:
    if settings.component:
        return ComponentXMPP(settings.component, settings.secret)  # type: ignore[no-untyped-call]  # the library's own gap
    client = ClientXMPP(f"{settings.account}/{_RESOURCE}-{secrets.token_hex(4)}", settings.secret)
    if not settings.tls:
        client.enable_direct_tls = client.enable_starttls = False
        client.enable_plaintext = True
        mechanisms = client.plugin["feature_mechanisms"]
        mechanisms.unencrypted_plain = mechanisms.unencrypted_scram = True
        return client
    # One way only: a server that waits for the beginning of a stream does not answer the beginning of TLS, nor the other way round.
    client.enable_direct_tls = settings.port in _DIRECT
    client.enable_starttls = not client.enable_direct_tls
    if not settings.tls_verify:
        client.ssl_context.check_hostname = False
        client.ssl_context.verify_mode = ssl.CERT_NONE
    return client

"""A person on XMPP: a raw stream, so that nothing the tests see went through the library that the bridge uses."""

import asyncio
import base64
import contextlib
import hashlib
import itertools
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

from embedded.waiting import PATIENCE, NeverHappened

CLIENT = "{jabber:client}"
MUC_USER = "{http://jabber.org/protocol/muc#user}"


class XmppRefused(Exception):
    """The server said no: the stanza it said it with."""


class _Stream:
    """One XML stream being read: what comes, cut into stanzas."""

    def __init__(self) -> None:
        self._parser: ET.XMLPullParser[ET.Element] = ET.XMLPullParser(("start", "end"))
        self._depth = 0

    def stanzas(self, data: bytes) -> Iterator[ET.Element]:
        """The stanzas that `data` completes."""
        self._parser.feed(data)
        events: Iterator[Any] = self._parser.read_events()
        for event, element in events:
            self._depth += 1 if event == "start" else -1
            if event == "end" and self._depth == 1:
                yield element


class Jabber:
    """Somebody logged in; `received` is every stanza so far. Usable as an async context manager once connected."""

    def __init__(self, address: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.address = address
        self.nicks: dict[str, str] = {}
        self.received: list[ET.Element] = []
        self._reader = reader
        self._writer = writer
        self._news = asyncio.Condition()
        self._ids = map("j{}".format, itertools.count(1))
        self._stream = _Stream()
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def connect(cls, host: str, port: int, address: str, password: str) -> Self:
        """Connects and logs in (RFC 6120: SASL PLAIN, a resource); raises XmppRefused when the password is wrong."""
        reader, writer = await asyncio.open_connection(host, port)
        person = cls(address, reader, writer)
        try:
            await person._log_in(password)
        except BaseException:
            await person.aclose()
            raise
        return person

    async def _log_in(self, password: str) -> None:
        name, _, domain = self.address.partition("@")
        opening = f"<stream:stream to='{domain}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
        await self.send(opening)
        await self.wait_for(lambda stanza: stanza.tag.endswith("}features"))
        words = base64.b64encode(f"\0{name}\0{password}".encode()).decode()
        await self.send(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{words}</auth>")
        answer = await self.wait_for(lambda stanza: stanza.tag.endswith(("}success", "}failure")))
        if answer.tag.endswith("failure"):
            raise XmppRefused(ET.tostring(answer, "unicode"))
        self._stream = _Stream()
        mark = self.mark
        await self.send(opening)
        await self.wait_for(lambda stanza: stanza.tag.endswith("}features"), after=mark)
        await self.ask("set", "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>")

    async def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while data := await self._reader.read(65536):
                for stanza in self._stream.stanzas(data):
                    await self._answer(stanza)
                    async with self._news:
                        self.received.append(stanza)
                        self._news.notify_all()
        async with self._news:
            self._news.notify_all()

    async def _answer(self, stanza: ET.Element) -> None:
        """Pings are answered; who does not is put out."""
        if stanza.tag == f"{CLIENT}iq" and stanza.get("type") == "get":
            to = quoteattr(stanza.get("from", ""))
            await self.send(f"<iq type='result' id={quoteattr(stanza.get('id', ''))} to={to}/>")

    # --- raw ---------------------------------------------------------------------------------------------------------

    async def send(self, xml: str) -> None:
        """Sends raw XML."""
        self._writer.write(xml.encode())
        await self._writer.drain()

    async def ask(self, kind: str, xml: str, to: str = "") -> ET.Element:
        """Sends an iq (`get` or `set`) and returns the answer; raises XmppRefused when it is an error."""
        number = next(self._ids)
        whom = f" to={quoteattr(to)}" if to else ""
        await self.send(f"<iq type='{kind}' id='{number}'{whom}>{xml}</iq>")
        answer = await self.wait_for(
            lambda stanza: stanza.tag == f"{CLIENT}iq" and stanza.get("id") == number
        )
        if answer.get("type") == "error":
            raise XmppRefused(ET.tostring(answer, "unicode"))
        return answer

    async def wait_for(self, fits: Callable[[ET.Element], bool], *, after: int = 0) -> ET.Element:
        """The first stanza that fits, received already or still to come; `after` skips as many (see `mark`)."""
        try:
            async with asyncio.timeout(PATIENCE), self._news:
                while True:
                    for stanza in self.received[after:]:
                        if fits(stanza):
                            return stanza
                    await self._news.wait()
        except TimeoutError:
            recent = "\n".join(ET.tostring(stanza, "unicode") for stanza in self.received[-8:])
            raise NeverHappened(f"{self.address} saw no stanza that fits; last were:\n{recent}") from None

    @property
    def mark(self) -> int:
        """How many stanzas came so far, to look only at later ones."""
        return len(self.received)

    # --- rooms (XEP-0045) ------------------------------------------------------------------------------------------------

    async def join(self, room: str, nick: str) -> None:
        """Enters a room, without its history; returns when one is in. Raises XmppRefused when one is not let in."""
        mark = self.mark
        inside = "<x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x>"
        await self.send(f"<presence to={quoteattr(f'{room}/{nick}')}>{inside}</presence>")
        answer = await self.wait_for(
            lambda stanza: _is_self_presence(stanza, room) or _is_refusal(stanza, room), after=mark
        )
        if answer.get("type") == "error":
            raise XmppRefused(ET.tostring(answer, "unicode"))
        self.nicks[room] = nick

    async def rename(self, room: str, nick: str) -> None:
        """Takes another nick there."""
        mark = self.mark
        await self.send(f"<presence to={quoteattr(f'{room}/{nick}')}/>")
        await self.wait_for(
            lambda stanza: stanza.get("from") == f"{room}/{nick}" and _is_self_presence(stanza, room),
            after=mark,
        )
        self.nicks[room] = nick

    async def show_picture(self, room: str, picture: bytes, media_type: str) -> None:
        """Puts a picture into one's card, and says so in a room (XEP-0153)."""
        words = base64.b64encode(picture).decode()
        photo = f"<PHOTO><TYPE>{media_type}</TYPE><BINVAL>{words}</BINVAL></PHOTO>"
        await self.ask("set", f"<vCard xmlns='vcard-temp'>{photo}</vCard>")
        digest = hashlib.sha1(picture, usedforsecurity=False).hexdigest()
        update = f"<x xmlns='vcard-temp:x:update'><photo>{digest}</photo></x>"
        await self.send(f"<presence to={quoteattr(f'{room}/{self.nicks[room]}')}>{update}</presence>")

    async def part(self, room: str) -> None:
        """Leaves a room."""
        mark = self.mark
        await self.send(f"<presence type='unavailable' to={quoteattr(f'{room}/{self.nicks[room]}')}/>")
        await self.wait_for(
            lambda stanza: stanza.get("type") == "unavailable" and stanza.get("from", "").startswith(room),
            after=mark,
        )

    async def say(self, room: str, text: str, *, more: str = "", id: str = "") -> ET.Element:  # noqa: A002 - XMPP's word
        """Says something; returns it as the room handed it on, with the room's id. `more` is XML beside the body."""
        body = f"<body>{escape(text)}</body>" if text else ""
        return await self.put(room, body + more, id)

    async def put(self, room: str, inside: str, id: str = "") -> ET.Element:  # noqa: A002 - XMPP's word
        """Sends a message of any content into a room; returns it as the room handed it on."""
        mark, number = self.mark, id or next(self._ids)
        await self.send(
            f"<message type='groupchat' id={quoteattr(number)} to={quoteattr(room)}>{inside}</message>"
        )
        back = await self.wait_for(
            lambda stanza: stanza.tag == f"{CLIENT}message" and stanza.get("id") == number, after=mark
        )
        if back.get("type") == "error":
            raise XmppRefused(ET.tostring(back, "unicode"))
        return back

    async def subject(self, room: str, text: str) -> None:
        """Sets a room's subject."""
        await self.send(
            f"<message type='groupchat' to={quoteattr(room)}><subject>{escape(text)}</subject></message>"
        )

    async def affiliate(self, room: str, address: str, affiliation: str) -> None:
        """Gives somebody an affiliation: owner, admin, member, none, outcast."""
        await self._administer(room, f"jid={quoteattr(address)} affiliation='{affiliation}'")

    async def give_role(self, room: str, nick: str, role: str) -> None:
        """Gives somebody a role: moderator, participant, visitor; none puts them out."""
        await self._administer(room, f"nick={quoteattr(nick)} role='{role}'")

    async def _administer(self, room: str, attributes: str) -> None:
        item = f"<query xmlns='http://jabber.org/protocol/muc#admin'><item {attributes}/></query>"
        await self.ask("set", item, room)

    async def configure(self, room: str, **fields: str) -> None:
        """Changes settings of a room that one owns; `membersonly="1"` stands for muc#roomconfig_membersonly."""
        form = "".join(
            f"<field var='muc#roomconfig_{name}'><value>{value}</value></field>"
            for name, value in fields.items()
        )
        kind = "<field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>"
        inside = f"<x xmlns='jabber:x:data' type='submit'>{kind}{form}</x>"
        await self.ask("set", f"<query xmlns='http://jabber.org/protocol/muc#owner'>{inside}</query>", room)

    async def destroy(self, room: str) -> None:
        """Ends a room for good."""
        await self.ask("set", "<query xmlns='http://jabber.org/protocol/muc#owner'><destroy/></query>", room)

    # --- what was seen ---------------------------------------------------------------------------------------------------

    def said(self, room: str, *, after: int = 0) -> list[ET.Element]:
        """The messages of a room with words in them, so far."""
        return [stanza for stanza in self.received[after:] if body_of(stanza) and sender(stanza)[0] == room]

    async def heard(self, room: str, text: str, *, after: int = 0) -> ET.Element:
        """Waits for a message in a room that contains a text."""
        return await self.wait_for(
            lambda stanza: sender(stanza)[0] == room and text in body_of(stanza), after=after
        )

    async def wait_for_end(self) -> None:
        """Waits until the server hung up."""
        async with asyncio.timeout(PATIENCE):
            await asyncio.wait([self._listening])

    # --- the end ---------------------------------------------------------------------------------------------------------

    async def aclose(self) -> None:
        """Logs out, with a goodbye if the line is still there."""
        with contextlib.suppress(OSError):
            await self.send("</stream:stream>")
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
        self._listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._listening

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def sender(stanza: ET.Element) -> tuple[str, str]:
    """The room and the nick of who said it."""
    room, _, nick = stanza.get("from", "").partition("/")
    return room, nick


def body_of(stanza: ET.Element) -> str:
    """The words of a message, "" for anything else."""
    return stanza.findtext(f"{CLIENT}body", "") if stanza.tag == f"{CLIENT}message" else ""


def stanza_id(stanza: ET.Element) -> str:
    """The id that the room gave a message (XEP-0359), "" where it gave none."""
    room = sender(stanza)[0]
    ids = stanza.findall("{urn:xmpp:sid:0}stanza-id")
    return next((element.get("id", "") for element in ids if element.get("by") == room), "")


def _is_self_presence(stanza: ET.Element, room: str) -> bool:
    statuses = [status.get("code") for status in stanza.iter(f"{MUC_USER}status")]
    here = stanza.tag == f"{CLIENT}presence" and sender(stanza)[0] == room
    return here and "110" in statuses and stanza.get("type") != "unavailable"


def _is_refusal(stanza: ET.Element, room: str) -> bool:
    return stanza.tag == f"{CLIENT}presence" and sender(stanza)[0] == room and stanza.get("type") == "error"

"""A neutral message in the words of XMPP: what stands in the stanzas that say it."""

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from ..convert.plainer import files
from ..message import Attachment, Kind, Message, Reply, plain
from .xmpp_styling import write_styling
from .xmpp_xml import CLIENT, FALLBACK, HINTS, OOB, REACTIONS, REPLACE, REPLY, RETRACT, make

TEXT_BYTES = 30_000
"""Bytes of text in one stanza; servers take stanzas of 64 KiB and more, and escaping may double it."""

Content = tuple[ET.Element, ...]
"""What stands in one message."""


def contents(message: Message) -> Iterator[Content]:
    """The parts of ``message``, each a message of its own: its words, cut where they are too long, then its files. The same at each try."""
    words = _words(message)
    if message.attachments and not plain(message.text).strip():
        words = ""
    for number, piece in enumerate(_cut(words) if words else ()):
        yield _said(piece, message.reply if number == 0 else None)
    for file in message.attachments:
        yield _file(file)


def correction(message: Message, chosen: str) -> Content:
    """``message`` in place of what was said under the id ``chosen`` (XEP-0308); in one part."""
    words = "".join((_words(message), *("\n" + line.text for line in files(message))))
    piece = next(_cut(words), "") if words else ""
    return (*_said(piece, message.reply), make(f"{REPLACE}replace", id=chosen))


def retraction(target: str) -> Content:
    """``target`` is taken back (XEP-0424)."""
    return (make(f"{RETRACT}retract", id=target), make(f"{HINTS}store"))


def reactions(target: str, keys: frozenset[str]) -> Content:
    """The whole set of reactions to ``target`` (XEP-0444)."""
    each = [make(f"{REACTIONS}reaction", text=key) for key in sorted(keys)]
    return (make(f"{REACTIONS}reactions", *each, id=target), make(f"{HINTS}store"))


def _words(message: Message) -> str:
    words = write_styling(message.text)
    return f"/me {words}" if message.kind is Kind.ACTION else words


def _said(words: str, reply: Reply | None) -> Content:
    if reply is None or (reply.message is None and not reply.excerpt):
        return (make(f"{CLIENT}body", text=words),)
    quote = _quote(reply)
    if reply.message is None:
        return (make(f"{CLIENT}body", text=quote + words),)
    span = make(f"{FALLBACK}body", start="0", end=str(len(quote)))
    fallback = (make(f"{FALLBACK}fallback", span, for_=REPLY[1:-1]),) if quote else ()
    return (
        make(f"{CLIENT}body", text=quote + words),
        make(f"{REPLY}reply", id=reply.message),
        *fallback,
    )


def _quote(reply: Reply) -> str:
    """What is answered, for those whose program knows no replies."""
    said = f"{reply.author}: {reply.excerpt}" if reply.author else reply.excerpt
    return f"> {' '.join(said.split())}\n" if reply.excerpt else ""


def _file(file: Attachment) -> Content:
    """A file: nothing but its address, or a line of words where it has none that can be opened."""
    if not file.url.startswith(("https://", "http://")):
        return (make(f"{CLIENT}body", text=f"📎 {file.name}"),)
    return (
        make(f"{CLIENT}body", text=file.url),
        make(f"{OOB}x", make(f"{OOB}url", text=file.url)),
    )


def _cut(words: str) -> Iterator[str]:
    """``words`` in pieces of at most ``TEXT_BYTES``: at ends of lines if there are, never within a character."""
    rest = words
    while len(rest.encode()) > TEXT_BYTES:
        most = len(rest.encode()[:TEXT_BYTES].decode(errors="ignore"))
        end = rest.rfind("\n", 1, most)
        end = end if end > most // 2 else most
        yield rest[:end]
        rest = rest[end:].removeprefix("\n")
    yield rest

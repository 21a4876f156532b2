"""A message of a room as XMPP has it, read into a value; and what it says as a neutral message.

Only what the room itself vouches for is taken for an id: its own ``stanza-id`` (XEP-0359) and ``occupant-id`` (XEP-0421), and these only where
the room says that it gives them, since then it takes away what others put in their place.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

from haven.ids import RemoteMessageId

from ..message import Attachment, Kind, MediaKind, Message, Reply, Text
from .xmpp_styling import read_styling
from .xmpp_xml import (
    CLIENT,
    DELAY,
    FALLBACK,
    MODERATE,
    OCCUPANT,
    OOB,
    REACTIONS,
    REPLACE,
    REPLY,
    RETRACT,
    SID,
    bare,
    resource,
)

_ACTION = "/me "
REACTIONS_KEPT, LONGEST_REACTION = 20, 40
"""How many reactions somebody may have on one message, and characters of each; what is beyond is no reaction to show."""
_KINDS = {
    "image": MediaKind.IMAGE,
    "video": MediaKind.VIDEO,
    "audio": MediaKind.AUDIO,
}
_TYPES = {
    **dict.fromkeys((".jpg", ".jpeg"), "image/jpeg"),
    ".png": "image/png",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".pdf": "application/pdf",
}
"""What the end of a name says, since clients say no more (XEP-0066)."""


@dataclass(frozen=True, slots=True)
class Gives:
    """What a room says of itself (XEP-0030): whether it gives messages and people ids, and keeps an archive."""

    stanza_ids: bool = False
    occupant_ids: bool = False
    archive: bool = False


@dataclass(frozen=True, slots=True)
class Groupchat:
    """A message of a room. ``id`` is the room's and ``chosen`` the sender's own, "" where there is none; ``nick`` is "" for the room itself.

    ``replaces`` is an id that a sender chose, all other references are ids of the room. ``reacts`` is the whole set of reactions to ``target``.
    """

    id: str
    chosen: str
    nick: str
    occupant: str
    at: int | None
    message: Message | None = None
    subject: str | None = None
    replaces: str = ""
    retracts: str = ""
    moderated: bool = False
    target: str = ""
    reacts: frozenset[str] | None = None


def read_groupchat(
    stanza: ET.Element, gives: Gives, archived: tuple[str, int | None] | None = None
) -> Groupchat:
    """The message in ``stanza``; ``archived``: its id and time in the room's archive, where it came from there."""
    room, nick = bare(stanza.get("from", "")), resource(stanza.get("from", ""))
    own, at = archived or (_stanza_id(stanza, room) if gives.stanza_ids else "", _delay(stanza, room))
    occupant = stanza.find(f"{OCCUPANT}occupant-id") if gives.occupant_ids else None
    retracts, moderated = _retraction(stanza, nick)
    reactions = stanza.find(f"{REACTIONS}reactions")
    replace = stanza.find(f"{REPLACE}replace")
    return Groupchat(
        id=own,
        chosen=stanza.get("id", ""),
        nick=nick,
        occupant=occupant.get("id", "") if occupant is not None else "",
        at=at,
        message=_message(stanza, gives) if not retracts and reactions is None else None,
        subject=_subject(stanza),
        replaces=replace.get("id", "") if replace is not None else "",
        retracts=retracts,
        moderated=moderated,
        target=reactions.get("id", "") if reactions is not None else "",
        reacts=_reacts(reactions) if reactions is not None else None,
    )


def _stanza_id(stanza: ET.Element, room: str) -> str:
    ids = (each.get("id", "") for each in stanza.findall(f"{SID}stanza-id") if each.get("by") == room)
    return next(ids, "")


def _delay(stanza: ET.Element, room: str) -> int | None:
    """When the room says that it got this, in milliseconds since 1970 (XEP-0203)."""
    return next(
        (milliseconds(each) for each in stanza.findall(f"{DELAY}delay") if each.get("from") == room), None
    )


def milliseconds(delay: ET.Element) -> int | None:
    """The time in a ``delay``, in milliseconds since 1970 (XEP-0082)."""
    try:
        return round(datetime.fromisoformat(delay.get("stamp", "")).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def _subject(stanza: ET.Element) -> str | None:
    """The subject that is set by this: one with words beside it is just a message (XEP-0045 section 8.1)."""
    alone = stanza.find(f"{CLIENT}body") is None and stanza.find(f"{CLIENT}thread") is None
    return (
        stanza.findtext(f"{CLIENT}subject", "")
        if alone and stanza.find(f"{CLIENT}subject") is not None
        else None
    )


def _retraction(stanza: ET.Element, nick: str) -> tuple[str, bool]:
    """What is taken back (XEP-0424), and whether by a moderator, which only the room itself can say (XEP-0425)."""
    retract = stanza.find(f"{RETRACT}retract")
    if retract is None:
        return "", False
    moderated = retract.find(f"{MODERATE}moderated") is not None
    if moderated and nick:
        return "", False
    return retract.get("id", ""), moderated


def _reacts(reactions: ET.Element) -> frozenset[str]:
    keys = ((reaction.text or "").strip() for reaction in reactions.findall(f"{REACTIONS}reaction"))
    return frozenset([key for key in keys if 0 < len(key) <= LONGEST_REACTION][:REACTIONS_KEPT])


# --- what is said ------------------------------------------------------------------------------------------------------------


def _message(stanza: ET.Element, gives: Gives) -> Message | None:
    """What is said; in a room without ids what it answers stays quoted in its words."""
    body = stanza.findtext(f"{CLIENT}body", "")
    reply = _reply(stanza) if gives.stanza_ids else None
    words = _without_fallbacks(stanza, body) if reply is not None else body
    if not words.strip():
        return None
    file = _file(stanza, words)
    if file is not None:
        return Message((), attachments=(file,), reply=reply)
    kind = Kind.ACTION if words.startswith(_ACTION) else Kind.TEXT
    return Message(_styled(stanza, words.removeprefix(_ACTION)), kind, reply=reply)


def _styled(stanza: ET.Element, words: str) -> Text:
    plain = stanza.find("{urn:xmpp:styling:0}unstyled") is not None
    return read_styling(words, plain=plain)


def _reply(stanza: ET.Element) -> Reply | None:
    """What is answered (XEP-0461), by the room's id."""
    reply = stanza.find(f"{REPLY}reply")
    return Reply(RemoteMessageId(reply.get("id", ""))) if reply is not None and reply.get("id") else None


def _without_fallbacks(stanza: ET.Element, body: str) -> str:
    """``body`` without what only those read who do not know replies (XEP-0428); counted in characters."""
    for start, end in sorted(_fallbacks(stanza, len(body)), reverse=True):
        body = body[:start] + body[end:]
    return body


def _fallbacks(stanza: ET.Element, length: int) -> Iterator[tuple[int, int]]:
    for fallback in stanza.findall(f"{FALLBACK}fallback"):
        if fallback.get("for") != REPLY[1:-1]:
            continue
        for span in fallback.findall(f"{FALLBACK}body"):
            try:
                start, end = int(span.get("start", "0")), int(span.get("end", str(length)))
            except ValueError:
                continue
            if 0 <= start < end <= length:
                yield start, end


def _file(stanza: ET.Element, words: str) -> Attachment | None:
    """The file, where the message is nothing but its address (XEP-0363 with XEP-0066)."""
    url = stanza.findtext(f"{OOB}x/{OOB}url", "").strip()
    if not url.startswith(("https://", "http://")) or words.strip() != url:
        return None
    name = unquote(PurePosixPath(urlsplit(url).path).name) or "file"
    media_type = _TYPES.get(PurePosixPath(name.lower()).suffix, "application/octet-stream")
    kind = _KINDS.get(media_type.partition("/")[0], MediaKind.FILE)
    return Attachment(name, url, media_type, kind=kind)

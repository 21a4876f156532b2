"""The content of a Matrix event as a neutral message. Content comes from anybody: no shape of it is taken for granted.

Source: client-server API, "Instant messaging", "Rich replies", "Event replacements", "Threading", "User and room mentions"; MSC3381 (polls),
MSC3488 (places).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from haven.ids import EventId, UserId

from ..message import Kind, Message, Text, spans
from .characters import clean
from .files import TYPES, attachment_of
from .from_html import spans_of
from .places import location_of
from .polls import START, any_text, ballot_of
from .shapes import Raw, event_in, listed, mapping, text

_KINDS = {"m.text": Kind.TEXT, "m.emote": Kind.ACTION, "m.notice": Kind.NOTICE}
MOST_MENTIONS = 50


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that a person reads instead of what has none: ``said.<key>`` in the catalogues, and what fills its gaps."""

    key: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Content:
    """What an event says.

    ``message.reply`` is not filled in (who knows the parent does it): ``answers`` is the event replied to. ``replaces`` is the event that this one
    edits, ``thread`` the root of the thread it stands in. ``mentions``: the people meant; ``everybody``: it calls the whole room (whether
    its sender may is not asked here). ``instead`` stands where the event is no text: say this phrase.
    """

    message: Message
    answers: EventId | None = None
    replaces: EventId | None = None
    thread: EventId | None = None
    mentions: tuple[UserId, ...] = ()
    everybody: bool = False
    instead: Phrase | None = None


def read_any(content: Raw) -> Content | None:
    """The same for an event whose type is not known: it shows in the content."""
    if "msgtype" in content:
        return read_content("m.room.message", content)
    return read_content("m.poll.start" if ballot_of(content) else "m.sticker", content)


def read_content(kind: str, content: Raw) -> Content | None:
    """What an event of type ``kind`` with ``content`` says; ``None`` where there is nothing to carry over. Never fails."""
    if kind == "m.room.encrypted":
        return Content(Message(()), instead=Phrase("encrypted"))
    if kind == "m.room.message":
        new = mapping(content, "m.new_content") if _replaces(content) else content
        return _content(
            content, new, _said(new, is_reply="m.in_reply_to" in mapping(content, "m.relates_to"))
        )
    if kind == "m.sticker":
        return _content(content, content, Message((), attachments=(attachment_of(content, sticker=True),)))
    if kind in START:
        return _content(content, content, _poll(content))
    return None


def _content(content: Raw, new: Raw, message: Message) -> Content | None:
    """``message`` with what ``content`` says around it; ``new`` is what holds the words."""
    if message == Message((), message.kind):
        return None
    relation = mapping(content, "m.relates_to")
    thread = event_in(relation) if relation.get("rel_type") == "m.thread" else None
    answers = event_in(mapping(relation, "m.in_reply_to"))
    if thread and relation.get("is_falling_back") is True:
        answers = None
    everybody = mapping(new, "m.mentions").get("room") is True
    return Content(message, answers, _replaces(content), thread, _mentioned(new), everybody)


def _replaces(content: Raw) -> EventId | None:
    relation = mapping(content, "m.relates_to")
    return event_in(relation) if relation.get("rel_type") == "m.replace" else None


def _said(content: Raw, *, is_reply: bool) -> Message:
    kind = text(content, "msgtype")
    if kind in TYPES:
        return Message(_caption(content, is_reply=is_reply), attachments=(attachment_of(content),))
    if kind == "m.location" and (place := location_of(content)) is not None:
        return Message((), location=place)
    return Message(_words(content, is_reply=is_reply), _KINDS.get(kind, Kind.TEXT))


def _words(content: Raw, *, is_reply: bool) -> Text:
    """The formatted words where there are any, else the plain ones."""
    html = text(content, "formatted_body")
    if html and content.get("format") == "org.matrix.custom.html":
        found = spans_of(clean(html))
        if found:
            return found
    body = clean(text(content, "body"))
    return spans(without_fallback(body) if is_reply else body)


def _caption(content: Raw, *, is_reply: bool) -> Text:
    """The words of a file: its body, where that is not just the file's name (spec 1.10, "Media captions")."""
    name = text(content, "filename")
    return _words(content, is_reply=is_reply) if name and name != text(content, "body") else ()


def _poll(content: Raw) -> Message:
    """A poll; one without a question or answers is what its author wrote for clients without polls."""
    ballot = ballot_of(content)
    return Message((), poll=ballot.poll) if ballot else Message(spans(any_text(content)))


def without_fallback(body: str) -> str:
    """``body`` of a reply without the quote that old clients put above it (spec 1.12 and before, "Fallbacks for rich replies")."""
    lines = body.split("\n")
    quoted = next(
        (index for index, line in enumerate(lines) if not line.startswith("> ") and line != ">"), len(lines)
    )
    if quoted == 0:
        return body
    rest = lines[quoted:]
    return "\n".join(rest[1:] if rest[:1] == [""] else rest)


def _mentioned(content: Raw) -> tuple[UserId, ...]:
    found = [
        user
        for user in listed(mapping(content, "m.mentions"), "user_ids")
        if isinstance(user, str) and user.startswith("@")
    ]
    return tuple(UserId(user) for user in dict.fromkeys(found[:MOST_MENTIONS]))

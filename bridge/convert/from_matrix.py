"""The content of a Matrix event as a neutral message. Content comes from anybody: no shape of it is taken for granted.

Source: client-server API, "Instant messaging", "Rich replies", "Event replacements", "Threading", "User and room mentions"; MSC3381 (polls).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from haven.ids import EventId, UserId

from ..message import Attachment, Kind, Message, Text, spans
from .characters import clean
from .from_html import spans_of

_KINDS = {"m.text": Kind.TEXT, "m.emote": Kind.ACTION, "m.notice": Kind.NOTICE}
_FILES = frozenset({"m.image", "m.file", "m.audio", "m.video"})
_POLLS = ("m.poll.start", "m.poll", "org.matrix.msc3381.poll.start")

_Raw = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that a person reads instead of what has none: ``said.<key>`` in the catalogues, and what fills its gaps."""

    key: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Content:
    """What an event says.

    ``message.reply`` is not filled in (who knows the parent does it): ``answers`` is the event replied to. ``replaces`` is the event that this one
    edits, ``thread`` the root of the thread it stands in. ``instead`` stands where the event is no text: say this phrase.
    """

    message: Message
    answers: EventId | None = None
    replaces: EventId | None = None
    thread: EventId | None = None
    mentions: tuple[UserId, ...] = ()
    instead: Phrase | None = None


def read_content(kind: str, content: _Raw) -> Content | None:
    """What an event of type ``kind`` with ``content`` says; ``None`` where there is nothing to carry over. Never fails."""
    if kind == "m.room.message":
        return _message(content)
    if kind == "m.sticker":
        return Content(Message((), attachments=(_attachment(content),)))
    if kind in ("m.poll.start", "org.matrix.msc3381.poll.start"):
        return Content(Message(()), instead=_poll(content))
    if kind == "m.room.encrypted":
        return Content(Message(()), instead=Phrase("encrypted"))
    return None


def _message(content: _Raw) -> Content | None:
    relation = _map(content, "m.relates_to")
    replaces = _event(relation) if relation.get("rel_type") == "m.replace" else None
    new = _map(content, "m.new_content") if replaces else content
    thread = _event(relation) if relation.get("rel_type") == "m.thread" else None
    answers = _event(_map(relation, "m.in_reply_to"))
    if thread and relation.get("is_falling_back") is True:
        answers = None
    message = _said(new, is_reply=answers is not None)
    if not message.text and not message.attachments:
        return None
    return Content(message, answers, replaces, thread, _mentioned(new))


def _said(content: _Raw, *, is_reply: bool) -> Message:
    kind = _text(content, "msgtype")
    if kind in _FILES:
        return Message(_caption(content, is_reply=is_reply), attachments=(_attachment(content),))
    text = _words(content, is_reply=is_reply)
    if kind == "m.location" and _text(content, "geo_uri").startswith("geo:"):
        text = (*text, *spans(f" ({clean(_text(content, 'geo_uri'))[:200]})"))
    return Message(text, _KINDS.get(kind, Kind.TEXT))


def _words(content: _Raw, *, is_reply: bool) -> Text:
    """The formatted words where there are any, else the plain ones."""
    html = _text(content, "formatted_body")
    if html and content.get("format") == "org.matrix.custom.html":
        found = spans_of(clean(html))
        if found:
            return found
    body = clean(_text(content, "body"))
    return spans(without_fallback(body) if is_reply else body)


def _caption(content: _Raw, *, is_reply: bool) -> Text:
    """The words of a file: its body, where that is not just the file's name (spec 1.10, "Media captions")."""
    name = _text(content, "filename")
    return _words(content, is_reply=is_reply) if name and name != _text(content, "body") else ()


def _attachment(content: _Raw) -> Attachment:
    information = _map(content, "info")
    name = clean(_text(content, "filename") or _text(content, "body")).replace("\n", " ").strip() or "?"
    size = information.get("size")
    return Attachment(
        name[:200],
        _text(content, "url") or _text(_map(content, "file"), "url"),
        _text(information, "mimetype") or "application/octet-stream",
        size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None,
    )


def _poll(content: _Raw) -> Phrase:
    """A poll as its question and answers, whichever of its three spellings it has."""
    poll = next((_map(content, key) for key in _POLLS if _map(content, key)), {})
    answers = poll.get("answers")
    texts = (
        [_any_text(answer) for answer in answers if isinstance(answer, Mapping)]
        if isinstance(answers, list)
        else []
    )
    return Phrase(
        "poll",
        {"question": _any_text(_map(poll, "question")), "answers": " | ".join(filter(None, texts[:20]))},
    )


def _any_text(content: _Raw) -> str:
    """The words of an extensible event: a string, or a list of representations (MSC1767)."""
    for key in ("m.text", "org.matrix.msc1767.text", "body"):
        value = content.get(key)
        if isinstance(value, list):
            value = next((one.get("body") for one in value if isinstance(one, Mapping)), "")
        if isinstance(value, str) and value.strip():
            return " ".join(clean(value).split())
    return ""


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


def _mentioned(content: _Raw) -> tuple[UserId, ...]:
    users = _map(content, "m.mentions").get("user_ids")
    found = (
        [user for user in users if isinstance(user, str) and user.startswith("@")]
        if isinstance(users, list)
        else []
    )
    return tuple(UserId(user) for user in dict.fromkeys(found[:50]))


def _map(content: _Raw, key: str) -> _Raw:
    value = content.get(key)
    return value if isinstance(value, Mapping) else {}


def _text(content: _Raw, key: str) -> str:
    value = content.get(key)
    return value if isinstance(value, str) else ""


def _event(relation: _Raw) -> EventId | None:
    value = relation.get("event_id")
    return EventId(value) if isinstance(value, str) and value.startswith("$") else None

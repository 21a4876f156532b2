"""The neutral message as the content of an ``m.room.message``.

``m.mentions`` is always there, and empty unless the caller names people: without it clients search the words for names, so that text
from outside could ping anybody (spec: "User and room mentions"). The whole room is never mentioned from outside.
"""

from collections.abc import Iterable
from dataclasses import replace

from haven.ids import EventId, UserId

from ..message import Kind, Message, Span, Text
from .characters import clean
from .plainer import body_of, with_files
from .to_html import html_of

_TYPES = {Kind.TEXT: "m.text", Kind.ACTION: "m.emote", Kind.NOTICE: "m.notice"}
LONGEST = 14000
"""Bytes of the body, and of its HTML; with an edit's second copy of both it stays below the 65,536 of an event."""


def content_of(
    message: Message,
    *,
    answers: EventId | None = None,
    replaces: EventId | None = None,
    mentions: Iterable[UserId] = (),
) -> dict[str, object]:
    """The content of the event that says ``message``.

    ``answers``: the event it replies to. ``replaces``: the event that it edits; an edit cannot change what is answered.
    """
    text = tuple(replace(span, text=clean(span.text)) for span in with_files(message))
    content = _said(text, message.kind, mentions)
    if replaces is not None:
        marked = _said((Span("* "), *text), message.kind, ())
        return {
            **marked,
            "m.new_content": content,
            "m.relates_to": {"rel_type": "m.replace", "event_id": replaces},
        }
    if answers is not None:
        content["m.relates_to"] = {"m.in_reply_to": {"event_id": answers}}
    return content


def _said(text: Text, kind: Kind, mentions: Iterable[UserId]) -> dict[str, object]:
    body, html = body_of(text), html_of(text)
    users = sorted(set(mentions))
    content: dict[str, object] = {
        "msgtype": _TYPES[kind],
        "body": _bounded(body),
        "m.mentions": {"user_ids": users} if users else {},
    }
    if html is not None and len(html.encode()) <= LONGEST:
        content |= {"format": "org.matrix.custom.html", "formatted_body": html}
    return content


def _bounded(body: str) -> str:
    raw = body.encode("utf-8", "replace")
    return body if len(raw) <= LONGEST else raw[: LONGEST - 3].decode("utf-8", "ignore") + "…"

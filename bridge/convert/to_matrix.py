"""The neutral message as the events that say it in a room.

``m.mentions`` is always there, and empty unless the caller names people: without it clients search the words for names, so that text
from outside could ping anybody (spec: "User and room mentions").
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from haven.ids import EventId, UserId

from ..message import Answer, Attachment, Gathering, Kind, MediaKind, Message, Poll, Text
from .characters import clean
from .files import file_content
from .lessened import Say, card_in_words, gathering_in_words, joined, place_in_words, poll_in_words
from .places import location_content, on_earth
from .plainer import body_of, quoting, with_files
from .polls import UNSTABLE, poll_content
from .privacy import name_or
from .to_html import html_of

_TYPES = {Kind.TEXT: "m.text", Kind.ACTION: "m.emote", Kind.NOTICE: "m.notice"}
LONGEST = 14000
"""Bytes of the body, and of its HTML; with an edit's second copy of both it stays below the 65,536 of an event."""


@dataclass(frozen=True, slots=True)
class Context:
    """What an event has to do with others in its room, and with whom.

    ``answers``: the event it replies to. ``thread``: the root of the thread it stands in. ``replaces``: the event that it edits; an edit
    changes neither. ``mentions``: the people meant; ``everybody``: the whole room is. ``until``: when it is to disappear, in
    milliseconds since 1970.
    """

    answers: EventId | None = None
    thread: EventId | None = None
    replaces: EventId | None = None
    mentions: frozenset[UserId] = frozenset()
    everybody: bool = False
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """An event to be sent."""

    type: str
    content: dict[str, object]


ALONE = Context()


def drafts_of(message: Message, say: Say, context: Context = ALONE) -> tuple[Draft, ...]:
    """The events that say ``message``, at least one: its words (or the one file whose caption they are), then all that it shows.

    A reply whose parent is unknown (``context.answers`` is ``None``) is quoted. An edit is the first of them only.
    """
    drafts = tuple(_drafts(_readable(message, say, context), say))
    first = drafts[0]
    if context.replaces is not None and first.type == "m.room.message":
        return (Draft(first.type, _edit(first.content, context)),)
    return tuple(
        Draft(draft.type, {**draft.content, **_around(context, first=place == 0)})
        for place, draft in enumerate(drafts)
    )


def _readable(message: Message, say: Say, context: Context) -> Message:
    """``message`` without what Matrix has no events for, said in words instead."""
    files = tuple(file for file in message.attachments if file.url.startswith("mxc://"))
    links = tuple(file for file in message.attachments if file not in files)
    reply = message.reply
    if context.answers is None and reply is not None:
        message = quoting(replace(message, reply=replace(reply, author=name_or(reply.author, ""))))
    lost = [place_in_words(place, say) for place in (message.location,) if place and not on_earth(place)]
    text = joined(
        with_files(replace(message, attachments=links)),
        *lost,
        *(card_in_words(contact, say) for contact in message.contacts),
    )
    words = tuple(replace(span, text=clean(span.text)) for span in text)
    return replace(message, text=words, attachments=files, location=None if lost else message.location)


def _drafts(message: Message, say: Say) -> Iterator[Draft]:
    match message:
        case Message(attachments=(file,), location=None, poll=None, gathering=None) if _takes_words(file):
            yield Draft("m.room.message", _captioned(file, message.text))
            return
    shows = message.attachments or message.location or message.poll or message.gathering
    if message.text or not shows:
        yield Draft("m.room.message", {"msgtype": _TYPES[message.kind], **_words(message.text)})
    for file in message.attachments:
        kind = "m.sticker" if file.kind is MediaKind.STICKER else "m.room.message"
        yield Draft(kind, file_content(file))
    if message.location is not None:
        words = _bounded(clean(place_in_words(message.location, say)))
        yield Draft("m.room.message", location_content(message.location, words))
    if message.poll is not None:
        words = _bounded(clean(poll_in_words(message.poll, say)))
        yield Draft(f"{UNSTABLE}.start", poll_content(message.poll, words))
    if message.gathering is not None:
        words = _bounded(clean(gathering_in_words(message.gathering, say)))
        yield Draft(f"{UNSTABLE}.start", poll_content(_invitation(message.gathering, words, say), words))


def _invitation(gathering: Gathering, words: str, say: Say) -> Poll:
    """Matrix has no gatherings: one is asked as a poll, whose answers are those of ``Answer`` in their order."""
    answers = {Answer.YES: "coming", Answer.PERHAPS: "perhaps", Answer.NO: "not_coming"}
    return Poll(words or gathering.title, tuple(say(answers[answer]) for answer in Answer))


def _takes_words(file: Attachment) -> bool:
    return file.kind is not MediaKind.STICKER


def _captioned(file: Attachment, text: Text) -> dict[str, object]:
    """The file with the words as its caption (spec: "Media captions")."""
    return file_content(file) | (_words(text) if text else {})


def _words(text: Text) -> dict[str, object]:
    html = html_of(text)
    content: dict[str, object] = {"body": _bounded(body_of(text))}
    if html is not None and len(html.encode()) <= LONGEST:
        content |= {"format": "org.matrix.custom.html", "formatted_body": html}
    return content


def _around(context: Context, *, first: bool) -> dict[str, object]:
    """What stands in the content besides what is said. Only the first of several events answers and calls people."""
    around: dict[str, object] = {"m.mentions": _mentions(context) if first else {}}
    relation: dict[str, object] = {}
    if context.answers is not None and first:
        relation["m.in_reply_to"] = {"event_id": context.answers}
    if context.thread is not None:
        # What clients without threads show as the parent (spec: "Fallback for unthreaded clients").
        fallback = {"is_falling_back": True, "m.in_reply_to": {"event_id": context.thread}}
        answers = {"is_falling_back": False} if relation else fallback
        relation |= {"rel_type": "m.thread", "event_id": context.thread, **answers}
    if relation:
        around["m.relates_to"] = relation
    if context.until is not None:
        around["org.matrix.self_destruct_after"] = context.until
    return around


def _mentions(context: Context) -> dict[str, object]:
    people: dict[str, object] = {"user_ids": sorted(context.mentions)} if context.mentions else {}
    return {**people, "room": True} if context.everybody else people


def _edit(content: dict[str, object], context: Context) -> dict[str, object]:
    """The new content, and above it the same for clients that know no edits. Who was meant before is not called again."""
    marked = {key: f"* {value}" for key, value in content.items() if key in ("body", "formatted_body")}
    return {
        **content,
        **marked,
        "m.mentions": {},
        "m.new_content": {**content, "m.mentions": _mentions(context)},
        "m.relates_to": {"rel_type": "m.replace", "event_id": context.replaces},
    }


def _bounded(body: str) -> str:
    raw = body.encode("utf-8", "replace")
    return body if len(raw) <= LONGEST else raw[: LONGEST - 3].decode("utf-8", "ignore") + "…"

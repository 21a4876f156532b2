"""The neutral message: what people say, in a form that is neither Matrix's nor any network's.

Converters (``bridge/convert``) turn Matrix content into it and back; each network turns it into its own wire
form. All values are immutable and hold no markup: formatting lies in the spans.
"""

from dataclasses import dataclass
from enum import StrEnum

from haven.ids import RemoteMessageId, RemoteUserId, UserId


class Style(StrEnum):
    """How a span looks. ``PRE`` and ``QUOTE`` are whole lines; all others may begin and end anywhere."""

    BOLD = "bold"
    ITALIC = "italic"
    UNDERLINE = "underline"
    STRIKE = "strike"
    CODE = "code"
    SPOILER = "spoiler"
    PRE = "pre"
    QUOTE = "quote"


@dataclass(frozen=True, slots=True)
class Mention:
    """A person meant by a span: someone on the network, or someone on Matrix, or (both ``None``) the whole
    room.
    """

    person: RemoteUserId | None = None
    user: UserId | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text that looks the same throughout. Lines end with ``\\n`` inside ``text``.

    ``colour`` and ``background`` are ``#rrggbb``; ``link`` is an absolute URL.
    """

    text: str
    styles: frozenset[Style] = frozenset()
    colour: str | None = None
    background: str | None = None
    link: str | None = None
    mention: Mention | None = None


Text = tuple[Span, ...]
"""What was said, in order. The empty tuple is an empty text."""


def plain(text: Text) -> str:
    """The text without any formatting."""
    return "".join(span.text for span in text)


def spans(text: str) -> Text:
    """Unformatted ``text`` as spans: one span, or none where there is nothing to say."""
    return (Span(text),) if text else ()


class Kind(StrEnum):
    """In which manner something is said."""

    TEXT = "text"
    ACTION = "action"
    """In the third person: ``/me waves``."""
    NOTICE = "notice"
    """By a program; nothing may answer it automatically."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a message answers.

    ``message`` is the parent's id on the network, ``None`` where the network does not know the parent;
    ``author`` and ``excerpt`` (one line, already short) let networks without replies quote it. Both are
    empty where the parent cannot be found any more.
    """

    message: RemoteMessageId | None = None
    author: str = ""
    excerpt: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that belongs to a message. ``size`` in bytes, ``None`` where unknown; ``url`` is where the
    receiving side gets it.
    """

    name: str
    url: str
    media_type: str = "application/octet-stream"
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One thing that a person said."""

    text: Text
    kind: Kind = Kind.TEXT
    reply: Reply | None = None
    attachments: tuple[Attachment, ...] = ()

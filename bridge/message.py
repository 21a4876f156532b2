"""The neutral message: what people say, in a form that is neither Matrix's nor any network's.

Converters (``bridge/convert``) turn Matrix content into it and back; each network turns it into its own wire
form. All values are immutable and hold no markup: formatting lies in the spans.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

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


class MediaKind(StrEnum):
    """What a file is to those who get it."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    VOICE = "voice"
    """Spoken for this chat, to be played at a touch."""
    FILE = "file"
    STICKER = "sticker"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that belongs to a message. ``size`` in bytes, ``width`` and ``height`` in pixels; ``None`` where
    unknown. ``url`` is where the receiving side gets it.

    On the way to Matrix a ``url`` of ``mxc://`` means that the homeserver has it already: it becomes a real
    picture, film ... there; any other becomes a line of words.
    """

    name: str
    url: str
    media_type: str = "application/octet-stream"
    size: int | None = None
    kind: MediaKind = MediaKind.FILE
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Location:
    """A place on the Earth, in degrees (WGS 84; north and east are positive), and what it is called."""

    latitude: float
    longitude: float
    name: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody's card. ``vcard`` is the whole of it (RFC 6350); it holds numbers and addresses, so only
    ``name`` ever reaches Matrix.
    """

    name: str
    vcard: str = ""


@dataclass(frozen=True, slots=True)
class Poll:
    """A question with its possible answers, known by their places from 0. ``most``: how many of them one
    person may choose. ``secret``: who chose what is not shown before the end.
    """

    question: str
    options: tuple[str, ...]
    most: int = 1
    secret: bool = False


class Answer(IntEnum):
    """What people answer to a ``Gathering``: the choices of a vote on it."""

    YES = 0
    PERHAPS = 1
    NO = 2


@dataclass(frozen=True, slots=True)
class Gathering:
    """An event that people are asked to come to. ``at``: its beginning in milliseconds since 1970. Answers
    are votes (``Answer``).
    """

    title: str
    at: int
    place: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One thing that a person said.

    ``thread`` is the message on the network at the root of the thread (or under which it is a comment).
    ``expires``: seconds after which it is to disappear, ``None`` for never. Of ``location``, ``poll`` and
    ``gathering`` at most one is there; ``text`` may accompany each of them.
    """

    text: Text
    kind: Kind = Kind.TEXT
    reply: Reply | None = None
    attachments: tuple[Attachment, ...] = ()
    thread: RemoteMessageId | None = None
    location: Location | None = None
    contacts: tuple[Contact, ...] = ()
    poll: Poll | None = None
    gathering: Gathering | None = None
    expires: int | None = None

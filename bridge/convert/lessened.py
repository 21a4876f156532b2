"""A message with no more in it than its receivers can show: what they lack is said in words.

``Say`` puts a phrase of the catalogues (``said.<key>``) into words; nothing here speaks a language of its own.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from ..message import Attachment, Contact, Gathering, Location, MediaKind, Message, Poll, Span, Text, plain
from ..networks.base import Capabilities
from .places import link_to, on_earth
from .plainer import quoting
from .polls import MOST
from .privacy import name_or

Say = Callable[..., str]
"""``say(key, **values)``: the phrase ``said.<key>`` with its gaps filled."""

_NEXT = {
    MediaKind.STICKER: MediaKind.IMAGE,
    MediaKind.VOICE: MediaKind.AUDIO,
    MediaKind.IMAGE: MediaKind.FILE,
    MediaKind.VIDEO: MediaKind.FILE,
    MediaKind.AUDIO: MediaKind.FILE,
}
"""As what a file is sent where it cannot be sent as what it is."""


def lessened(message: Message, can: Capabilities, say: Say) -> Message:
    """``message`` as a network that ``can`` so much gets it.

    A reply whose parent the network does not know is quoted; a thread becomes a reply to its root by who calls this, since only they
    know what the root said. Files are seen to before (``bridge/media.py``).
    """
    unable = [
        *([] if can.locations else _place(message.location, say)),
        *([] if can.contacts else _cards(message.contacts, say)),
        *([] if can.polls else _poll(message.poll, say)),
        *([] if can.gatherings else _gathering(message.gathering, say)),
    ]
    message = replace(
        message,
        text=joined(message.text, *unable),
        location=message.location if can.locations else None,
        contacts=message.contacts if can.contacts else (),
        poll=message.poll if can.polls else None,
        gathering=message.gathering if can.gatherings else None,
        thread=message.thread if can.threads else None,
        expires=message.expires if can.timers else None,
    )
    known = message.reply is not None and message.reply.message is not None
    return message if known and can.replies else quoting(message)


def joined(words: Text, *lines: str) -> Text:
    """``words``, and below them each of ``lines``."""
    for line in lines:
        words = (*words, Span(f"\n{line}" if words else line))
    return words


def suited(message: Message, can: Capabilities) -> Message:
    """``message`` with each file as something that the network can send, where there is such a thing: a sticker as a picture, say."""
    return replace(message, attachments=tuple(_suited(file, can) for file in message.attachments))


def _suited(file: Attachment, can: Capabilities) -> Attachment:
    kind: MediaKind | None = file.kind
    while kind is not None and kind not in can.media:
        kind = _NEXT.get(kind)
    return replace(file, kind=kind) if kind is not None else file


def _place(place: Location | None, say: Say) -> Iterator[str]:
    if place is not None:
        yield place_in_words(place, say)


def place_in_words(place: Location, say: Say) -> str:
    """One line: its name, and a map that anybody can open."""
    name = " ".join(place.name.split())
    if not on_earth(place):
        return say("location_unknown", name=name)
    return (
        say("location", name=name, link=link_to(place))
        if name
        else say("location_unnamed", link=link_to(place))
    )


def _cards(contacts: tuple[Contact, ...], say: Say) -> Iterator[str]:
    for contact in contacts:
        yield card_in_words(contact, say)


def card_in_words(contact: Contact, say: Say) -> str:
    """One line: whose card it is, and nothing of what stands in it."""
    return say("contact", name=name_or(" ".join(contact.name.split()), say("someone")))


def _poll(poll: Poll | None, say: Say) -> Iterator[str]:
    if poll is not None:
        yield poll_in_words(poll, say)


def poll_in_words(poll: Poll, say: Say) -> str:
    """The question, and a line for each answer."""
    options = (f"{place}. {option}" for place, option in enumerate(poll.options[:MOST], 1))
    return "\n".join((say("poll", question=poll.question), *options))


def _gathering(gathering: Gathering | None, say: Say) -> Iterator[str]:
    if gathering is not None:
        yield gathering_in_words(gathering, say)


def gathering_in_words(gathering: Gathering, say: Say) -> str:
    """What, when and where, and below it what about."""
    what = say("gathering", title=" ".join(gathering.title.split()), time=moment(gathering.at))
    return "\n".join(filter(None, (what, gathering.place, gathering.about)))


def moment(at: int) -> str:
    """A time in milliseconds since 1970 as date and time of the world (UTC), the same in every language."""
    try:
        return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M} UTC"
    except (OverflowError, ValueError, OSError):
        return "?"


def gist(message: Message) -> str:
    """The least that tells one message from another: its words, or the name of what it shows."""
    shown = (
        *(f"📎 {file.name}" for file in message.attachments),
        *(f"📍 {place.name}" for place in (message.location,) if place),
        *(f"📊 {poll.question}" for poll in (message.poll,) if poll),
        *(f"📅 {event.title}" for event in (message.gathering,) if event),
    )
    return plain(message.text) or next(iter(shown), "")

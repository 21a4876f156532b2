"""What people say on IRC, as events: messages, actions, notices, reactions and what they take back. The same live and from a server's history.

Sources: RFC 2812 section 3.3; https://ircv3.net/specs/extensions/message-redaction and /client-tags/react.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from haven.ids import ChatId, RemoteMessageId

from ..message import Kind, Message, Reply, plain
from .events import Deleted, Person, Reacted, Said, Talk
from .irc_format import read
from .irc_line import Line
from .irc_tags import answered, reaction

COMMANDS = frozenset({"privmsg", "notice", "tagmsg", "redact"})
"""The commands by which people say something."""

LONGEST_REACTION = 40
"""Characters; what is longer is no reaction to show."""


def talk(line: Line, chat: ChatId, person: Person, new_id: Callable[[], str]) -> Iterator[Talk]:
    """What ``person`` says in ``chat`` by ``line``, if anything."""
    event = RemoteMessageId(line.tags.get("msgid") or new_id())
    match line.command:
        case "privmsg" | "notice":
            message = _message(line)
            if message is not None:
                yield Said(event, chat, person, message, time_of(line))
        case "tagmsg":
            yield from _reacted(line, event, chat, person)
        case "redact" if line.param(1):
            yield Deleted(event, chat, person, RemoteMessageId(line.param(1)), time_of(line))


def _message(line: Line) -> Message | None:
    """The message in a PRIVMSG or NOTICE; ``None`` for what clients say to clients, and where there is nothing to read."""
    text, kind = line.param(1), Kind.TEXT if line.command == "privmsg" else Kind.NOTICE
    if text.startswith("\x01"):
        word, _, text = text.strip("\x01").partition(" ")
        if word.upper() != "ACTION" or line.command != "privmsg":
            return None
        kind = Kind.ACTION
    spans = read(text)
    parent = answered(line.tags)
    reply = Reply(parent) if parent else None
    return Message(spans, kind, reply) if plain(spans).strip() else None


def _reacted(line: Line, event: RemoteMessageId, chat: ChatId, person: Person) -> Iterator[Talk]:
    target, found = answered(line.tags), reaction(line.tags)
    if target is None or found is None:
        return
    key, removed = found
    shown = "".join(char for char in key if char.isprintable() or char == "\u200d")
    if shown and len(shown) <= LONGEST_REACTION:
        yield Reacted(event, chat, person, target, shown, removed, time_of(line))


def time_of(line: Line) -> int | None:
    """The server's time for the line (server-time), in milliseconds."""
    try:
        return round(datetime.fromisoformat(line.tags["time"]).timestamp() * 1000)
    except (KeyError, ValueError, OverflowError):
        return None

"""What is asked of IRC, in its words: the lines to write for it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from haven.errors import Invalid, Missing
from haven.ids import ChatId, RemoteMessageId

from ..convert.plainer import quoting, with_files
from ..message import Kind, Message
from .acts import Act, Delete, React, Say
from .base import Capabilities
from .irc_lines import cut_bytes, lines
from .irc_settings import IrcSettings
from .irc_tags import REACT, REPLY, UNREACT

_COMMANDS = {Kind.TEXT: "PRIVMSG", Kind.ACTION: "PRIVMSG", Kind.NOTICE: "NOTICE"}
_LONGEST_NAME = 60
"""Bytes of a member's name before a line."""


@dataclass(frozen=True, slots=True)
class Wire:
    """One line to write, without its end, and the tags before it."""

    line: str
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def command(self) -> str:
        """The command, as lines name it that are read."""
        return self.line.partition(" ")[0].lower()


Possible = Say | React | Delete
"""What IRC can be asked for."""


def possible(act: Act, can: Capabilities) -> Possible:
    """``act``, where a server with these capabilities can do it; ``Invalid`` else. ``Missing`` where it is about a message that has no id of the
    server's: those that we made ourselves for want of such mean nothing to it.
    """
    match act:
        case Say():
            return act
        case React(target=target) if can.reactions:
            _known(target)
            return act
        case Delete(target=target, more=more) if can.deletions:
            for message in (target, *more):
                _known(message)
            return act
        case _:
            raise Invalid("network_cannot")


def _known(message: RemoteMessageId) -> None:
    if message.startswith(("~", ":")) or any(char.isspace() for char in message):
        raise Missing("network_too_late")


def wire(
    settings: IrcSettings, chat: ChatId, act: Possible, name: str = "", *, named: bool = False
) -> Iterator[Wire]:
    """The lines for ``act``; the same number with the same words at each try, whatever connection writes them: parts are counted.

    ``name`` is who speaks, where each member has a connection; ``named`` puts it before the words, for when they have none just now.
    """
    match act:
        case Say(message=message):
            parent = message.reply.message if message.reply else None
            tags = {REPLY: str(parent)} if parent and not parent.startswith("~") else {}
            for line in _said(settings, chat, message, cut_bytes(name, _LONGEST_NAME), named=named):
                yield Wire(line, tags)
                tags = {}
        case React(target=target, key=key, removed=removed):
            yield Wire(f"TAGMSG {chat}", {UNREACT if removed else REACT: key, REPLY: str(target)})
        case Delete(target=target, more=more):
            for message_id in (target, *more):
                yield Wire(f"REDACT {chat} {message_id}")


def wire_lines(settings: IrcSettings, chat: ChatId, message: Message) -> Iterator[str]:
    """The lines that say ``message`` in ``chat``, for who speaks for all."""
    yield from _said(settings, chat, message, "", named=False)


def _said(settings: IrcSettings, chat: ChatId, message: Message, name: str, *, named: bool) -> Iterator[str]:
    """The lines of ``message``. Where there is a ``name``, room for it is kept, so that they are the same with it and without."""
    named = named and bool(name)
    if settings.quotes or (message.reply and message.reply.message is None):
        message = quoting(message)
    action = message.kind is Kind.ACTION
    prefix = (f"* {name} " if action else f"<{name}> ") if name else ""
    room = budget(settings, chat, message.kind) - len(prefix.encode())
    found = lines(with_files(replace(message, reply=None)), room, settings.most_lines)
    first = next((place for place, line in enumerate(found) if not line.startswith("> ")), 0)
    for place, line in enumerate(found):
        shown = prefix + line if named and place == first else line
        if action and not named:
            shown = f"\x01ACTION {line}\x01"
        yield f"{_COMMANDS[message.kind]} {chat} :{shown}"


def budget(settings: IrcSettings, chat: ChatId, kind: Kind) -> int:
    """Bytes for the text of a line: 512 less what the server puts before it when it hands the line on (RFC 2812 section 2.3)."""
    nick = max(len(settings.nick.encode()) + 8, 30)
    user = max(len(settings.user.encode()) + 1, 11)
    prefix = len(":!@ ") + nick + user + 63
    action = len("\x01ACTION \x01") if kind is Kind.ACTION else 0
    return 512 - prefix - len(f"PRIVMSG {chat} :\r\n".encode()) - action

"""A neutral message in the words of IRC: the lines to write for it."""

from collections.abc import Iterator

from haven.ids import ChatId

from ..convert.plainer import with_files
from ..message import Kind, Message
from .irc_lines import lines
from .irc_settings import IrcSettings

_COMMANDS = {Kind.TEXT: "PRIVMSG", Kind.ACTION: "PRIVMSG", Kind.NOTICE: "NOTICE"}


def wire_lines(settings: IrcSettings, chat: ChatId, message: Message) -> Iterator[str]:
    """The lines that say ``message`` in ``chat``, without their ends. The same at each try, whatever nick we have by then: parts are counted."""
    for line in lines(with_files(message), budget(settings, chat, message.kind), settings.most_lines):
        said = f"\x01ACTION {line}\x01" if message.kind is Kind.ACTION else line
        yield f"{_COMMANDS[message.kind]} {chat} :{said}"


def budget(settings: IrcSettings, chat: ChatId, kind: Kind) -> int:
    """Bytes for the text of a line: 512 less what the server puts before it when it hands the line on (RFC 2812 section 2.3)."""
    nick = max(len(settings.nick.encode()) + 8, 30)
    user = max(len(settings.user.encode()) + 1, 11)
    prefix = len(":!@ ") + nick + user + 63
    action = len("\x01ACTION \x01") if kind is Kind.ACTION else 0
    return 512 - prefix - len(f"PRIVMSG {chat} :\r\n".encode()) - action

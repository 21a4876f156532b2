"""What one connection to IRC tells: its lines as events, in the channels that are open.

Pure but for the ids it is given: lines in, facts out. Facts are the port's events, and four more that concern the connection itself.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from haven.errors import GiveUp, HavenError, Invalid, Missing, Refused, TryLater
from haven.ids import ChatId, RemoteMessageId

from ..message import Kind, Message, plain
from .events import ChatEvent, Joined, Left, Person, Renamed, Role, Said, TopicChanged
from .irc_features import Features
from .irc_format import read
from .irc_line import Line
from .irc_people import People


@dataclass(frozen=True, slots=True)
class Entered:
    """We are in the channel, and know who else is."""

    chat: ChatId


@dataclass(frozen=True, slots=True)
class NotEntered:
    """The server did not let us in."""

    chat: ChatId
    error: HavenError


@dataclass(frozen=True, slots=True)
class Removed:
    """We were put out of the channel, where ``people`` were."""

    chat: ChatId
    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class Unsent:
    """What we last wrote to the channel was not let through; with ``topic`` the topic that we wanted to set."""

    chat: ChatId
    error: GiveUp
    topic: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """A line to send."""

    line: str


Fact = ChatEvent | Entered | NotEntered | Removed | Unsent | Answer

_no = partial(Refused, "network_refused")
_NOT_ENTERED: dict[str, Callable[[], HavenError]] = {
    "nosuchchannel": partial(Invalid, "network_no_such_chat"),
    "badchanmask": partial(Invalid, "network_no_such_chat"),
    "inviteonlychan": partial(_no, reason="invite_only"),
    "bannedfromchan": partial(_no, reason="banned"),
    "470": partial(_no, reason="invite_only"),
    "badchannelkey": partial(_no, reason="needs_key"),
    "nochanmodes": partial(_no, reason="needs_account"),
    "489": partial(_no, reason="needs_tls"),
    "520": partial(_no, reason="operators_only"),
    "channelisfull": partial(TryLater, "network_chat_full"),
    "toomanychannels": partial(TryLater, "network_too_many_chats"),
    "unavailresource": partial(TryLater, "network_unreachable"),
}
"""What a server answers to JOIN. Numerics: RFC 2812 section 5.2; 470 (sent elsewhere), 477 (``nochanmodes``), 489, 520: https://defs.ircdocs.horse."""

_UNSENT: dict[str, Callable[[], GiveUp]] = {
    "cannotsendtochan": partial(_no, reason="no_voice"),
    "nosuchnick": partial(Missing, "network_no_such_chat"),
}
_TOPIC_REFUSED: dict[str, Callable[[], GiveUp]] = {
    "chanoprivsneeded": partial(_no, reason="operators_only"),
    "notonchannel": partial(_no, reason="no_voice"),
}


class _Channel:
    """A channel that is open: how it stands on this connection."""

    def __init__(self, chat: ChatId) -> None:
        self.chat = chat
        self.inside = False
        self.complete = False
        self.topic: str | None = None
        self.named: dict[str, set[str]] = {}


class Session:
    """Lines of one connection, as facts. ``new_id`` makes an id for what happens; ``nick`` is who we are.

    Only channels that were given to ``expect`` are spoken of. What we do ourselves is not told.
    """

    def __init__(self, features: Features, nick: str, new_id: Callable[[], str]) -> None:
        self._features = features
        self._people = People(features)
        self._channels: dict[str, _Channel] = {}
        self._new_id = new_id
        self.nick = nick
        self._handlers: dict[str, Callable[[Line], Iterator[Fact]]] = {
            "privmsg": self._on_privmsg,
            "notice": self._on_notice,
            "join": self._on_join,
            "namreply": self._on_namreply,
            "endofnames": self._on_endofnames,
            "part": self._on_part,
            "kick": self._on_kick,
            "quit": self._on_quit,
            "nick": self._on_nick,
            "mode": self._on_mode,
            "account": self._on_account,
            "topic": self._on_topic,
            "currenttopic": self._on_currenttopic,
            "notopic": self._on_notopic,
        }

    # --- what is asked of it -----------------------------------------------------------------------------------------

    def expect(self, chat: ChatId) -> None:
        """We are about to enter ``chat``."""
        self._channels.setdefault(self._features.fold(chat), _Channel(chat))

    def forget(self, chat: ChatId) -> None:
        """``chat`` is nothing to us any more."""
        self._channels.pop(self._features.fold(chat), None)
        self._people.emptied(chat)

    def inside(self, chat: ChatId) -> bool:
        """Whether we are in ``chat`` and know who is there."""
        channel = self._channels.get(self._features.fold(chat))
        return channel is not None and channel.complete

    def members(self, chat: ChatId) -> tuple[Person, ...]:
        """Who is in ``chat``, ourselves left out."""
        return tuple(person for person in self._people.members(chat) if not self._is_own(person.name))

    def hear(self, line: Line) -> tuple[Fact, ...]:
        """What ``line`` tells. Never fails: a line that makes no sense tells nothing."""
        handler = self._handlers.get(line.command, self._on_refusal)
        return tuple(handler(line))

    # --- what is said --------------------------------------------------------------------------------------------------

    def _on_privmsg(self, line: Line) -> Iterator[Fact]:
        text = line.param(1)
        if text.startswith("\x01"):
            yield from self._ctcp(line, *text.strip("\x01").partition(" ")[::2])
        else:
            yield from self._said(line, text, Kind.TEXT)

    def _on_notice(self, line: Line) -> Iterator[Fact]:
        if not line.param(1).startswith("\x01"):
            yield from self._said(line, line.param(1), Kind.NOTICE)

    def _ctcp(self, line: Line, word: str, rest: str) -> Iterator[Fact]:
        """Client to client: an action is said; who we are is answered to people who ask us alone; nothing else."""
        private = self._is_own(line.param(0)) and line.nick
        if word.upper() == "ACTION":
            yield from self._said(line, rest, Kind.ACTION)
        elif word.upper() == "VERSION" and private:
            yield Answer(f"NOTICE {line.nick} :\x01VERSION Haven\x01")
        elif word.upper() == "PING" and private:
            yield Answer(f"NOTICE {line.nick} :\x01PING {rest[:100]}\x01")

    def _said(self, line: Line, text: str, kind: Kind) -> Iterator[Fact]:
        channel = self._channel(line.param(0))
        if channel is None or not line.nick or self._is_own(line.nick):
            return
        spans = read(text)
        if not plain(spans).strip():
            return
        yield from self._vouched(line, line.tags.get("account", ""))
        person = self._people.person(channel.chat, line.nick)
        yield Said(self._id(line), channel.chat, person, Message(spans, kind), _time(line))

    # --- who comes and goes --------------------------------------------------------------------------------------------

    def _on_join(self, line: Line) -> Iterator[Fact]:
        channel = self._channel(line.param(0))
        if channel is None or not line.nick:
            return
        account = line.param(1) or line.tags.get("account", "")
        person = self._people.joined(channel.chat, line.nick, "" if account == "*" else account)
        if self._is_own(line.nick):
            channel.inside, channel.complete, channel.named = True, False, {}
        else:
            yield Joined(self._id(line), channel.chat, person)

    def _on_namreply(self, line: Line) -> Iterator[Fact]:
        """One line of who is there: ``@ada +ben cem``, with the highest mode or (multi-prefix) all of them before the nick."""
        channel = self._channel(line.param(-2))
        if channel is not None and channel.inside:
            for entry in line.param(-1).split(" "):
                nick = entry.lstrip(self._features.symbols).partition("!")[0]
                if nick:
                    symbols = entry[: len(entry) - len(entry.lstrip(self._features.symbols))]
                    channel.named[nick] = {
                        self._features.modes[self._features.symbols.index(one)] for one in symbols
                    }
        yield from ()

    def _on_endofnames(self, line: Line) -> Iterator[Fact]:
        channel = self._channel(line.param(-2))
        if channel is None or not channel.inside or channel.complete:
            return
        for nick, modes in channel.named.items():
            person = self._people.joined(channel.chat, nick, "", modes)
            if not self._is_own(nick):
                yield Joined(self._id(line), channel.chat, person)
        channel.complete = True
        channel.named = {}
        yield Entered(channel.chat)

    def _on_part(self, line: Line) -> Iterator[Fact]:
        yield from self._gone(line, line.nick)

    def _on_kick(self, line: Line) -> Iterator[Fact]:
        yield from self._gone(line, line.param(1))

    def _gone(self, line: Line, nick: str) -> Iterator[Fact]:
        channel = self._channel(line.param(0))
        if channel is None:
            return
        if self._is_own(nick):
            people = self.members(channel.chat)
            channel.inside = channel.complete = False
            self._people.emptied(channel.chat)
            yield Removed(channel.chat, people)
            return
        person = self._people.left(channel.chat, nick)
        if person is not None:
            yield Left(self._id(line), channel.chat, person)

    def _on_quit(self, line: Line) -> Iterator[Fact]:
        for key in self._people.channels(line.nick):
            person = self._people.left(key, line.nick)
            if person is not None and key in self._channels and not self._is_own(line.nick):
                yield Left(self._id(line), self._channels[key].chat, person)

    def _on_nick(self, line: Line) -> Iterator[Fact]:
        after = line.param(0)
        own = self._is_own(line.nick)
        if not after or not line.nick:
            return
        if own:
            self.nick = after
        self._people.renamed(line.nick, after)
        for key in self._people.channels(after):
            if key in self._channels and not own:
                person = self._people.person(key, after)
                yield Renamed(self._id(line), self._channels[key].chat, person.id, person)

    def _on_mode(self, line: Line) -> Iterator[Fact]:
        channel = self._channel(line.param(0))
        if channel is None:
            return
        for person in self._people.moded(channel.chat, line.param(1), line.params[2:]):
            if not self._is_own(person.name):
                yield Joined(self._id(line), channel.chat, person)

    def _on_account(self, line: Line) -> Iterator[Fact]:
        yield from self._vouched(line, line.param(0))

    def _vouched(self, line: Line, account: str) -> Iterator[Fact]:
        """The server says whose account this is: who was known by their nick alone goes, and comes as that account."""
        if self._is_own(line.nick) or account == "*":
            return
        before = self._people.vouched(line.nick, account)
        for key in self._people.channels(line.nick) if before else ():
            if before and key in self._channels:
                person = self._people.person(key, line.nick)
                chat = self._channels[key].chat
                yield Left(RemoteMessageId(self._new_id()), chat, Person(before, person.name, Role.MEMBER))
                yield Joined(RemoteMessageId(self._new_id()), chat, person)

    # --- the topic -----------------------------------------------------------------------------------------------------

    def _on_topic(self, line: Line) -> Iterator[Fact]:
        channel = self._channel(line.param(0))
        if channel is None:
            return
        if self._is_own(line.nick):
            channel.topic = line.param(1)
            return
        person = self._people.person(channel.chat, line.nick) if line.nick else None
        yield from self._topic(channel, line, person, line.param(1))

    def _on_currenttopic(self, line: Line) -> Iterator[Fact]:
        channel = self._channel(line.param(-2))
        if channel is not None:
            yield from self._topic(channel, line, None, line.param(-1))

    def _on_notopic(self, line: Line) -> Iterator[Fact]:
        channel = self._channel(line.param(-2))
        if channel is not None:
            yield from self._topic(channel, line, None, "")

    def _topic(self, channel: _Channel, line: Line, person: Person | None, topic: str) -> Iterator[Fact]:
        if topic != channel.topic:
            channel.topic = topic
            yield TopicChanged(self._id(line), channel.chat, person, plain(read(topic)))

    # --- refusals ------------------------------------------------------------------------------------------------------

    def _on_refusal(self, line: Line) -> Iterator[Fact]:
        """A numeric that speaks of one of our channels, wherever it names it (servers differ)."""
        command = line.command
        for word in line.params if command in _REFUSALS else ():
            channel = self._channel(word.removeprefix(":"))
            if channel is None:
                continue
            if command in _NOT_ENTERED and not channel.inside:
                yield NotEntered(channel.chat, _NOT_ENTERED[command]())
            elif command in _UNSENT:
                yield Unsent(channel.chat, _UNSENT[command](), topic=False)
            elif command in _TOPIC_REFUSED:
                yield Unsent(channel.chat, _TOPIC_REFUSED[command](), topic=True)

    # --- small things --------------------------------------------------------------------------------------------------

    def _channel(self, name: str) -> _Channel | None:
        return self._channels.get(self._features.fold(name))

    def _is_own(self, nick: str) -> bool:
        return self._features.fold(nick) == self._features.fold(self.nick)

    def _id(self, line: Line) -> RemoteMessageId:
        return RemoteMessageId(line.tags.get("msgid") or self._new_id())


_REFUSALS = {*_NOT_ENTERED, *_UNSENT, *_TOPIC_REFUSED}


def _time(line: Line) -> int | None:
    """The server's time for the line (server-time), in milliseconds."""
    try:
        return round(datetime.fromisoformat(line.tags["time"]).timestamp() * 1000)
    except (KeyError, ValueError, OverflowError):
        return None

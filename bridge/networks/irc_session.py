"""What one connection to IRC tells: its lines as events, in the channels that are open.

Pure but for the ids it is given: lines in, facts out. Facts are the port's events, and some more that concern the connection itself (``irc_facts``).
"""

from collections.abc import Callable, Iterator

from haven.errors import TryLater
from haven.ids import ChatId, RemoteMessageId, RemoteUserId

from ..message import plain
from . import irc_facts as told
from .events import Joined, Left, Person, Renamed, Role, TopicChanged
from .irc_batches import Batches
from .irc_features import Features
from .irc_format import read
from .irc_line import Line
from .irc_ours import Ours
from .irc_people import People
from .irc_tags import OURS
from .irc_talk import COMMANDS, talk, time_of

Fact = told.Fact


class _Channel:
    """A channel that is open: how it stands on this connection."""

    def __init__(self, chat: ChatId) -> None:
        self.chat = chat
        self.inside = False
        self.complete = False
        self.topic: str | None = None
        self.named: dict[str, set[str]] = {}


class Session:
    """Lines of one connection, as facts. ``new_id`` makes an id for what happens; ``nick`` is who we are, ``ours`` are our members' nicks.

    Only channels that were given to ``expect`` are spoken of. What we do ourselves, under whichever nick, is not told.
    """

    def __init__(
        self, features: Features, nick: str, new_id: Callable[[], str], ours: Ours | None = None
    ) -> None:
        self._features = features
        self._people = People(features)
        self._channels: dict[str, _Channel] = {}
        self._batches = Batches()
        self._ours = ours or Ours()
        self._new_id = new_id
        self.nick = nick
        self._handlers: dict[str, Callable[[Line], Iterator[Fact]]] = {
            **dict.fromkeys(COMMANDS, self._on_talk),
            "batch": self._on_batch,
            "fail": self._on_fail,
            "banlist": self._on_banlist,
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
        return tuple(person for person in self._people.members(chat) if not self._is_ours(person.name))

    def is_operator(self, chat: ChatId) -> bool:
        """Whether we are an operator of ``chat``."""
        return self._people.person(chat, self.nick).role is Role.OPERATOR

    def is_own(self, nick: str) -> bool:
        """Whether ``nick`` is that of this connection."""
        return self._features.fold(nick) == self._features.fold(self.nick)

    def hear(self, line: Line) -> tuple[Fact, ...]:
        """What ``line`` tells. Never fails: a line that makes no sense tells nothing."""
        if self._batches.is_history(line) and line.command != "batch":
            return tuple(self._remembered(line))
        handler = self._handlers.get(line.command, self._on_refusal)
        return tuple(handler(line))

    # --- what is said --------------------------------------------------------------------------------------------------

    def _on_talk(self, line: Line) -> Iterator[Fact]:
        if self.is_own(line.param(0)) and line.param(1).startswith("\x01") and line.nick:
            yield from self._asked(line.nick, line)
        channel = self._channel(line.param(0))
        if channel is None or self._is_ours(line.nick):
            return
        if line.nick:
            yield from self._vouched(line, line.tags.get("account", ""))
            person = self._people.person(channel.chat, line.nick)
            yield from talk(line, channel.chat, person, self._new_id)
        elif line.command == "redact":
            server = Person(RemoteUserId("server"), line.source)
            yield from talk(line, channel.chat, server, self._new_id)

    def _asked(self, nick: str, line: Line) -> Iterator[Fact]:
        """Client to client (CTCP): what we are is answered to people who ask us alone; nothing else."""
        word, _, rest = line.param(1).strip("\x01").partition(" ")
        if line.command == "privmsg" and word.upper() == "VERSION":
            yield told.Answer(f"NOTICE {nick} :\x01VERSION Haven\x01")
        elif line.command == "privmsg" and word.upper() == "PING":
            yield told.Answer(f"NOTICE {nick} :\x01PING {rest[:100]}\x01")

    # --- what was said before --------------------------------------------------------------------------------------------

    def _on_batch(self, line: Line) -> Iterator[Fact]:
        self._batches.hear(line)
        yield from ()

    def _remembered(self, line: Line) -> Iterator[Fact]:
        """A line of the server's history. It changes nothing of what we know; what is ours is left out, whatever our nick was then."""
        channel = self._channel(line.param(0))
        if channel is None:
            return
        chat, mark, at = channel.chat, line.tags.get(OURS, ""), time_of(line)
        message = RemoteMessageId(line.tags["msgid"]) if line.tags.get("msgid") else None
        if mark or not line.nick or self._is_ours(line.nick) or line.command not in COMMANDS:
            yield told.Remembered(chat, None, message, at, mark)
            return
        person = self._people.stranger(chat, line.nick, line.tags.get("account", ""))
        event = next(talk(line, chat, person, self._new_id), None)
        yield told.Remembered(chat, event, message, at)

    def _on_fail(self, line: Line) -> Iterator[Fact]:
        """A standard reply (https://ircv3.net/specs/extensions/standard-replies): the command, the reason, what it is about."""
        for word in line.params[2:]:
            channel = self._channel(word)
            if channel is not None and line.param(0).upper() == "REDACT":
                yield told.Unsent(channel.chat, told.not_redacted(line.param(1)), topic=False)
            elif channel is not None and line.param(0).upper() == "CHATHISTORY":
                yield told.NoHistory(channel.chat)

    # --- who comes and goes --------------------------------------------------------------------------------------------

    def _on_join(self, line: Line) -> Iterator[Fact]:
        channel = self._channel(line.param(0))
        if channel is None or not line.nick:
            return
        account = line.param(1) or line.tags.get("account", "")
        person = self._people.joined(channel.chat, line.nick, "" if account == "*" else account)
        if self.is_own(line.nick):
            channel.inside, channel.complete, channel.named = True, False, {}
        elif not self._is_ours(line.nick):
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
            if not self._is_ours(nick):
                yield Joined(self._id(line), channel.chat, person)
        channel.complete = True
        channel.named = {}
        yield told.Entered(channel.chat)

    def _on_part(self, line: Line) -> Iterator[Fact]:
        yield from self._gone(line, line.nick)

    def _on_kick(self, line: Line) -> Iterator[Fact]:
        yield from self._gone(line, line.param(1))

    def _gone(self, line: Line, nick: str) -> Iterator[Fact]:
        channel = self._channel(line.param(0))
        if channel is None:
            return
        if self.is_own(nick):
            people = self.members(channel.chat)
            channel.inside = channel.complete = False
            self._people.emptied(channel.chat)
            yield told.Removed(channel.chat, people)
            return
        person = self._people.left(channel.chat, nick)
        if person is not None and not self._is_ours(nick):
            yield Left(self._id(line), channel.chat, person)

    def _on_quit(self, line: Line) -> Iterator[Fact]:
        ours, split = self._is_ours(line.nick), self._batches.is_split(line)
        for key in self._people.channels(line.nick):
            person = self._people.left(key, line.nick)
            if person is None or ours or key not in self._channels:
                continue
            chat = self._channels[key].chat
            yield told.SplitOff(chat, person) if split else Left(self._id(line), chat, person)
        self._ours.seen_going(line.nick)

    def _on_nick(self, line: Line) -> Iterator[Fact]:
        after = line.param(0)
        own, ours = self.is_own(line.nick), self._is_ours(line.nick)
        if not after or not line.nick:
            return
        if own:
            self.nick = after
        self._ours.renamed(line.nick, after)
        self._ours.seen_going(line.nick)
        self._people.renamed(line.nick, after)
        for key in self._people.channels(after):
            if key in self._channels and not ours:
                person = self._people.person(key, after)
                yield Renamed(self._id(line), self._channels[key].chat, person.id, person)

    def _on_mode(self, line: Line) -> Iterator[Fact]:
        channel = self._channel(line.param(0))
        if channel is None:
            return
        for person in self._people.moded(channel.chat, line.param(1), line.params[2:]):
            if not self._is_ours(person.name):
                yield Joined(RemoteMessageId(self._new_id()), channel.chat, person)

    def _on_account(self, line: Line) -> Iterator[Fact]:
        yield from self._vouched(line, line.param(0))

    def _vouched(self, line: Line, account: str) -> Iterator[Fact]:
        """The server says whose account this is: who was known by their nick alone goes, and comes as that account."""
        if self._is_ours(line.nick) or account == "*":
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
        if self._is_ours(line.nick):
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

    def _on_banlist(self, line: Line) -> Iterator[Fact]:
        channel = self._channel(line.param(1))
        if channel is not None and line.param(2):
            yield told.BanMask(channel.chat, line.param(2))

    # --- refusals ------------------------------------------------------------------------------------------------------

    def _on_refusal(self, line: Line) -> Iterator[Fact]:
        """A numeric that speaks of one of our channels, wherever it names it (servers differ)."""
        command = line.command
        for word in line.params if command in told.REFUSALS else ():
            channel = self._channel(word.removeprefix(":"))
            if channel is None:
                continue
            if command in told.NOT_ENTERED and not channel.inside:
                yield told.NotEntered(channel.chat, told.NOT_ENTERED[command]())
            elif command in told.UNSENT:
                error = told.UNSENT[command]() if channel.inside else TryLater("network_not_inside")
                yield told.Unsent(channel.chat, error, topic=False)
            elif command in told.TOPIC_REFUSED:
                yield told.Unsent(channel.chat, told.TOPIC_REFUSED[command](), topic=True)

    # --- small things --------------------------------------------------------------------------------------------------

    def _channel(self, name: str) -> _Channel | None:
        return self._channels.get(self._features.fold(name))

    def _is_ours(self, nick: str) -> bool:
        return self.is_own(nick) or nick in self._ours

    def _id(self, line: Line) -> RemoteMessageId:
        return RemoteMessageId(line.tags.get("msgid") or self._new_id())

"""The IRC server of the `irc` package, with what a channel needs and that server lacks, as a program: `python -m embedded.ircd PORT`.

Added: founders of channels are operators (MODE, KICK, `@` in NAMES), registration with ISUPPORT, numerics that name their receiver,
case-insensitive names, LIST, WHO and WHOIS, lines cut at 512 bytes, empty channels forgotten. Replies of RFC 2812; ISUPPORT of
modern.ircdocs.horse. And lines are written at once: the original looks ten times a second, burning a core as it does.
"""

import contextlib
import re
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterable, Iterator

from irc.dict import IRCDict
from irc.server import IRCChannel, IRCClient, IRCError, IRCServer

from embedded.ports import HOST

NAME = "irc.haven.test"
ISUPPORT = (
    "CHANTYPES=# PREFIX=(ov)@+ CHANMODES=b,k,l,nt CASEMAPPING=rfc1459 NICKLEN=30 CHANNELLEN=64 "
    "TOPICLEN=390 NETWORK=Haven"
)
NICK = re.compile(r"[A-Za-z\[\]\\`_^{|}][A-Za-z0-9\[\]\\`_^{|}-]{0,29}")
CHANNEL = re.compile(r"#[^\x00\x07\r\n ,:]{0,63}")
RANKS = {"o": "@", "v": "+"}
LINE = 510
"""Bytes of a line, without its end (RFC 2812, 2.3)."""


def words(params: str) -> list[str]:
    """The parameters of a command, the last of which may begin with a colon and hold spaces."""
    middle, colon, trailing = f" {params}".partition(" :")
    return middle.split() + ([trailing] if colon else [])


class Channel(IRCChannel):  # type: ignore[misc]  # irc has no types
    """A channel with ranks (`o`, `v`) and one switch that matters, `t`: only operators change the topic."""

    def __init__(self, name: str) -> None:
        super().__init__(name, topic="")
        self.clients: set[Session] = set()
        self.ranks: dict[Session, set[str]] = {}
        self.switches = {"n"}
        self.created = int(time.time())
        self.topic_at = 0

    def rank(self, session: "Session") -> str:
        """The sign before a nick in NAMES."""
        held = self.ranks.get(session, set())
        return next((sign for letter, sign in RANKS.items() if letter in held), "")

    def tell(self, line: str, but: "Session | None" = None) -> None:
        """Sends a line to everybody in the channel."""
        for session in list(self.clients):
            if session is not but:
                session.send(line)

    def drop(self, session: "Session") -> None:
        """Forgets somebody who left."""
        self.clients.discard(session)
        self.ranks.pop(session, None)


class Session(IRCClient):  # type: ignore[misc]  # irc has no types
    """One connection. A handler gets the parameters of its command; an IRCError becomes a numeric reply."""

    server: "Server"
    nick: str | None

    def setup(self) -> None:
        """Before the first line: no waiting on either side."""
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 5, 0))
        self.channels = IRCDict()
        self.wanted: str | None = None
        self.farewell = "Connection closed"

    def _handle_one(self) -> None:
        try:
            received = self.request.recv(4096)
        except OSError:
            received = b""
        if not received:
            raise self.Disconnect
        self.buffer.feed(received)
        for line in self.buffer:
            with self.server.lock:
                self._handle_line(line.decode(errors="replace").strip("\r\n"))

    def _handle_line(self, line: str) -> None:
        command, _, params = line.strip().partition(" ")
        handler = getattr(self, f"handle_{command.lower()}", None)
        early = command.upper() in {"CAP", "NICK", "USER", "PASS", "PING", "PONG", "QUIT"}
        try:
            if not command:
                return
            if handler is None:
                raise IRCError("421", f"{command} :Unknown command")
            if not self.nick and not early:
                raise IRCError("451", ":You have not registered")
            handler(params)
        except IRCError as error:
            self.numeric(error.code, error.value)

    def send(self, line: str) -> None:
        """Writes a line, cut as servers cut; a peer that does not read is hung up on, in its own thread."""
        cut = line.replace("\r", "").replace("\n", "").encode()[:LINE]
        try:
            self.request.sendall(cut + b"\r\n")
        except OSError:
            with contextlib.suppress(OSError):
                self.request.shutdown(socket.SHUT_RDWR)

    def numeric(self, code: str, text: str) -> None:
        """Sends a numeric reply."""
        self.send(f":{NAME} {code} {self.nick or '*'} {text}")

    def _channel(self, name: str, *, inside: bool = True) -> Channel:
        channel: Channel | None = self.server.channels.get(name)
        if channel is None:
            raise IRCError("403", f"{name} :No such channel")
        if inside and self not in channel.clients:
            raise IRCError("442", f"{name} :You're not on that channel")
        return channel

    def _operated(self, name: str) -> Channel:
        channel = self._channel(name)
        if "o" not in channel.ranks.get(self, set()):
            raise IRCError("482", f"{name} :You're not channel operator")
        return channel

    def _person(self, nick: str) -> "Session":
        session: Session | None = self.server.clients.get(nick)
        if session is None:
            raise IRCError("401", f"{nick} :No such nick/channel")
        return session

    def _peers(self) -> set["Session"]:
        """Everybody who shares a channel with this one."""
        return {peer for channel in self.channels.values() for peer in channel.clients} - {self}

    @staticmethod
    def _need(params: str, count: int, command: str) -> list[str]:
        given = words(params)
        if len(given) < count:
            raise IRCError("461", f"{command} :Not enough parameters")
        return given

    # --- who one is --------------------------------------------------------------------------------------------------

    def handle_cap(self, params: str) -> None:
        """We have no capabilities."""
        asked = self._need(params, 1, "CAP")
        if asked[0].upper() in {"LS", "LIST"}:
            self.send(f":{NAME} CAP {self.nick or '*'} {asked[0].upper()} :")
        elif asked[0].upper() == "REQ":
            self.send(f":{NAME} CAP {self.nick or '*'} NAK :{' '.join(asked[1:])}")

    def handle_pass(self, params: str) -> None:
        """Everybody is let in."""

    handle_pong = handle_pass

    def handle_nick(self, params: str) -> None:
        """Takes or changes a nick."""
        nick = self._need(params, 1, "NICK")[0]
        if not NICK.fullmatch(nick):
            raise IRCError("432", f"{nick} :Erroneous nickname")
        if self.server.clients.get(nick, self) is not self:
            raise IRCError("433", f"{nick} :Nickname is already in use")
        self.server.clients.pop(self.nick or self.wanted, None)
        self.server.clients[nick] = self
        if not self.nick:
            self.wanted = nick
            self._register()
            return
        line = f":{self.client_ident()} NICK :{nick}"
        self.nick = nick
        for session in {self, *self._peers()}:
            session.send(line)

    def handle_user(self, params: str) -> None:
        """Says who is behind the nick."""
        given = self._need(params, 4, "USER")
        self.user, self.realname = given[0], given[3]
        self._register()

    def _register(self) -> None:
        if self.nick or not self.wanted or not self.user:
            return
        self.nick = self.wanted
        self.numeric("001", f":Welcome to the Haven IRC network {self.client_ident()}")
        self.numeric("002", f":Your host is {NAME}")
        self.numeric("003", ":This server was created for demo and tests")
        self.numeric("004", f"{NAME} haven o nt")
        self.numeric("005", f"{self.server.isupport} :are supported by this server")
        self.numeric("422", ":MOTD File is missing")

    def handle_ping(self, params: str) -> None:
        """Answers with the same token."""
        self.send(f":{NAME} PONG {NAME} :{' '.join(words(params))}")

    def handle_quit(self, params: str) -> None:
        """Says goodbye; `finish` tells the others."""
        self.farewell = " ".join(words(params)) or "Quit"
        raise self.Disconnect

    def finish(self) -> None:
        """After the last line: the others hear of it, once."""
        with self.server.lock:
            for peer in self._peers():
                peer.send(f":{self.client_ident()} QUIT :{self.farewell}")
            for channel in list(self.channels.values()):
                self._leave(channel)
            self.server.clients.pop(self.nick or self.wanted, None)

    # --- channels ------------------------------------------------------------------------------------------------------

    def handle_join(self, params: str) -> None:
        """Enters channels; who founds one operates it."""
        for name in self._need(params, 1, "JOIN")[0].split(","):
            if not CHANNEL.fullmatch(name):
                raise IRCError("403", f"{name} :No such channel")
            channel = self.server.channels.get(name)
            if channel is None:
                channel = self.server.channels[name] = Channel(name)
                channel.ranks[self] = {"o"}
            if self not in channel.clients:
                channel.clients.add(self)
                self.channels[name] = channel
                channel.tell(f":{self.client_ident()} JOIN {channel.name}")
                self._show_topic(channel, quiet=True)
                self.handle_names(name)

    def handle_part(self, params: str) -> None:
        """Leaves channels."""
        given = self._need(params, 1, "PART")
        reason = f" :{given[1]}" if len(given) > 1 else ""
        for name in given[0].split(","):
            channel = self._channel(name)
            channel.tell(f":{self.client_ident()} PART {channel.name}{reason}")
            self._leave(channel)

    def _leave(self, channel: Channel) -> None:
        channel.drop(self)
        self.channels.pop(channel.name, None)
        if not channel.clients:
            self.server.channels.pop(channel.name, None)

    def handle_kick(self, params: str) -> None:
        """Puts somebody out."""
        given = self._need(params, 2, "KICK")
        channel, other = self._operated(given[0]), self._person(given[1])
        if other not in channel.clients:
            raise IRCError("441", f"{other.nick} {channel.name} :They aren't on that channel")
        reason = given[2] if len(given) > 2 else str(self.nick)
        channel.tell(f":{self.client_ident()} KICK {channel.name} {other.nick} :{reason}")
        other._leave(channel)  # noqa: SLF001 - a session of the same class

    def handle_topic(self, params: str) -> None:
        """Shows or changes the topic; everybody hears of a change."""
        given = self._need(params, 1, "TOPIC")
        channel = self._channel(given[0])
        if len(given) == 1:
            self._show_topic(channel)
            return
        if "t" in channel.switches:
            self._operated(given[0])
        channel.topic, channel.topic_by, channel.topic_at = given[1][:390], self.nick, int(time.time())
        channel.tell(f":{self.client_ident()} TOPIC {channel.name} :{channel.topic}")

    def _show_topic(self, channel: Channel, *, quiet: bool = False) -> None:
        if channel.topic:
            self.numeric("332", f"{channel.name} :{channel.topic}")
            self.numeric("333", f"{channel.name} {channel.topic_by} {channel.topic_at}")
        elif not quiet:
            self.numeric("331", f"{channel.name} :No topic is set")

    def handle_names(self, params: str) -> None:
        """Lists who is in a channel, ten to a line."""
        channel = self._channel(self._need(params, 1, "NAMES")[0], inside=False)
        for nicks in _lots(sorted(f"{channel.rank(each)}{each.nick}" for each in channel.clients)):
            self.numeric("353", f"= {channel.name} :{' '.join(nicks)}")
        self.numeric("366", f"{channel.name} :End of /NAMES list.")

    def handle_list(self, params: str) -> None:
        """Lists all channels."""
        for channel in self.server.channels.values():
            self.numeric("322", f"{channel.name} {len(channel.clients)} :{channel.topic}")
        self.numeric("323", ":End of /LIST")

    def handle_mode(self, params: str) -> None:
        """Shows or changes the modes of a channel, or says that a person has none."""
        given = self._need(params, 1, "MODE")
        if not given[0].startswith("#"):
            self.numeric("221", "+")
        elif len(given) == 1:
            channel = self._channel(given[0], inside=False)
            self.numeric("324", f"{channel.name} +{''.join(sorted(channel.switches))}")
            self.numeric("329", f"{channel.name} {channel.created}")
        elif given[1].strip("+") == "b":
            self.numeric("368", f"{given[0]} :End of channel ban list")
        else:
            self._change_modes(self._operated(given[0]), given[1], given[2:])

    def _change_modes(self, channel: Channel, letters: str, arguments: list[str]) -> None:
        adding, told, left = True, "", list(arguments)
        for letter in letters:
            if letter in "+-":
                adding = letter == "+"
                continue
            if letter in RANKS:
                held = channel.ranks.setdefault(self._person(left.pop(0) if left else ""), set())
            elif letter in "nt":
                held = channel.switches
            else:
                raise IRCError("472", f"{letter} :is unknown mode char to me")
            (held.add if adding else held.discard)(letter)
            told += f"{'+' if adding else '-'}{letter}"
        channel.tell(f":{self.client_ident()} MODE {' '.join((channel.name, told, *arguments))}")

    # --- people --------------------------------------------------------------------------------------------------------

    def handle_who(self, params: str) -> None:
        """Lists the people of a channel, or one person."""
        mask = self._need(params, 1, "WHO")[0]
        channel = self.server.channels.get(mask)
        people = channel.clients if channel else filter(None, [self.server.clients.get(mask)])
        for each in people:
            flags = f"H{channel.rank(each) if channel else ''}"
            about = f"{each.user} {NAME} {NAME} {each.nick} {flags} :0 {each.realname}"
            self.numeric("352", f"{channel.name if channel else '*'} {about}")
        self.numeric("315", f"{mask} :End of /WHO list.")

    def handle_whois(self, params: str) -> None:
        """Says who somebody is and where."""
        other = self._person(self._need(params, 1, "WHOIS")[-1])
        self.numeric("311", f"{other.nick} {other.user} {NAME} * :{other.realname}")
        shared = " ".join(f"{channel.rank(other)}{channel.name}" for channel in other.channels.values())
        self.numeric("319", f"{other.nick} :{shared}")
        self.numeric("318", f"{other.nick} :End of /WHOIS list.")

    def _send_msg(self, cmd: str, params: str) -> None:
        target, text = self._need(params, 2, cmd)[:2]
        if target.startswith("#"):
            channel = self._channel(target, inside=False)
            if self not in channel.clients:
                raise IRCError("404", f"{target} :Cannot send to channel")
            channel.tell(f":{self.client_ident()} {cmd} {channel.name} :{text}", but=self)
        else:
            other = self._person(target)
            other.send(f":{self.client_ident()} {cmd} {other.nick} :{text}")


def _lots(nicks: list[str], size: int = 10) -> Iterator[Iterable[str]]:
    for start in range(0, len(nicks), size):
        yield nicks[start : start + size]


class Server(IRCServer):  # type: ignore[misc]  # irc has no types
    """The server: one lock, so that a line is handled as a whole; names without case."""

    request_queue_size = 128
    isupport = ISUPPORT

    def __init__(self, port: int, session: type[Session] = Session) -> None:
        super().__init__((HOST, port), session)
        self.servername = NAME
        self.lock = threading.RLock()
        self.channels = IRCDict()
        self.clients = IRCDict()


def main() -> None:
    """Serves on loopback until it is ended."""
    Server(int(sys.argv[1])).serve_forever()


if __name__ == "__main__":
    main()

"""A person on IRC: a raw connection, so that nothing the tests see went through the library that the bridge uses."""

import asyncio
import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from embedded.waiting import PATIENCE, NeverHappened


class IrcRefused(Exception):
    """The server said no before one was in: the line it said."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a server: `nick` of who it is from (or the server's name), `command`, `params` with the trailing one last."""

    nick: str
    command: str
    params: tuple[str, ...]
    raw: str

    @property
    def target(self) -> str:
        """Where it was said."""
        return self.params[0] if self.params else ""

    @property
    def text(self) -> str:
        """What was said."""
        return self.params[-1] if self.params else ""

    @property
    def tags(self) -> dict[str, str]:
        """The message tags (IRCv3) before the line, as they stand on the wire."""
        group = self.raw[1:].partition(" ")[0] if self.raw.startswith("@") else ""
        pairs = (item.partition("=") for item in group.split(";") if item)
        return {name: value for name, _, value in pairs}

    @staticmethod
    def of(raw: str) -> "Line":
        """Reads a line (RFC 2812, 2.3.1), with or without message tags."""
        rest = re.sub(r"^@\S+ +", "", raw)
        prefix = ""
        if rest.startswith(":"):
            prefix, _, rest = rest[1:].partition(" ")
        middle, colon, trailing = rest.partition(" :")
        command, *params = middle.split() or [""]
        return Line(prefix.partition("!")[0], command.upper(), (*params, *([trailing] if colon else [])), raw)


class Chatter:
    """Somebody connected to an IRC server; `received` is every line so far. Usable as an async context manager once connected."""

    def __init__(self, nick: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.nick = nick
        self.received: list[Line] = []
        self._reader = reader
        self._writer = writer
        self._news = asyncio.Condition()
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def connect(cls, host: str, port: int, nick: str) -> Self:
        """Connects and registers; raises IrcRefused when the nick is taken or not allowed."""
        reader, writer = await asyncio.open_connection(host, port)
        chatter = cls(nick, reader, writer)
        try:
            await chatter.send(f"NICK {nick}")
            await chatter.send(f"USER {nick.lower()} 0 * :{nick}")
            answer = await chatter.wait_for(lambda line: line.command in {"001", "432", "433", "ERROR"})
            if answer.command != "001":
                raise IrcRefused(answer.raw)
        except BaseException:
            await chatter.aclose()
            raise
        return chatter

    async def _listen(self) -> None:
        with contextlib.suppress(OSError):
            async for raw in self._reader:
                line = Line.of(raw.decode(errors="replace").rstrip("\r\n"))
                if line.command == "PING":
                    await self.send(f"PONG :{line.text}")
                if line.command == "NICK" and line.nick == self.nick:
                    self.nick = line.text
                async with self._news:
                    self.received.append(line)
                    self._news.notify_all()
        async with self._news:
            self._news.notify_all()

    @property
    def connected(self) -> bool:
        """Whether the server still talks to us."""
        return not self._listening.done()

    async def send(self, line: str) -> None:
        """Sends a raw line."""
        self._writer.write(f"{line}\r\n".encode())
        await self._writer.drain()

    async def wait_for(
        self, fits: Callable[[Line], bool], *, after: int = 0, timeout: float = PATIENCE
    ) -> Line:
        """The first line that fits, received already or still to come; `after` skips as many (see `mark`)."""
        try:
            async with asyncio.timeout(timeout), self._news:
                while True:
                    for line in self.received[after:]:
                        if fits(line):
                            return line
                    await self._news.wait()
        except TimeoutError:
            recent = "\n".join(line.raw for line in self.received[-10:])
            raise NeverHappened(
                f"{self.nick} saw no line that fits within {timeout:.0f} s; last were:\n{recent}"
            ) from None

    @property
    def mark(self) -> int:
        """How many lines came so far, to look only at later ones."""
        return len(self.received)

    async def heard(self, text: str, *, after: int = 0, timeout: float = PATIENCE) -> Line:
        """Waits for a message or notice that contains a text."""

        def fits(line: Line) -> bool:
            return line.command in {"PRIVMSG", "NOTICE"} and text in line.text

        return await self.wait_for(fits, after=after, timeout=timeout)

    async def join(self, channel: str) -> None:
        """Enters a channel, and returns when the list of those inside has come."""
        mark = self.mark
        await self.send(f"JOIN {channel}")
        await self.wait_for(
            lambda line: line.command == "366" and line.params[1].lower() == channel.lower(), after=mark
        )

    async def ask_for(self, capabilities: str) -> None:
        """Asks for capabilities (IRCv3), and returns when one has them."""
        mark = self.mark
        await self.send(f"CAP REQ :{capabilities}")
        await self.wait_for(lambda line: line.command == "CAP" and "ACK" in line.params, after=mark)

    async def part(self, channel: str, reason: str = "") -> None:
        """Leaves a channel."""
        await self.send(f"PART {channel} :{reason}")

    async def say(self, target: str, text: str) -> None:
        """Says something in a channel or to somebody."""
        await self.send(f"PRIVMSG {target} :{text}")

    async def act(self, target: str, text: str) -> None:
        """Does something: `/me` (CTCP ACTION)."""
        await self.say(target, f"\x01ACTION {text}\x01")

    async def notice(self, target: str, text: str) -> None:
        """Says something that no program may answer."""
        await self.send(f"NOTICE {target} :{text}")

    async def topic(self, channel: str, text: str) -> None:
        """Changes the topic."""
        await self.send(f"TOPIC {channel} :{text}")

    async def rename(self, nick: str) -> None:
        """Takes another nick, and returns when one has it."""
        mark = self.mark
        await self.send(f"NICK {nick}")
        await self.wait_for(lambda line: line.command == "NICK" and line.text == nick, after=mark)

    async def names(self, channel: str) -> dict[str, str]:
        """Who is in a channel: the sign of their rank (`@`, `+` or "") by nick."""
        mark = self.mark
        await self.send(f"NAMES {channel}")
        await self.wait_for(lambda line: line.command == "366", after=mark)
        lists = [line.text.split() for line in self.received[mark:] if line.command == "353"]
        nicks = [nick for each in lists for nick in each]
        return {nick.lstrip("@+"): nick[: len(nick) - len(nick.lstrip("@+"))] for nick in nicks}

    async def wait_for_end(self, timeout: float = PATIENCE) -> None:
        """Waits until the server hung up."""
        async with asyncio.timeout(timeout):
            await asyncio.wait([self._listening])

    async def aclose(self) -> None:
        """Leaves, with a goodbye if the line is still there."""
        with contextlib.suppress(OSError):
            await self.send("QUIT :bye")
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
        self._listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._listening

    async def drop(self) -> None:
        """Loses the connection without a word."""
        transport = self._writer.transport
        transport.abort()
        await asyncio.wait([self._listening])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

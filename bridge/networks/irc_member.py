"""One member's own connection to IRC: it speaks, and enters the channels where they speak. The main connection does the listening."""

import asyncio
import contextlib
import time
from collections.abc import Callable

from haven.errors import GiveUp, HavenError, TryLater, Unreachable
from haven.ids import ChatId

from .irc_connection import IrcConnection
from .irc_facts import NOT_ENTERED, REFUSALS, UNSENT, Unsent, not_redacted
from .irc_line import Line
from .irc_ours import Ours
from .irc_pace import Pace
from .irc_settings import IrcSettings
from .irc_speaker import Speaker
from .irc_wanted import PATIENCE


class Member:
    """A connection under a member's nick, from ``open`` until it is lost or closed. ``settings`` are theirs: nick and real name."""

    def __init__(self, settings: IrcSettings, ours: Ours) -> None:
        self._pace = Pace(settings.burst, settings.rate, time.monotonic)
        self._connection = IrcConnection(settings, self._heard)
        self._ours = ours
        self._nick = ""
        self._inside: set[str] = set()
        self._entering: dict[str, asyncio.Future[None]] = {}
        self._watch: asyncio.Task[None] | None = None
        self.wished = settings.nick
        self.speaker = Speaker(self._connection, self._pace, self._check)

    @property
    def connected(self) -> bool:
        """Whether it can speak."""
        return self._connection.connected

    @property
    def over(self) -> bool:
        """Whether it was there and is lost."""
        return self._watch is not None and not self.connected

    @property
    def silent(self) -> float:
        """For how many seconds it has said nothing; none while it is still connecting."""
        return time.monotonic() - self.speaker.used if self._watch is not None else 0.0

    async def open(self) -> None:
        """Connect and log in; errors as ``IrcConnection.open``."""
        await self._connection.open()
        self._nick = self._connection.nick
        self._ours.add(self._nick)
        self._watch = asyncio.create_task(self._end_of_it(), name="irc: a member's connection")

    async def close(self) -> None:
        """Leave the server."""
        await self._connection.close()
        if self._watch is not None:
            await self._watch

    async def enter(self, chat: ChatId) -> None:
        """Be in ``chat``; raises why not."""
        key = self._key(chat)
        if key in self._inside:
            return
        await self._pace.wait()
        answer = self._entering[key] = asyncio.get_running_loop().create_future()
        try:
            self._connection.send(f"JOIN {chat}")
            async with asyncio.timeout(PATIENCE):
                await answer
        except TimeoutError:
            raise TryLater("network_unreachable") from None
        finally:
            del self._entering[key]

    def leave(self, chat: ChatId) -> None:
        """Be in ``chat`` no longer."""
        if self._key(chat) in self._inside:
            self._inside.discard(self._key(chat))
            with contextlib.suppress(Unreachable):
                self._connection.send(f"PART {chat}")

    async def rename(self, nick: str) -> None:
        """The member has another name. Where the nick is taken they keep the one they have."""
        self.wished = nick
        await self._pace.wait()
        self._connection.send(f"NICK {nick}")
        await self._connection.barrier()

    # --- inside ------------------------------------------------------------------------------------------------------

    def _check(self, chat: ChatId) -> None:
        if not self.connected or self._key(chat) not in self._inside:
            raise TryLater("network_not_inside")

    async def _end_of_it(self) -> None:
        await self._connection.lost()
        self._inside.clear()
        self._ours.ended(self._nick)
        for answer in self._entering.values():
            if not answer.done():
                answer.set_exception(Unreachable("network_unreachable"))

    def _heard(self, line: Line) -> None:
        own = self._key(line.nick) in (self._key(self._connection.nick), self._key(self._nick))
        self.speaker.heard(line, own=own)
        key = self._key(line.param(0))
        match line.command:
            case "join" if own:
                self._inside.add(key)
                self._settle(key)
            case "part" if own:
                self._inside.discard(key)
            case "kick" if self._key(line.param(1)) == self._key(self._connection.nick):
                self._inside.discard(key)
            case "nick" if own:
                self._ours.renamed(self._nick, line.param(0))
                self._nick = line.param(0)
            case "fail" if line.param(0).upper() == "REDACT":
                self._refused(line, lambda: not_redacted(line.param(1)))
            case command if command in REFUSALS:
                self._not_let(command, line)

    def _not_let(self, command: str, line: Line) -> None:
        for word in line.params:
            if self._key(word) in self._entering and command in NOT_ENTERED:
                self._settle(self._key(word), NOT_ENTERED[command]())
        if command in UNSENT:
            self._refused(line, UNSENT[command])

    def _refused(self, line: Line, why: Callable[[], GiveUp]) -> None:
        """What we wrote was not let through. Where we were put out a moment ago that is why, and we may come back."""
        for word in line.params:
            if self._connection.features.is_channel(word):
                error = why() if self._key(word) in self._inside else TryLater("network_not_inside")
                self.speaker.refused(Unsent(ChatId(word), error, topic=False))

    def _settle(self, key: str, error: HavenError | None = None) -> None:
        answer = self._entering.get(key)
        if answer is not None and not answer.done():
            answer.set_exception(error) if error else answer.set_result(None)

    def _key(self, name: str) -> str:
        return self._connection.features.fold(name)

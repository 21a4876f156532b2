"""Speaking through one connection: lines claimed, paced and written; what became of each, as the server's echo and refusals say.

IRC confirms nothing by itself. So what is written is followed by a PING, whose answer says that the server has read it; any refusal comes before it,
and so does the echo (``echo-message``), which gives our own message its id. Labels (``labeled-response``) tell which line an echo is of; without
them the order does.
"""

import itertools
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from haven.errors import HavenError, Refused, TryLater, Unreachable
from haven.ids import ChatId, RemoteMessageId

from .acts import Claim, Receipt
from .irc_capabilities import ECHO, HISTORY, LABELS, MESSAGE_TAGS, REDACTION
from .irc_connection import IrcConnection
from .irc_facts import Unsent
from .irc_line import Line
from .irc_pace import Pace
from .irc_tags import OURS, REACT, REPLY, part_mark
from .irc_talk import COMMANDS
from .irc_wording import Wire

_FRESH = 10.0
"""Seconds after which a silent server is asked whether it is there before anything is written to it."""


@dataclass(slots=True, eq=False)
class _Written:
    """A line that went out: which part it was, and what the echo says of it."""

    part: int
    command: str
    chat: str
    label: str
    is_awaited: bool
    """Its echo will come, and has not yet."""
    id: RemoteMessageId | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """A line of which nobody knows whether it arrived: its part, its mark, and when it was written (milliseconds since 1970)."""

    part: int
    mark: str
    at: int


@dataclass(frozen=True, slots=True)
class Spoken:
    """What came of writing. ``doubts``: the last lines written, where the connection broke before the server told of them, which it would have
    done. ``cut``: one more was claimed and certainly not written.
    """

    receipt: Receipt
    doubts: tuple[Doubt, ...] = ()
    cut: bool = False


_KEPT = ("privmsg", "notice")
"""What a server's history holds."""


class Speaker:
    """Writes through ``connection``. ``check`` raises ``TryLater`` where it is not in a chat at the moment; ``pace`` heeds flood limits."""

    def __init__(self, connection: IrcConnection, pace: Pace, check: Callable[[ChatId], None]) -> None:
        self.connection = connection
        self.used = time.monotonic()
        self._pace = pace
        self._check = check
        self._has_ids = False
        self._awaited: list[_Written] = []
        self._unsent: dict[tuple[str, bool], HavenError] = {}
        self._labels = map("h{}".format, itertools.count())

    # --- what can be said ------------------------------------------------------------------------------------------------

    def can(self, *tags: str) -> bool:
        """Whether the server gives messages ids, ours too, and hands these client tags on."""
        held, features = self.connection.capabilities, self.connection.features
        return (
            self._has_ids and {MESSAGE_TAGS, ECHO} <= held and all(features.passes_tag(tag) for tag in tags)
        )

    @property
    def can_reply(self) -> bool:
        """Whether a message can say what it answers."""
        return self.can(REPLY)

    @property
    def can_react(self) -> bool:
        """Whether reactions reach others."""
        return self.can(REPLY, REACT)

    @property
    def can_redact(self) -> bool:
        """Whether messages can be taken back."""
        return self.can() and REDACTION in self.connection.capabilities

    @property
    def can_remember(self) -> bool:
        """Whether the server knows what was said before we came."""
        return {HISTORY, MESSAGE_TAGS, "batch", "server-time"} <= self.connection.capabilities

    # --- saying it -------------------------------------------------------------------------------------------------------

    async def say(self, chat: ChatId, key: str, parts: Iterable[tuple[int, Wire]], claim: Claim) -> Spoken:
        """Write each of ``parts`` that can be claimed; ``key`` is what they are parts of.

        ``TryLater`` where what was claimed last did not go out; the server's refusal where it let nothing through.
        """
        await self._awake(chat)
        self._unsent.pop((self._key(chat), False), None)
        written: list[_Written] = []
        cut = False
        for part, wire in parts:
            await self._pace.wait()
            if not written:
                self._check(chat)
            if not await claim(part):
                continue
            try:
                self._check(chat)
                written.append(self._write(chat, key, part, wire))
            except TryLater:
                if not written:
                    raise
                cut = True
                break
        return await self._spoken(chat, key, written, cut=cut)

    async def _spoken(self, chat: ChatId, key: str, written: list[_Written], *, cut: bool) -> Spoken:
        """What became of all that was written."""
        try:
            alive = await self._confirmed(chat, topic=False) if written else True
        except TryLater:
            if len(written) > 1 or cut:  # only what was claimed last can be taken up again
                raise Refused("network_refused", reason="gone") from None
            raise
        self.used = time.monotonic()
        now = time.time_ns() // 1_000_000
        lost = [one for one in written if one.is_awaited and one.command in _KEPT and not alive]
        return Spoken(
            Receipt(tuple((one.part, one.id) for one in written if one.id is not None)),
            tuple(Doubt(one.part, part_mark(key, one.part), now) for one in lost),
            cut,
        )

    async def ask(self, chat: ChatId, line: str) -> None:
        """Write a line that changes something about ``chat`` (its topic, who may what); raises the server's refusal."""
        await self._awake(chat)
        await self._pace.wait()
        self._check(chat)
        self._unsent.pop((self._key(chat), True), None)
        self.connection.send(line)
        await self._confirmed(chat, topic=True)

    def _write(self, chat: ChatId, key: str, part: int, wire: Wire) -> _Written:
        self.used = time.monotonic()
        held = self.connection.capabilities
        one = _Written(
            part, wire.command, self._key(chat), next(self._labels) if LABELS in held else "", ECHO in held
        )
        tags = dict(wire.tags) if MESSAGE_TAGS in held else {}
        if MESSAGE_TAGS in held and self.connection.features.passes_tag(OURS):
            tags[OURS] = part_mark(key, part)
        if one.label:
            tags["label"] = one.label
        self.connection.send(wire.line, tags)
        if ECHO in held:
            self._awaited.append(one)
        return one

    async def _confirmed(self, chat: ChatId, *, topic: bool) -> bool:
        """Returns when the server has read what was written (true) or is gone (false: it stays in doubt); raises its refusal."""
        alive = True
        try:
            await self.connection.barrier()
        except Unreachable:
            alive = False
        self._awaited = [one for one in self._awaited if one.chat != self._key(chat)]
        error = self._unsent.pop((self._key(chat), topic), None)
        if error is not None:
            raise error
        return alive

    async def _awake(self, chat: ChatId) -> None:
        """Do not write into a connection that may be dead: ask a server that has been silent."""
        self._check(chat)
        if self.connection.quiet > _FRESH:
            await self.connection.barrier()

    # --- what is heard of it ---------------------------------------------------------------------------------------------

    def heard(self, line: Line, *, own: bool) -> None:
        """A line came; ``own``: under our nick. An echo gives what we wrote its id."""
        message = line.tags.get("msgid")
        self._has_ids = self._has_ids or bool(message)
        if not own or line.command not in COMMANDS:
            return
        found = next((one for one in self._awaited if self._is_echo(line, one)), None)
        if found is not None:
            self._awaited.remove(found)
            found.is_awaited = False
            found.id = RemoteMessageId(message) if message and found.command != "redact" else None

    def _is_echo(self, line: Line, one: _Written) -> bool:
        label = line.tags.get("label")
        if label:
            return label == one.label
        return (one.command, one.chat) == (line.command, self._key(ChatId(line.param(0))))

    def refused(self, fact: Unsent) -> None:
        """The server did not let through what we last wrote."""
        self._unsent[self._key(fact.chat), fact.topic] = fact.error

    def _key(self, chat: ChatId) -> str:
        return self.connection.features.fold(chat)

"""Sending to IRC: which connection speaks, and what becomes of lines of which nobody knows whether they arrived.

Where the server keeps a history it is asked. So a message that was on the wire when a connection broke, or that was claimed when the bridge was killed,
is written again only if it did not arrive. Without history it stays in doubt, and is not repeated.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from haven.errors import Missing, Refused, TryLater, Unreachable
from haven.ids import ChatId, RemoteMessageId

from .acts import Claim, Delete, Outgoing, Receipt, Say
from .irc_format import clean
from .irc_members import Members
from .irc_past import Past
from .irc_presence import Presence
from .irc_settings import IrcSettings, Manner
from .irc_speaker import Doubt, Speaker, Spoken
from .irc_tags import part_mark
from .irc_wording import Possible, Wire, wire

PATIENCE = 30.0
"""Seconds for which we wait to be back, to ask whether a message arrived."""


class Sending:
    """Sends for members. ``now`` gives how the bridge itself is on the server, ``None`` while it is not."""

    def __init__(self, settings: IrcSettings, members: Members, now: Callable[[], Presence | None]) -> None:
        self._settings = settings
        self._members = members
        self._now = now
        self._change = asyncio.Event()

    def came_in(self) -> None:
        """We are in a channel: who waited for that may look."""
        self._change.set()
        self._change = asyncio.Event()

    def presence(self, chat: ChatId) -> Presence:
        """How we are on the server, if we are in ``chat`` now; ``TryLater`` else."""
        now = self._now()
        if now is None:
            raise TryLater("network_unreachable")
        now.check(chat)
        return now

    async def send(self, outgoing: Outgoing, act: Possible, claim: Claim) -> Receipt:
        """Say ``act``, which is that of ``outgoing`` as far as the server can do it. See the port."""
        chat, name = outgoing.chat, self._name(outgoing)
        own = await self._own(outgoing)
        speaker = own or self.presence(chat).speaker
        wires = wire(self._settings, chat, act, name, named=own is None)
        spoken = await speaker.say(chat, outgoing.key, enumerate(wires), claim)
        receipt = spoken.receipt
        if spoken.doubts:
            through = tuple(wire(self._settings, chat, act, name, named=True))
            receipt = await self._settled(outgoing, spoken, through)
        if spoken.cut:
            raise TryLater("network_unreachable")
        return receipt

    def _name(self, outgoing: Outgoing) -> str:
        """Who speaks, where members have connections; elsewhere the relay has put the name into the text."""
        if self._settings.members is Manner.SHARED or outgoing.sender is None:
            return ""
        return clean(" ".join(outgoing.sender.name.split()))

    async def _own(self, outgoing: Outgoing) -> Speaker | None:
        """The sender's own connection, where they have one. An operator may take back what others said: if the bridge is one, it does that."""
        presence = self.presence(outgoing.chat)
        if self._settings.members is Manner.SHARED or outgoing.sender is None:
            return None
        if isinstance(outgoing.act, Delete) and presence.session.is_operator(outgoing.chat):
            return None
        return await self._members.speaker(outgoing.sender, outgoing.chat, presence.connection.features)

    async def sent(self, outgoing: Outgoing, part: int) -> RemoteMessageId | None:
        """See ``LooksUp``."""
        self.presence(outgoing.chat)
        past = self._past(outgoing.chat)
        if past is None or not isinstance(outgoing.act, Say):
            return None  # reactions and deletions may come twice
        try:
            return await past.find(outgoing.chat, part_mark(outgoing.key, part))
        except Missing:
            return None

    # --- in doubt ----------------------------------------------------------------------------------------------------

    async def _settled(self, outgoing: Outgoing, spoken: Spoken, wires: Sequence[Wire]) -> Receipt:
        """The connection broke before the echo came: ask the server's history, once we are back, and write again what did not arrive."""
        past = await self._back(outgoing.chat)
        if past is None:
            return spoken.receipt
        found, missing = await _answers(past, outgoing.chat, spoken.doubts)
        if missing == [spoken.doubts[-1].part] and not spoken.cut:
            raise TryLater("network_unreachable")
        again = await self._again(outgoing, [(part, wires[part]) for part in missing])
        return Receipt((*spoken.receipt.messages, *found, *again.messages))

    async def _again(self, outgoing: Outgoing, parts: Sequence[tuple[int, Wire]]) -> Receipt:
        """Write parts that were claimed and are lost. ``Refused``, of which their sender hears, where that cannot be done now."""

        async def claimed(_part: int) -> bool:
            return True

        if not parts:
            return Receipt()
        try:
            speaker = self.presence(outgoing.chat).speaker
            return (await speaker.say(outgoing.chat, outgoing.key, parts, claimed)).receipt
        except TryLater:
            raise Refused("network_refused", reason="gone") from None

    async def _back(self, chat: ChatId) -> Past | None:
        """The server's history, once we are in ``chat`` again; ``None`` where it has none, or we are not back in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while not self._is_in(chat):
                    await self._change.wait()
        return self._past(chat)

    def _is_in(self, chat: ChatId) -> bool:
        now = self._now()
        return now is not None and now.connection.connected and now.session.inside(chat)

    def _past(self, chat: ChatId) -> Past | None:
        now = self._now()
        return now.past if now is not None and self._is_in(chat) and now.speaker.can_remember else None


async def _answers(
    past: Past, chat: ChatId, doubts: Sequence[Doubt]
) -> tuple[list[tuple[int, RemoteMessageId]], list[int]]:
    """What ``past`` says to ``doubts``: the ids of the parts that arrived, and the numbers of those that surely did not."""
    found: list[tuple[int, RemoteMessageId]] = []
    missing: list[int] = []
    for doubt in doubts:
        try:
            message = await past.find(chat, doubt.mark, doubt.at)
        except Missing:
            missing.append(doubt.part)
        except Unreachable:
            break
        else:
            found += [(doubt.part, message)] if message else []
    return found, missing

"""Rights and order in a channel of IRC: making operators, kicking, banning, as far as the bridge is an operator itself.

IRC bans masks, not people. We ban by nick, which is all that we know of somebody: whoever takes another nick walks around it, as on IRC they do.
Sources: RFC 2812 sections 3.2.3 (MODE) and 3.2.8 (KICK).
"""

from collections.abc import Iterator

from haven.errors import Missing
from haven.ids import ChatId, RemoteUserId

from .events import Person, Role
from .irc_presence import Presence


class Ruling:
    """What the bridge may do about the people of ``chat``. Every method raises ``Refused`` where it is no operator."""

    def __init__(self, presence: Presence, chat: ChatId) -> None:
        self._presence = presence
        self._chat = chat

    async def set_role(self, person: RemoteUserId, role: Role) -> None:
        """Make ``person`` an operator, or one no longer; ``Missing`` where they are not there."""
        there = self._there(person)
        if there is None:
            raise Missing("network_cannot")
        if there.role is not role:
            await self._ask(f"MODE {self._chat} {'+' if role is Role.OPERATOR else '-'}o {there.name}")

    async def put_out(self, person: RemoteUserId) -> None:
        """Kick them, where they are there."""
        there = self._there(person)
        if there is not None:
            await self._ask(f"KICK {self._chat} {there.name}")

    async def ban(self, person: RemoteUserId) -> None:
        """Ban their nick, and kick them."""
        await self._mode("+b", person)
        await self.put_out(person)

    async def unban(self, person: RemoteUserId) -> None:
        """Lift the ban of their nick."""
        await self._mode("-b", person)

    async def _mode(self, change: str, person: RemoteUserId) -> None:
        nicks = tuple(dict.fromkeys(self._nicks(person)))
        if not nicks:
            raise Missing("network_cannot")
        for nick in nicks:
            await self._ask(f"MODE {self._chat} {change} {nick}!*@*")

    def _nicks(self, person: RemoteUserId) -> Iterator[str]:
        """The nick that they were first known by, where they are known by one, and the one they have now."""
        kind, _, name = person.partition(":")
        if kind == "nick":
            yield name.partition("/")[0]
        there = self._there(person)
        if there is not None:
            yield self._presence.connection.features.fold(there.name)

    def _there(self, person: RemoteUserId) -> Person | None:
        return next((one for one in self._presence.session.members(self._chat) if one.id == person), None)

    async def _ask(self, line: str) -> None:
        await self._presence.speaker.ask(self._chat, line)

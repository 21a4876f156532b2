"""Rights and order in a channel of IRC: making operators, kicking, banning, as far as the bridge is an operator itself.

IRC bans masks, not people. We ban by nick, which is all that we know of somebody: whoever takes another nick walks around it, as on IRC they do.
Sources: RFC 2812 sections 3.2.3 (MODE) and 3.2.8 (KICK).
"""

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
        """Ban the nick that is their id, and the one they have now, and kick them. ``Missing`` where their id is no nick: it could not be found
        again in the list of bans.
        """
        there, nick = self._there(person), self._nick(person)
        if there is not None and self._presence.connection.features.fold(there.name) != nick:
            await self._ask(f"MODE {self._chat} +b {there.name}!*@*")
        await self._ask(f"MODE {self._chat} +b {nick}!*@*")
        await self.put_out(person)

    async def unban(self, person: RemoteUserId) -> None:
        """Lift the ban of the nick that is their id."""
        await self._ask(f"MODE {self._chat} -b {self._nick(person)}!*@*")

    async def banned(self) -> tuple[RemoteUserId, ...]:
        """Whose nicks are banned. Masks of other kinds are nobody's in particular."""
        async with self._presence.asking:
            self._presence.bans.clear()
            await self._ask(f"MODE {self._chat} +b")
            masks = [ban.mask for ban in self._presence.bans if ban.chat == self._chat]
        fold = self._presence.connection.features.fold
        nicks = (mask.removesuffix("!*@*") for mask in masks if mask.endswith("!*@*"))
        return tuple(RemoteUserId(f"nick:{fold(nick)}") for nick in nicks if not set("*?!@:") & set(nick))

    def _nick(self, person: RemoteUserId) -> str:
        kind, _, nick = person.partition(":")
        if kind != "nick" or "/" in nick:
            raise Missing("network_cannot")
        return nick

    def _there(self, person: RemoteUserId) -> Person | None:
        return next((one for one in self._presence.session.members(self._chat) if one.id == person), None)

    async def _ask(self, line: str) -> None:
        await self._presence.speaker.ask(self._chat, line)

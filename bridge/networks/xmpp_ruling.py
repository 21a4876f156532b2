"""What we may do to people and their messages in a room of XMPP, where it made us an admin or a moderator (XEP-0045 sections 8 and 9, XEP-0425)."""

from haven.errors import Missing, Refused
from haven.ids import RemoteMessageId, RemoteUserId

from . import xmpp_errors
from .events import Role
from .xmpp_connection import XmppConnection
from .xmpp_room import Room
from .xmpp_xml import MODERATE, MUC_ADMIN, RETRACT, bare, make


class Ruling:
    """Acts on one room. What its server refuses is ``Refused``, with the reason ``operators_only``."""

    def __init__(self, connection: XmppConnection, room: Room) -> None:
        self._connection = connection
        self._room = room

    async def set_role(self, person: RemoteUserId, role: Role, *, nick: str = "", address: str = "") -> None:
        """Give ``person`` a role. An operator becomes an admin of the room where we own it and see who they are, else a moderator until
        they leave. ``nick`` and ``address``: theirs, where they are one of our own occupants.
        """
        people = self._room.people
        nick = nick or people.nick(person) or ""
        if not nick:
            raise Missing("network_cannot")
        address = bare(address) or people.address(person)
        there = people.role(nick)
        if there is role:
            return
        if self._room.affiliation == "owner" and address:
            await self._give(jid=address, affiliation="admin" if role is Role.OPERATOR else "member")
        if role is Role.OPERATOR and not (self._room.affiliation == "owner" and address):
            await self._give(nick=nick, role="moderator")
        elif role is not Role.OPERATOR:
            await self._give(nick=nick, role="participant")

    async def put_out(self, person: RemoteUserId) -> None:
        """Kick ``person``, where they are in the room."""
        nick = self._room.people.nick(person)
        if nick is not None:
            await self._give(nick=nick, role="none")

    async def ban(self, person: RemoteUserId) -> None:
        """Make ``person`` an outcast; only where we have seen who they are."""
        await self._give(jid=self._address(person), affiliation="outcast")

    async def unban(self, person: RemoteUserId) -> None:
        """Make ``person`` a stranger again, who may come in."""
        await self._give(jid=self._address(person), affiliation="none")

    async def retract(self, message: RemoteMessageId) -> None:
        """Take somebody else's message back."""
        wish = make(f"{MODERATE}moderate", make(f"{RETRACT}retract"), id=message)
        await self._connection.demand(self._room.chat, wish, "set", xmpp_errors.deciding)

    def _address(self, person: RemoteUserId) -> str:
        address = self._room.people.address(person)
        if not address:
            raise Refused("network_refused", reason="operators_only")
        return address

    async def _give(self, **item: str) -> None:
        query = make(f"{MUC_ADMIN}query", make(f"{MUC_ADMIN}item", **item))
        await self._connection.demand(self._room.chat, query, "set", xmpp_errors.deciding)

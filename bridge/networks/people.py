"""What a network may be able to do about people: show their pictures, give roles, put out, ban.

Each is a port of its own; whoever has the methods has the ability, and what a network cannot do is left alone. Who is in a chat and
with which role says `ListsMembers`; that something changed is only a nudge, and these lists are read again.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from haven.ids import ChatId, RemoteUserId, UserId

from .events import Person, Role


@dataclass(frozen=True, slots=True)
class Picture:
    """A person's picture: its bytes, and their type such as ``image/png``."""

    content: bytes
    type: str


@runtime_checkable
class HasPictures(Protocol):
    """A network on which people have pictures: `Person.picture` says which."""

    async def picture(self, person: Person) -> Picture | None:
        """The picture of ``person``; ``None`` where they have none, or it is none to be shown. `GiveUp` where it cannot be had."""


@runtime_checkable
class SetsRoles(Protocol):
    """A network on which we can give roles, where our account has the right."""

    async def set_role(self, chat: ChatId, person: RemoteUserId, role: Role) -> None:
        """Give them that role in the chat, or nothing to do where they have it. `Refused` where we lack the right."""


@runtime_checkable
class PutsOut(Protocol):
    """A network on which we can put people out of a chat, where our account has the right."""

    async def put_out(self, chat: ChatId, person: RemoteUserId) -> None:
        """Put them out; nothing to do where they are not in it. They may come again. `Refused` where we lack the right."""


@runtime_checkable
class Bans(Protocol):
    """A network on which we can ban people from a chat, where our account has the right."""

    async def ban(self, chat: ChatId, person: RemoteUserId) -> None:
        """Put them out, and keep them out; again: nothing. `Refused` where we lack the right."""

    async def unban(self, chat: ChatId, person: RemoteUserId) -> None:
        """Let them in again; nothing to do where they are not banned. `Refused` where we lack the right."""


@runtime_checkable
class ListsBans(Protocol):
    """A network that can say who is banned from an open chat."""

    async def banned(self, chat: ChatId) -> tuple[RemoteUserId, ...]:
        """All of them now. `Refused` where we may not see them."""


@runtime_checkable
class KnowsAccounts(Protocol):
    """A network on which Matrix members have, or speak by, accounts of their own."""

    async def accounts(self, chat: ChatId) -> tuple[tuple[UserId, Person], ...]:
        """The Matrix users who are somebody in the chat, and who they are there. None of them is among the `members`."""

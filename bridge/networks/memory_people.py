"""The people of the memory network: who is in which chat, with which role, name and picture, who is banned; and what the bridge may
do about it.

``Ground`` is the part of the server that knows them, ``Warden`` the part of an account that asks and acts.
"""

from dataclasses import dataclass, field, replace
from itertools import count
from typing import Generic, Protocol, TypeVar

from haven.errors import Refused, Unreachable
from haven.ids import ChatId, RemoteMessageId, RemoteUserId, UserId

from .events import Banned, ChatEvent, Joined, Left, Person, Receive, Renamed, Role, StructureChanged
from .people import Picture


@dataclass(slots=True)
class Crowd:
    """The people of one chat. ``accounts``: those who are Matrix members' own, who are not among ``people``.

    ``we_rule``: our account may give roles and ban. ``forgetful``: the server answers every question about people with nothing, as
    networks do when they stumble. ``tells_bans``: our account may see who is banned.
    """

    people: dict[RemoteUserId, Person] = field(default_factory=dict)
    banned: dict[RemoteUserId, Person] = field(default_factory=dict)
    accounts: dict[UserId, Person] = field(default_factory=dict)
    we_rule: bool = True
    forgetful: bool = False
    tells_bans: bool = True


C = TypeVar("C", bound=Crowd)


class Told(Protocol):
    """An account that hears what happens."""

    async def tell(self, event: ChatEvent | StructureChanged) -> None:
        """Hear of an event on the server."""

    def cut(self) -> None:
        """Lose the connection."""

    def hears(self, chat: ChatId) -> bool:
        """Whether it hears what happens in ``chat`` now."""


class Ground(Generic[C]):
    """The server as far as its people go. They act by the methods below; each returns once every connected account was told."""

    def __init__(self, new_chat: type[C]) -> None:
        self.chats: dict[ChatId, C] = {}
        self.accounts: list[Told] = []
        self.pictures: dict[str, Picture] = {}
        self._new_chat = new_chat
        self._ids = count(1)

    def chat(self, chat: ChatId) -> C:
        """The chat, made when it is first spoken of."""
        return self.chats.setdefault(chat, self._new_chat())

    def next_id(self) -> RemoteMessageId:
        """A new id, unique on this server."""
        return RemoteMessageId(f"m{next(self._ids)}")

    async def join(self, chat: ChatId, name: str, role: Role = Role.MEMBER, picture: str = "") -> Person:
        """Someone new enters; their first name is their id. `Refused` for who is banned."""
        person = Person(RemoteUserId(name), name, role, picture)
        if person.id in self.chat(chat).banned:
            raise Refused("network_refused")
        self.chat(chat).people[person.id] = person
        await self.tell(Joined(self.next_id(), chat, person))
        return person

    async def leave(self, chat: ChatId, who: RemoteUserId) -> None:
        """Someone goes, or is put out."""
        person = self.chat(chat).people.pop(who)
        await self.tell(Left(self.next_id(), chat, person))

    async def rename(self, chat: ChatId, who: RemoteUserId, name: str) -> None:
        """Someone takes another name and stays the same person."""
        await self._show(chat, replace(self.chat(chat).people[who], name=name))

    async def repaint(self, chat: ChatId, who: RemoteUserId, name: str, picture: Picture | None) -> None:
        """Someone takes another picture, which is called ``name``, or none."""
        if picture is not None:
            self.pictures[name] = picture
        await self._show(chat, replace(self.chat(chat).people[who], picture=name if picture else ""))

    async def _show(self, chat: ChatId, person: Person) -> None:
        self.chat(chat).people[person.id] = person
        await self.tell(Renamed(self.next_id(), chat, person.id, person))

    async def give_role(self, chat: ChatId, who: RemoteUserId, role: Role) -> None:
        """Someone is given a role."""
        person = replace(self.chat(chat).people[who], role=role)
        self.chat(chat).people[who] = person
        await self.tell(Joined(self.next_id(), chat, person))

    async def make_operator(self, chat: ChatId, who: RemoteUserId) -> None:
        """Someone becomes an operator."""
        await self.give_role(chat, who, Role.OPERATOR)

    async def ban(self, chat: ChatId, who: RemoteUserId) -> None:
        """Someone is put out and kept out."""
        here = self.chat(chat)
        person = here.banned[who] = here.people.pop(who, Person(who, who))
        await self.tell(Banned(self.next_id(), chat, person))
        await self.tell(Left(self.next_id(), chat, person))

    async def unban(self, chat: ChatId, who: RemoteUserId) -> None:
        """Someone may come again."""
        person = self.chat(chat).banned.pop(who)
        await self.tell(Banned(self.next_id(), chat, person, lifted=True))

    async def tell(self, event: ChatEvent | StructureChanged) -> None:
        """Tell every connected account."""
        for account in tuple(self.accounts):
            await account.tell(event)


class Warden(Generic[C]):
    """An account's view of the people. What it does itself is not said to it."""

    def __init__(self, server: Ground[C]) -> None:
        self._ground = server
        self._receive: Receive | None = None

    async def members(self, chat: ChatId) -> tuple[Person, ...]:
        """All in the chat."""
        here = self._asked(chat)
        return () if here.forgetful else tuple(here.people.values())

    async def banned(self, chat: ChatId) -> tuple[RemoteUserId, ...]:
        """All who are banned."""
        here = self._asked(chat)
        if not here.tells_bans:
            raise Refused("network_refused")
        return () if here.forgetful else tuple(here.banned)

    async def accounts(self, chat: ChatId) -> tuple[tuple[UserId, Person], ...]:
        """The Matrix members who have an account in the chat."""
        return tuple(self._asked(chat).accounts.items())

    async def picture(self, person: Person) -> Picture | None:
        """Someone's picture, by what theirs is called."""
        self._connected()
        return self._ground.pictures.get(person.picture)

    async def set_role(self, chat: ChatId, person: RemoteUserId, role: Role) -> None:
        """Give a role to somebody in the chat."""
        here = self._ruled(chat)
        for user, account in here.accounts.items():
            if account.id == person:
                here.accounts[user] = replace(account, role=role)
        if person in here.people:
            here.people[person] = replace(here.people[person], role=role)

    async def put_out(self, chat: ChatId, person: RemoteUserId) -> None:
        """Put somebody out; the others see them go, and so do we."""
        if person in self._ruled(chat).people:
            await self._ground.leave(chat, person)

    async def ban(self, chat: ChatId, person: RemoteUserId) -> None:
        """Put somebody out and keep them out."""
        here = self._ruled(chat)
        here.banned.setdefault(person, here.people.pop(person, Person(person, person)))

    async def unban(self, chat: ChatId, person: RemoteUserId) -> None:
        """Let somebody in again."""
        self._ruled(chat).banned.pop(person, None)

    def _asked(self, chat: ChatId) -> C:
        self._connected()
        return self._ground.chat(chat)

    def _ruled(self, chat: ChatId) -> C:
        here = self._asked(chat)
        if not here.we_rule:
            raise Refused("network_refused")
        return here

    def _connected(self) -> None:
        if self._receive is None:
            raise Unreachable

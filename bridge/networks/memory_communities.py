"""The communities of the memory network, in the shape that WhatsApp has them: a parent, an announcement group, a general chat, groups;
requests to be let in, and suggestions of groups.

``Land`` is the part of the server that knows them, ``Settler`` the part of an account that asks and acts.
"""

from dataclasses import dataclass, field, replace
from itertools import count
from typing import Protocol

from haven.accord import Part
from haven.errors import Missing, Refused
from haven.ids import ChatId, RemoteMessageId, RemoteUserId

from .base import ChatSummary
from .events import ChatEvent, Person, Role, StructureChanged
from .structure import Application, Asks, Look, Member, RemoteCommunity

LONGEST_NAME = 100


@dataclass(slots=True)
class Parish:
    """One community. ``forgetful``: the server says that it has no groups, as networks do when they stumble. ``we_rule``: our account is
    one of its admins.
    """

    look: Look
    groups: dict[ChatId, Part] = field(default_factory=dict)
    applications: dict[str, Application] = field(default_factory=dict)
    forgetful: bool = False
    we_rule: bool = True


class Speaks(Protocol):
    """What the land needs of the rest of the server."""

    def next_id(self) -> RemoteMessageId:
        """A new id."""

    async def join(self, chat: ChatId, name: str, role: Role = Role.MEMBER, picture: str = "") -> Person:
        """Someone enters a chat."""

    async def tell(self, event: ChatEvent | StructureChanged) -> None:
        """Tell every connected account."""


class Land:
    """All communities of the server, and how chats look. People act by the methods below; each returns once every account was told."""

    def __init__(self, server: Speaks) -> None:
        self._server = server
        self.parishes: dict[ChatId, Parish] = {}
        self.looks: dict[ChatId, Look] = {}
        self.founded = 0
        self._numbers = count(1)

    async def found(self, name: str, superadmin: str) -> ChatId:
        """Someone makes a community; they are operator of its announcement group."""
        chat = self.make(name)
        parish = self.parishes[chat] = Parish(Look(name))
        del self.looks[chat]
        news = self.make(f"{name} news", announcing=True)
        parish.groups = {news: Part.ANNOUNCEMENTS, self.make("General"): Part.GENERAL}
        await self._server.join(news, superadmin, Role.OPERATOR)
        return chat

    def make(self, name: str, topic: str = "", *, announcing: bool = False) -> ChatId:
        """A new chat, in no community."""
        chat = ChatId(f"c{next(self._numbers)}")
        self.looks[chat] = Look(name[:LONGEST_NAME], topic, announcing)
        return chat

    def announcements(self, community: ChatId) -> ChatId:
        """The announcement group of a community."""
        groups = self.parishes[community].groups
        return next(chat for chat, part in groups.items() if part is Part.ANNOUNCEMENTS)

    def named(self, community: ChatId, name: str) -> ChatId:
        """The group of a community that has a name; raises `StopIteration` where there is none."""
        return next(chat for chat in self.parishes[community].groups if self.looks[chat].name == name)

    def names(self, community: ChatId) -> set[str]:
        """What its groups are called."""
        return {self.looks[chat].name for chat in self.parishes[community].groups}

    async def add(self, community: ChatId, name: str, topic: str = "") -> ChatId:
        """Someone adds a group."""
        chat = self.make(name, topic)
        self.parishes[community].groups[chat] = Part.GROUP
        await self._changed(community)
        return chat

    async def release(self, community: ChatId, chat: ChatId) -> None:
        """Someone takes a group out."""
        del self.parishes[community].groups[chat]
        await self._changed(community)

    async def restyle(self, chat: ChatId, **look: str | bool) -> None:
        """Someone changes the name, the topic, or who may post."""
        self.set_look(chat, replace(self.look(chat), **look))  # type: ignore[arg-type]  # fields of a look by their names
        await self._changed(chat)

    async def apply(self, community: ChatId, name: str, chat: ChatId | None = None, group: str = "") -> str:
        """Someone asks to be let into a group, or suggests one of that name; gives the id of the application."""
        person = Person(RemoteUserId(name), name)
        look = Look(group) if group else None
        asks = Asks.GROUP if group else Asks.JOIN
        one = Application(str(self._server.next_id()), chat or community, asks, person, look)
        self.parishes[community].applications[one.id] = one
        await self._changed(community)
        return one.id

    async def withdraw(self, community: ChatId, application: str) -> None:
        """Someone takes an application back, or it is answered there."""
        del self.parishes[community].applications[application]
        await self._changed(community)

    def look(self, chat: ChatId) -> Look:
        """How a chat or a community looks."""
        return self.parishes[chat].look if chat in self.parishes else self.looks[chat]

    def set_look(self, chat: ChatId, look: Look) -> None:
        """Have it look otherwise."""
        if chat in self.parishes:
            self.parishes[chat].look = look
        else:
            self.looks[chat] = look

    async def answer(self, one: Application, *, admit: bool) -> None:
        """Do what was answered: who is let in is in."""
        for parish in self.parishes.values():
            if parish.applications.pop(one.id, None) is None or not admit:
                continue
            if one.look is not None:
                parish.groups[self.make(one.look.name, one.look.topic)] = Part.GROUP
            else:
                await self._server.join(one.chat, one.person.name)

    async def _changed(self, chat: ChatId) -> None:
        await self._server.tell(StructureChanged(chat))


class Settler:
    """An account's view of the communities. What it does itself is not said to it."""

    _land: Land

    def _connected(self) -> None:
        """Raise `Unreachable` while it is not."""

    async def communities(self) -> tuple[ChatSummary, ...]:
        """All communities of the server."""
        self._connected()
        return tuple(ChatSummary(chat, parish.look.name) for chat, parish in self._land.parishes.items())

    async def community(self, chat: ChatId) -> RemoteCommunity:
        """One of them, whole."""
        parish = self._parish(chat)
        groups = {} if parish.forgetful else parish.groups
        members = (Member(group, self._land.looks[group], part) for group, part in groups.items())
        return RemoteCommunity(chat, parish.look, tuple(members))

    async def add_group(self, community: ChatId, look: Look) -> ChatId:
        """Make a group."""
        parish = self._governed(community)
        self._land.founded += 1
        chat = self._land.make(look.name, look.topic, announcing=look.announcing)
        parish.groups[chat] = Part.GROUP
        return chat

    async def release_group(self, community: ChatId, chat: ChatId) -> None:
        """Take a group out."""
        self._governed(community).groups.pop(chat, None)

    async def set_name(self, chat: ChatId, name: str) -> None:
        """Give it another name."""
        self._connected()
        self._land.set_look(chat, replace(self._land.look(chat), name=name[:LONGEST_NAME]))

    async def set_description(self, chat: ChatId, topic: str) -> None:
        """Give it another description."""
        self._connected()
        self._land.set_look(chat, replace(self._land.look(chat), topic=topic))

    async def applications(self, community: ChatId) -> tuple[Application, ...]:
        """What waits for an answer."""
        return tuple(self._parish(community).applications.values())

    async def answer(self, application: Application, *, admit: bool) -> None:
        """Say yes or no."""
        self._connected()
        await self._land.answer(application, admit=admit)

    def _parish(self, community: ChatId) -> Parish:
        self._connected()
        if community not in self._land.parishes:
            raise Missing("network_no_such_chat")
        return self._land.parishes[community]

    def _governed(self, community: ChatId) -> Parish:
        parish = self._parish(community)
        if not parish.we_rule:
            raise Refused("network_refused")
        return parish

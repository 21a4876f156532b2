"""What a network may be able to do about communities: say which there are and of which groups they are made, change that, and have
requests answered.

Each is a port of its own; whoever has the methods has the ability. That something changed is only a nudge (`StructureChanged`): what
holds is always read here, whole.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from haven.accord import Part
from haven.ids import ChatId

from .base import ChatSummary
from .events import Person


@dataclass(frozen=True, slots=True)
class Look:
    """What a chat, or a community, shows of itself. ``announcing``: only its operators may post."""

    name: str
    topic: str = ""
    announcing: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """A group of a community, and what it is for there."""

    chat: ChatId
    look: Look
    part: Part = Part.GROUP


@dataclass(frozen=True, slots=True)
class RemoteCommunity:
    """A community as the network has it. ``groups``: all of them, the announcement group included, of which there is one."""

    chat: ChatId
    look: Look
    groups: tuple[Member, ...]


@runtime_checkable
class HasCommunities(Protocol):
    """A network that has communities of its own."""

    async def communities(self) -> tuple[ChatSummary, ...]:
        """Those that our account is in."""

    async def community(self, chat: ChatId) -> RemoteCommunity:
        """One of them, whole. `Missing` (key ``network_no_such_chat``) where there is none. An empty answer is not a fact."""


@runtime_checkable
class ShapesCommunities(Protocol):
    """A network on which we can add groups to a community and take them out, where our account has the right."""

    async def add_group(self, community: ChatId, look: Look) -> ChatId:
        """Make a group in the community. Not to be repeated in doubt: look first whether there is one of that name."""

    async def release_group(self, community: ChatId, chat: ChatId) -> None:
        """Take a group out of the community; it lives on by itself. Nothing to do where it is none of it."""


@runtime_checkable
class SetsLooks(Protocol):
    """A network on which we can change what a chat or a community shows of itself, where our account has the right."""

    async def set_name(self, chat: ChatId, name: str) -> None:
        """Give it another name; it may be cut."""

    async def set_description(self, chat: ChatId, topic: str) -> None:
        """Give it another description; it may be cut."""


class Asks(StrEnum):
    """What somebody asks the admins of a community on the network for."""

    JOIN = "join"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Application:
    """Somebody asks to be let into ``chat``, or that the group of that ``look`` becomes one of the community ``chat``.

    ``id``: stable, unique on the network; never shown.
    """

    id: str
    chat: ChatId
    asks: Asks
    person: Person
    look: Look | None = None


@runtime_checkable
class TakesApplications(Protocol):
    """A network on which admins are asked to let people in, or to take groups up."""

    async def applications(self, community: ChatId) -> tuple[Application, ...]:
        """What waits for an answer in the community and its groups."""

    async def answer(self, application: Application, *, admit: bool) -> None:
        """Say yes or no; nothing to do where it waits no more. `Refused` where our account may not."""

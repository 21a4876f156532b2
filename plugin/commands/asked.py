"""A command on its way: who asked what and where, and what it takes to be allowed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from haven.guards import Bounds
from haven.ids import UserId
from haven.model import Community, Group
from haven.permissions import Right, is_secret
from haven.reconcile import Outcome
from haven.snapshot import World

from ..audit import HIDDEN, Deed, Door
from ..events import Incoming
from ..replies import Replies
from ..rights import is_member, require
from ..service.communities import Check, Edit
from ..service.groups import Sight
from ..service.services import Services
from ..store import now_ms
from ..wording import Answer
from .grammar import Command, Grammar
from .parser import Request
from .progress import Progress


@dataclass(frozen=True, slots=True)
class Asked:
    """One command. ``right``: what it takes in the community; ``language``: of the answer; ``table``: what else there is;
    ``progress``: says how far it is, where it takes long.
    """

    services: Services
    replies: Replies
    message: Incoming
    request: Request
    language: str
    table: "Table"
    progress: Progress
    right: Right = Right.SEE

    @property
    def who(self) -> UserId:
        """Who asked."""
        return self.message.sender

    @property
    def world(self) -> World:
        """The rooms as last seen."""
        return self.services.communities.rooms.world

    def sight(self, community: Community) -> Sight:
        """What the asker may be told of the community."""
        return Sight(community, self.world, self.who, self.message.room)

    def is_member(self, community: Community, user: UserId) -> bool:
        """Whether somebody is joined to the space, as last seen."""
        return is_member(self.world, community, user)

    def require(self, community: Community) -> None:
        """Raise `NotAllowed` unless the asker is a member who has the right."""
        require(self.world, community, self.who, self.right)

    async def change(
        self, community: Community, edit: Edit, check: Check | None = None, bounds: Bounds | None = None
    ) -> Outcome:
        """Change the community if the asker may, judged by what is read anew. ``check``: in place of the usual question."""
        return await self.services.communities.change(
            community.space, edit, check=check or self.require, bounds=bounds, progress=self.progress.told
        )

    async def note(self, what: str, community: Community, *, why: str = "", **values: str) -> None:
        """Write into the audit log that the asker has done it. ``what`` names the phrase ``audit.<what>``, which ``values`` fill.

        The same command twice is one line.
        """
        deed = f"{self.message.event}.{what}"
        done = Deed(deed, community.space, self.who, what, Door.COMMAND, now_ms(), values, why)
        await self.services.desk.audit.record(community, done)


def noted_name(group: Group) -> str:
    """A group's name as it may stand in the audit log."""
    return HIDDEN if is_secret(group) else group.name


async def own_communities(services: Services, user: UserId) -> tuple[Community, ...]:
    """The communities that somebody is a member of, by name."""
    communities = (await services.communities.intent()).communities.values()
    own = (each for each in communities if is_member(services.communities.rooms.world, each, user))
    return tuple(sorted(own, key=lambda community: (community.name.casefold(), community.space)))


@dataclass(frozen=True, slots=True)
class Anywhere:
    """A command about no community in particular; one that answers ``None`` has somebody else answer.

    ``open_to``: whether the overview offers it to the asker.
    """

    command: Command
    run: Callable[[Asked], Awaitable[Answer | None]]
    open_to: Callable[[Asked], bool] = lambda asked: True


@dataclass(frozen=True, slots=True)
class Within:
    """A command about one community.

    ``changes``: it asks about the right itself, by `Asked.change`, so that the space is read anew only once.
    ``asleep``: it is of use while the community is deactivated, too.
    """

    command: Command
    right: Right
    run: Callable[[Asked, Community], Awaitable[Answer | None]]
    changes: bool = False
    asleep: bool = False


Entry: TypeAlias = Anywhere | Within


@dataclass(frozen=True, slots=True)
class Section:
    """The commands of one noun. ``key``: its heading in the catalogues."""

    key: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """All commands with what they do."""

    sections: tuple[Section, ...]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every command."""
        return tuple(entry for section in self.sections for entry in section.entries)

    @property
    def grammar(self) -> Grammar:
        """What can be said."""
        return Grammar(entry.command for entry in self.entries)

    def entry(self, command: Command) -> Entry:
        """What a command does."""
        return next(entry for entry in self.entries if entry.command is command)

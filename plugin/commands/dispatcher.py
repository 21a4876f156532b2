"""Takes what people say, finds the command in it, does it, and answers. The one place that words what went wrong."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic

from haven.errors import HavenError, Invalid, Missing
from haven.model import Community, Kind
from haven.permissions import Right

from ..addresses import pills_in, room_in
from ..events import Incoming
from ..faults import reference_of
from ..replies import Replies, Wait
from ..rights import require
from ..service.groups import is_alone
from ..service.services import Services
from ..wording import Answer, answer, code, item, line, of_error
from .asked import Anywhere, Asked, Table, Within, own_communities
from .manual import of_command
from .parser import NotUnderstood, Request, addressed, parse
from .progress import Progress
from .table import TABLE

log = logging.getLogger("haven.commands")

FORMS = 8
"""How many right forms are shown to somebody whose command was not understood."""


class Dispatcher:
    """Answers commands. ``wait``: lets seconds pass when the homeserver asks for it; ``now``: counts them."""

    def __init__(
        self,
        services: Services,
        wait: Wait = asyncio.sleep,
        table: Table = TABLE,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._services = services
        self._replies = Replies(services.messages, services.phrases, wait)
        self._table = table
        self._now = now

    async def handle(self, message: Incoming) -> None:
        """Do what a message asks for and answer it; nothing where it asks for nothing. Raises nothing that was foreseen."""
        asked = addressed(_without_quotation(message))
        if asked is None:
            return
        try:
            progress = Progress(self._replies, message, self._now, self._services.communities.busy)
            await _Handling(self._services, self._replies, self._table, message, progress).answer(asked)
        except HavenError as error:
            log.warning("an answer could not be given: %s", error)


def _without_quotation(message: Incoming) -> str:
    """The text of a message without what it quotes of the one it answers, as older clients put it in front."""
    lines = message.body.splitlines(keepends=True)
    while message.reply_to and lines and lines[0].startswith(">"):
        del lines[0]
    return "".join(lines)


@dataclass(slots=True)
class _Handling:
    """One message being handled."""

    services: Services
    replies: Replies
    table: Table
    message: Incoming
    progress: Progress
    language: str = ""

    async def answer(self, words: str) -> None:
        self.language = self.services.settings.language
        try:
            given = await self._worded(words)
            if given is not None:
                await self._deliver(given)
        except HavenError:
            raise
        except Exception as error:
            bug = line("answer.bug", reference=reference_of(log, error, "a command"))
            await self.progress.answer(self.language, answer(bug))

    async def _worded(self, words: str) -> Answer | None:
        try:
            return await self._done(words)
        except NotUnderstood as error:
            return _taught(error)
        except HavenError as error:
            return answer(of_error(error))

    async def _done(self, words: str) -> Answer | None:
        here = await self.services.communities.of_room(self.message.room)
        if here is not None:
            self.language = here.settings.language
        request = parse(words, self.table.grammar, pills_in(words, self.message.html))
        entry = self.table.entry(request.command)
        asked = Asked(
            self.services, self.replies, self.message, request, self.language, self.table, self.progress
        )
        if request.help:
            return of_command(request.command)
        if isinstance(entry, Anywhere):
            return await entry.run(asked)
        return await self._within(entry, asked, await self._community(request, here))

    async def _within(self, entry: Within, asked: Asked, community: Community) -> Answer | None:
        self.language = community.settings.language
        self.progress.language = self.language
        about = replace(asked, language=self.language, right=entry.right)
        if entry.changes:
            require(about.world, community, about.who, Right.SEE)
            _refuse_asleep(entry, community)
            return await entry.run(about, community)
        fresh = await self.services.communities.fresh(community.space)
        about.require(fresh)
        _refuse_asleep(entry, fresh)
        return await entry.run(about, fresh)

    async def _community(self, request: Request, here: Community | None) -> Community:
        """The community that is meant: the one named, that of the room, or the only one of the person."""
        own = await own_communities(self.services, self.message.sender)
        if request.where:
            return _named(request.where, own)
        if here is not None:
            return here
        if len(own) == 1:
            return own[0]
        if own:
            raise Invalid("community_which", known=", ".join(community.name for community in own[:10]))
        raise Missing("community_none")

    async def _deliver(self, given: Answer) -> None:
        """Answer in the room; what not everybody there may read goes where it may be read."""
        here, elsewhere = self.message.room, given.private
        if elsewhere is None or elsewhere == here or is_alone(self.services.communities.rooms.world, here):
            await self.progress.answer(self.language, given)
            return
        await self.replies.elsewhere(elsewhere, self.message, self.language, given)
        found = await self.services.communities.of_room(elsewhere)
        to_admins = found is None or (there := found.group(elsewhere)) is None or there.kind is Kind.ADMINS
        told = line("answer.elsewhere") if to_admins else line("answer.elsewhere_there")
        await self.progress.answer(self.language, answer(told))


def _refuse_asleep(entry: Within, community: Community) -> None:
    if community.deactivated is not None and not entry.asleep:
        raise Invalid("deactivated")


def _named(word: str, own: tuple[Community, ...]) -> Community:
    room, name = room_in(word), word.casefold()
    found = [each for each in own if each.space == room or each.name.casefold() == name]
    if not found:
        raise Missing("community_unknown", community=word[:100])
    if len(found) > 1:
        raise Invalid("community_ambiguous", community=word[:100], ids=", ".join(c.space for c in found))
    return found[0]


def _taught(error: NotUnderstood) -> Answer:
    forms = (item("answer.form", usage=code(command.usage)) for command in error.forms[:FORMS])
    return answer(of_error(error), *forms, line("answer.help"))

"""`help`: what can be asked for, and how."""

from collections.abc import Iterator

from haven.model import Community
from haven.permissions import has_right

from ..wording import Answer, Line, Term, answer, code, head, item, line
from .asked import Anywhere, Asked, Entry, Section, own_communities
from .grammar import SHORT, Argument, Command, Takes
from .parser import parse

HELP = Command("help", (Argument("COMMAND", Takes.WORDS, optional=True),))


async def help_(asked: Asked) -> Answer:
    """Explain one command, or list those that the asker may use here."""
    wanted = asked.request.argument("COMMAND")
    if wanted:
        return of_command(parse(f"{wanted} --help", asked.table.grammar).command)
    community = await _about(asked)
    told = (one for section in asked.table.sections for one in _section(section, asked, community))
    return answer(line("help.overview"), *told, line("help.more", usage=code(f"{SHORT} help group add")))


async def _about(asked: Asked) -> Community | None:
    """The community whose commands are listed: that of the room, or the only one of the asker; none to strangers."""
    here = await asked.services.communities.of_room(asked.message.room)
    own = await own_communities(asked.services, asked.who)
    if here is not None:
        return here if here in own else None
    return own[0] if len(own) == 1 else None


def _section(section: Section, asked: Asked, community: Community | None) -> Iterator[Line]:
    usable = [entry for entry in section.entries if _may(entry, asked, community)]
    if usable:
        yield head(section.key)
    for entry in usable:
        yield _summary(entry.command)


def _may(entry: Entry, asked: Asked, community: Community | None) -> bool:
    if isinstance(entry, Anywhere):
        return entry.open_to(asked)
    return community is not None and has_right(community, asked.who, entry.right)


def _summary(command: Command) -> Line:
    return item("help.command", usage=code(command.usage), about=Term(f"command.{command.key}"))


def of_command(command: Command) -> Answer:
    """The manual of one command."""
    return answer(*_manual(command))


def _manual(command: Command) -> Iterator[Line]:
    yield line("help.command", usage=code(command.usage), about=Term(f"command.{command.key}"))
    for argument in command.arguments:
        yield item(f"argument.{argument.name.lower()}", name=code(argument.name))
    for option in command.options:
        yield item(f"option.{option.name}{'_each' if option.repeated else ''}", name=code(f"--{option.name}"))
    yield item("option.in", name=code("--in"))


SECTION = Section("noun.help", (Anywhere(HELP, help_),))

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
    communities = await _about(asked)
    told = (one for section in asked.table.sections for one in _section(section, asked, communities))
    return answer(line("help.overview"), *told, line("help.more", usage=code(f"{SHORT} help group add")))


async def _about(asked: Asked) -> tuple[Community, ...]:
    """The communities whose commands are listed: that of the room, elsewhere all of the asker; none to strangers."""
    here = await asked.services.communities.of_room(asked.message.room)
    own = await own_communities(asked.services, asked.who)
    return own if here is None else tuple(community for community in own if community.space == here.space)


def _section(section: Section, asked: Asked, communities: tuple[Community, ...]) -> Iterator[Line]:
    usable = [entry for entry in section.entries if _may(entry, asked, communities)]
    if usable:
        yield head(section.key)
    for entry in usable:
        yield _summary(entry.command)


def _may(entry: Entry, asked: Asked, communities: tuple[Community, ...]) -> bool:
    if isinstance(entry, Anywhere):
        return entry.open_to(asked)
    return any(has_right(community, asked.who, entry.right) for community in communities)


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

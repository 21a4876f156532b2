"""`create`, `list`, `show`: communities as a whole."""

from collections.abc import Iterator

from haven.errors import NotAllowed
from haven.founding import Founding, Titles, WishedGroup
from haven.model import Community, Kind, Settings
from haven.permissions import Right
from haven.succession import members

from ..service.groups import shown_space
from ..service.texts import Text, text_in
from ..service.work import Report
from ..wording import Answer, Line, Term, answer, code, head, item, line, person
from .asked import Anywhere, Asked, Section, Within, own_communities
from .grammar import SHORT, Argument, Command, Option, Takes
from .group import of_room

CREATE = Command(
    "create",
    (Argument("NAME", Takes.WORDS),),
    (Option("description", "TEXT"), Option("group", "NAME", repeated=True)),
)
LIST = Command("list")
SHOW = Command("show")


async def create(asked: Asked) -> None:
    """Have a community made; the asker owns it. How it goes is told by the job."""
    if not _may_create(asked):
        raise NotAllowed("create_not_allowed")
    request, message = asked.request, asked.message
    titles = (asked.replies.wording(asked.language).text(line(f"title.{kind}")) for kind in _FIXED)
    founding = Founding(
        id=message.event.lstrip("$"),
        name=request.argument("NAME"),
        owner=asked.who,
        titles=Titles(*titles),
        description=request.option("description"),
        groups=tuple(WishedGroup(name) for name in request.every("group")),
        settings=Settings(language=asked.language),
    )
    await asked.services.jobs.found(founding, Report(message.room, message.event, asked.language))


_FIXED = (Kind.ANNOUNCEMENTS, Kind.GENERAL, Kind.ADMINS)


def _may_create(asked: Asked) -> bool:
    return asked.services.settings.may_create(asked.who)


async def list_(asked: Asked) -> Answer:
    """The communities that the asker is in."""
    own = await own_communities(asked.services, asked.who)
    if not own:
        return answer(line("list.none", usage=code(CREATE.usage)))
    return answer(head("list.head", n=len(own)), *(_listed(asked, community) for community in own))


def _listed(asked: Asked, community: Community) -> Line:
    groups = [group for group in asked.sight(community).told if group.kind is Kind.GROUP]
    name, role = shown_space(asked.world, community), code(community.role_of(asked.who))
    return item("list.community", name=name, role=role, groups=Term("list.groups", {"n": len(groups)}))


async def show(asked: Asked, community: Community) -> Answer:
    """What a community is and has."""
    sight = asked.sight(community)
    return Answer(tuple(_shown(asked, community)), sight.place_for(sight.told))


def _shown(asked: Asked, community: Community) -> Iterator[Line]:
    yield head("show.name", name=shown_space(asked.world, community))
    if community.description:
        yield line("show.description", text=community.description)
    yield line("show.members", n=len(members(asked.world, community) - {asked.services.homeserver.user}))
    yield from _absent(asked, community)
    yield line("show.owner", who=person(community.owner))
    if community.deactivated is not None:
        yield line("show.deactivated")
    if rules := text_in(asked.world, community.space, Text.RULES, asked.language):
        yield line("show.rules", text=rules)
    yield line("show.rooms")
    yield from (of_room(asked, community, group) for group in asked.sight(community).told)
    yield line("show.more", settings=code(f"{SHORT} settings"), roles=code(f"{SHORT} roles"))


def _absent(asked: Asked, community: Community) -> Iterator[Line]:
    """For admins: how many are not in the announcements, which everybody should be."""
    absence = asked.services.entrance.attendance.absence(community, asked.world)
    if absence.missing and asked.sight(community).is_admin:
        remind = code(f"{SHORT} announcement remind")
        yield line("show.absent", n=absence.missing, all=absence.members, remind=remind)


SECTION = Section(
    "noun.community",
    (
        Anywhere(CREATE, create, _may_create),
        Anywhere(LIST, list_),
        Within(SHOW, Right.SEE, show, asleep=True),
    ),
)

"""`group add`, `group list`: the rooms of a community."""

from haven.founding import WishedGroup
from haven.model import Community, Group, Kind, Visibility
from haven.permissions import Right

from ..service.groups import is_alone, shown
from ..service.work import Report
from ..wording import Answer, Line, Term, answer, head, item, line
from .asked import Asked, Section, Within
from .grammar import Argument, Command, Option, Takes

ADD = Command(
    "group add",
    (Argument("NAME", Takes.WORDS),),
    (
        Option("visibility", choices=tuple(Visibility)),
        Option("topic", "TEXT"),
        Option("suggested"),
    ),
)
LIST = Command("group list")


async def add(asked: Asked, community: Community) -> Answer | None:
    """Have a group made. How it goes is told by the job; of a hidden one where not everybody reads it."""
    request, message = asked.request, asked.message
    wished = WishedGroup(
        name=request.argument("NAME"),
        visibility=Visibility(request.option("visibility") or Visibility.OPEN),
        topic=request.option("topic"),
        suggested=request.switched("suggested"),
    )
    hidden = wished.visibility is Visibility.HIDDEN and not is_alone(asked.world, message.room)
    sight = asked.sight(community)
    place = sight.desk if hidden and sight.is_admin else None
    report = Report(place or message.room, message.event, asked.language)
    await asked.services.jobs.add_group(community.space, _slot(asked), wished, asked.who, report)
    return None if report.room == message.room else answer(line("answer.elsewhere"))


def _slot(asked: Asked) -> str:
    """One slot for one command, however often it is delivered."""
    return f"group/{asked.message.event.lstrip('$')}"


async def list_(asked: Asked, community: Community) -> Answer:
    """The rooms of the community that the asker may be told of here."""
    sight = asked.sight(community)
    rooms = tuple(of_room(asked, community, group) for group in sight.told)
    return Answer((head("group.head", n=len(rooms)), *rooms), sight.place_for(sight.told))


def of_room(asked: Asked, community: Community, group: Group) -> Line:
    """One room of a community."""
    name = shown(asked.world, community, group)
    kind = f"visibility.{group.visibility}" if group.kind is Kind.GROUP else f"kind.{group.kind}"
    if group.archived:
        kind = "group.archived"
    if not group.topic:
        return item("group.room", name=name, kind=Term(kind))
    return item("group.room_about", name=name, kind=Term(kind), topic=group.topic)


SECTION = Section("noun.group", (Within(ADD, Right.ADD_GROUP, add), Within(LIST, Right.SEE, list_)))

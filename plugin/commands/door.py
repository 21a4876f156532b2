"""`join`, `leave`: coming into a community by a code, and going."""

from haven.errors import Invalid
from haven.model import Community
from haven.permissions import Right

from ..entrance.entrance import Welcome
from ..outcomes import troubles
from ..service.groups import is_alone, shown_space
from ..wording import Answer, answer, line
from .asked import Anywhere, Asked, Section, Within
from .grammar import Argument, Command
from .invite import ENTRIES as INVITES
from .queue import ENTRIES as REQUESTS

JOIN = Command("join", (Argument("CODE"),))
LEAVE = Command("leave")

_SAID = {
    Welcome.IN_ALREADY: "join.in_already",
    Welcome.LET_IN: "join.let_in",
    Welcome.ASKED: "join.asked",
}


async def join(asked: Asked) -> Answer:
    """Come in by a code, said where nobody reads along."""
    if not is_alone(asked.world, asked.message.room):
        raise Invalid("join_in_chat")
    community, welcome = await asked.services.entrance.join(asked.request.argument("CODE"), asked.message)
    told = line(_SAID[welcome], name=shown_space(asked.world, community))
    return Answer((told,), language=community.settings.language)


async def leave(asked: Asked, community: Community) -> Answer | None:
    """Go, out of every room. It is nobody's business: answered only where nobody else reads it."""
    alone = is_alone(asked.world, asked.message.room)
    outcome = await asked.services.entrance.leave(community, asked.who)
    if not alone:
        return None
    return answer(line("leave.done", name=community.name), *troubles(outcome))


SECTION = Section("noun.door", (*REQUESTS, *INVITES, Anywhere(JOIN, join), Within(LEAVE, Right.SEE, leave)))

"""`group adopt`: take an existing room into the community, after a preview."""

from haven.model import Community, Visibility
from haven.permissions import Right

from ..service.adoptions import Adoptions
from ..wording import Answer, answer, line
from .asked import Asked, Within
from .grammar import Argument, Command, Option

ADOPT = Command("group adopt", (Argument("ROOM"),), (Option("visibility", choices=tuple(Visibility)),))


def adoptions_of(asked: Asked) -> Adoptions:
    """The adoptions of all communities."""
    desk = asked.services.desk
    return Adoptions(asked.services.communities, asked.services.homeserver, desk.cards, desk.audit)


async def adopt(asked: Asked, community: Community) -> Answer:
    """Put what would change before the admins; it is done when one of them confirms it."""
    request = asked.request
    card = await adoptions_of(asked).propose(
        community, request.argument("ROOM"), request.option("visibility"), asked.who
    )
    if card.room == asked.message.room:
        return answer(line("adopt.look_here"))
    return answer(line("adopt.look_there"))


ENTRIES = (Within(ADOPT, Right.ADOPT, adopt),)

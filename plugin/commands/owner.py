"""`owner transfer`: hand the community over to an admin, who has to accept it."""

from haven.model import Community
from haven.permissions import Right

from ..service.transfers import Transfers
from ..wording import Answer, answer, line, person
from .asked import Asked, Within
from .grammar import Argument, Command
from .role import whom

TRANSFER = Command("owner transfer", (Argument("WHO"),))


async def transfer(asked: Asked, community: Community) -> Answer:
    """Offer it. The role changes when the other one says yes."""
    desk = asked.services.desk
    heir = whom(asked)
    transfers = Transfers(asked.services.communities, desk.cards, desk.audit)
    await transfers.offer(community, asked.who, heir)
    return answer(line("transfer.offered", heir=person(heir)))


ENTRIES = (Within(TRANSFER, Right.TRANSFER, transfer),)

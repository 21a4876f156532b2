"""`owner transfer`, `owner successor`: who owns the community, now and if the owner is lost."""

from dataclasses import replace

from haven.model import Community
from haven.permissions import Right

from ..outcomes import troubles
from ..service.transfers import Transfers
from ..wording import Answer, answer, line, person
from .asked import Asked, Within
from .grammar import Argument, Command
from .role import whom

TRANSFER = Command("owner transfer", (Argument("WHO"),))


SUCCESSOR = Command("owner successor", (Argument("WHO"),))
NOBODY = "nobody"


def _transfers(asked: Asked) -> Transfers:
    desk = asked.services.desk
    return Transfers(asked.services.communities, desk.cards, desk.audit)


async def transfer(asked: Asked, community: Community) -> Answer:
    """Offer it. The role changes when the other one says yes."""
    heir = whom(asked)
    await _transfers(asked).offer(community, asked.who, heir)
    return answer(line("transfer.offered", heir=person(heir)))


async def successor(asked: Asked, community: Community) -> Answer:
    """Name who becomes the owner if the owner leaves without a word, or nobody."""
    heir = None if asked.request.argument("WHO").lower() == NOBODY else whom(asked)
    if heir is not None:
        _transfers(asked).check(community, asked.who, heir)
    outcome = await asked.change(community, lambda now: replace(now, successor=heir))
    if heir is None:
        await asked.note("no_successor", outcome.community)
        return answer(line("transfer.no_successor"), *troubles(outcome))
    await asked.note("successor", outcome.community, whom=heir)
    return answer(line("transfer.successor", heir=person(heir)), *troubles(outcome))


ENTRIES = (Within(TRANSFER, Right.TRANSFER, transfer), Within(SUCCESSOR, Right.TRANSFER, successor))

"""`log`: who did what in a community, when, why and by which door."""

from haven.errors import Invalid
from haven.model import Community
from haven.permissions import Right

from ..audit import deed_line
from ..wording import Answer, Term, answer, head, item, line
from .asked import Asked, Within
from .bridge import moment
from .grammar import Command, Option

LOG = Command("log", options=(Option("last", "N"),))
USUAL, MOST = 20, 200


async def log(asked: Asked, community: Community) -> Answer:
    """The last deeds, the newest first; in the admins' room, where not everybody reads along."""
    deeds = await asked.services.desk.audit.store.deeds(community.space, _last(asked))
    if not deeds:
        return answer(line("log.empty"))
    told = (deed_line(deed) for deed in deeds)
    lines = (
        item("log.deed", at=moment(deed.at), deed=Term(one.key, one.values))
        for deed, one in zip(deeds, told, strict=True)
    )
    return Answer((head("log.head", n=len(deeds)), *lines), asked.sight(community).desk)


def _last(asked: Asked) -> int:
    wanted = asked.request.option("last") or str(USUAL)
    if not wanted.isascii() or not wanted.isdecimal() or not 1 <= int(wanted[:9]) <= MOST:
        raise Invalid("log_last", most=MOST)
    return int(wanted)


ENTRIES = (Within(LOG, Right.SEE_LOG, log, asleep=True),)

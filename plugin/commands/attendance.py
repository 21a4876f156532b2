"""`announcement remind`: tell those who are not in the announcements yet that there are some."""

from haven.model import Community
from haven.permissions import Right

from ..wording import Answer, Line, answer, line
from .asked import Asked, Within
from .grammar import Command

REMIND = Command("announcement remind")


async def remind(asked: Asked, community: Community) -> Answer:
    """Remind them, each where nobody else reads it; said as numbers only."""
    attendance = asked.services.entrance.attendance
    absence = await attendance.remind(community, asked.world, asked.message.event)
    if not absence.waiting:
        return answer(line("attendance.nobody"), *_gone(absence.gone))
    n = len(absence.waiting)
    await asked.note("reminded", community, n=str(n))
    return answer(line("attendance.reminding", n=n), *_gone(absence.gone))


def _gone(n: int) -> tuple[Line, ...]:
    return (line("attendance.gone", n=n),) if n else ()


ENTRIES = (Within(REMIND, Right.ANNOUNCE, remind),)

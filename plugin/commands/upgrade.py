"""`upgrade`: bring a room, or the whole space, into another room version."""

from haven.errors import Invalid
from haven.model import Community
from haven.permissions import Right
from haven.succession import KEPT_FOR

from ..service.groups import Sight
from ..service.work import Report, UpgradeJob
from ..store import now_ms
from ..wording import Answer, answer, code, line
from .asked import Asked, Within
from .grammar import Argument, Command, Option, Takes

UPGRADE = Command("upgrade", (Argument("GROUP", Takes.WORDS, optional=True),), (Option("to", "VERSION"),))


async def upgrade(asked: Asked, community: Community) -> Answer | None:
    """Upgrade a group at once, told by a job; the space after an admin has confirmed it."""
    services, named = asked.services, asked.request.argument("GROUP")
    sight, version = asked.sight(community), asked.request.option("to")
    group = sight.named(named) if named else None
    if not version:
        return await _which(asked, sight, community, named)
    if await services.jobs.making(community.space):
        raise Invalid("upgrade_busy")
    if group is None:
        card = await services.upgrades.propose(community, version, asked.who)
        here = card.room == asked.message.room
        return answer(line("upgrade.look_here" if here else "upgrade.look_there"))
    wanted = await services.upgrades.upgrades.checked(community, group, version)
    message, until = asked.message, now_ms() + KEPT_FOR
    place = sight.place_for((group,)) or message.room
    elsewhere = place != message.room
    work = UpgradeJob(community.space, group.room, wanted, asked.who, group.name, until, elsewhere=elsewhere)
    await services.jobs.bring(work, Report(place, message.event, asked.language))
    return answer(line("answer.elsewhere")) if elsewhere else None


async def _which(asked: Asked, sight: Sight, community: Community, named: str) -> Answer:
    """Which version there is, and which there could be."""
    group = sight.named(named) if named else None
    room = asked.world[group.room if group else community.space]
    known = await asked.services.upgrades.upgrades.homeserver.room_versions()
    listed = ", ".join(sorted((each for each in known if each.isdecimal()), key=int))
    said = line(
        "upgrade.which",
        name=group.name if group else community.name,
        version=room.version,
        known=listed,
        usage=code(UPGRADE.usage),
    )
    return Answer((said,), sight.place_for((group,)) if group else None)


ENTRIES = (Within(UPGRADE, Right.UPGRADE, upgrade),)

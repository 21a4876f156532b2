"""`announce`: say something to everybody."""

from haven.model import Community
from haven.permissions import Right

from ..addresses import room_link
from ..service.announcements import announcement, place
from ..service.groups import servers
from ..wording import Answer, answer, line, link
from .asked import Asked, Section, Within
from .grammar import Argument, Command, Takes

ANNOUNCE = Command("announce", (Argument("TEXT", Takes.TEXT, final=True),))


async def announce(asked: Asked, community: Community) -> Answer:
    """Post an announcement in the asker's name. The same command twice is one announcement."""
    group, messages = place(community), asked.services.messages
    author = await messages.display_name(community.space, asked.who)
    words = announcement(author, asked.request.argument("TEXT"))
    transaction = f"announce.{asked.message.event}"
    event = await asked.replies.patiently(lambda: messages.say(group.room, words, transaction=transaction))
    url = room_link(group.room, servers(asked.world, group.room, community), event)
    return answer(line("announce.done", room=link(group.name, url)))


SECTION = Section("noun.announcements", (Within(ANNOUNCE, Right.ANNOUNCE, announce),))

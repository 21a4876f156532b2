"""What tests ask of a whole bridge when people talk: what ghosts said in the room, and what the bridge did in the chat."""

from collections.abc import Mapping

from bridge.message import Message
from bridge.networks.acts import Act, Say
from haven.ids import EventId
from tests.bridge.lives import CHAT, Lives
from tests.fakes.homeserver_room import Event


def acts(lives: Lives) -> list[Act]:
    """What the bridge did in the chat since the link was proven."""
    return [part.outgoing.act for part in lives.town.chat(CHAT).heard[1:]]


def messages(lives: Lives) -> list[Message]:
    """What the bridge said in the chat."""
    return [act.message for act in acts(lives) if isinstance(act, Say)]


async def nth(lives: Lives, kind: str, number: int = 1) -> Event:
    """The event of that type that ghosts sent as their ``number``-th."""
    await lives.until(lambda: len(lives.by_ghosts(kind)) >= number)
    return lives.by_ghosts(kind)[number - 1]


async def send(lives: Lives, kind: str, content: Mapping[str, object]) -> EventId:
    """Alice sends an event."""
    number = len(lives.homeserver.rooms[lives.room].timeline)
    return await lives.alice.send_message(lives.room, kind, content, f"alice {number}")


async def heard(lives: Lives, number: int) -> Act:
    """What the bridge did in the chat as its ``number``-th thing."""
    await lives.until(lambda: len(acts(lives)) >= number)
    return acts(lives)[number - 1]

"""What a community says of itself in its own words, per language: its rules, and how it welcomes people. Kept in the space."""

from enum import StrEnum

from haven.ids import RoomId
from haven.snapshot import World
from haven.texts import checked_description

from .communities import Communities


class Text(StrEnum):
    """Which text; the type of the state event it stands in, whose key is the language and whose content is ``text``."""

    RULES = "chat.haven.rules"
    WELCOME = "chat.haven.welcome"


def text_in(world: World, space: RoomId, kind: Text, language: str) -> str:
    """A text in a language; where it is not written in that one, in the first that there is; "" where there is none."""
    room = world.get(space)
    if room is None:
        return ""
    written = {event.key: event.content.get("text") for event in room.keyed(kind)}
    found = [text for text in (written.get(language), *written.values()) if isinstance(text, str) and text]
    return found[0] if found else ""


async def write_text(communities: Communities, space: RoomId, kind: Text, language: str, text: str) -> None:
    """Write a text down, or take it away where it is empty. Raises `Invalid` where it is too long, and as `haven.ports`."""
    room = communities.rooms.world.get(space)
    before = dict(room.content(kind, language)) if room else {}
    plain = checked_description(text)
    content = {**before, "version": 1, "text": plain} if plain else {}
    await communities.loop.hands.send_state(space, kind, language, content)

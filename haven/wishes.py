"""``chat.haven.asked`` and ``chat.haven.answer``: what the bridge asks of a community's admins or of its bot, and what they answer.

Both stand in the admins' room (CONTRACT, "Room state"), under the same state key: the bridge writes the first, and empties it when nothing
is asked any more; the community's bot writes the second. The faces know nothing else of each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from haven.errors import Invalid
from haven.ids import ChatId, EventId, Network, RoomId
from haven.ports import Content
from haven.texts import NAME_LIMIT, readable_description

ASKED = "chat.haven.asked"
ANSWER = "chat.haven.answer"
LOOK = "chat.haven.look"
"""Which chats of a network (the state key) there are: asked by the community's bot, answered in words by the bridge, and emptied then."""

VERSION = 1


WISHED = "wish/"
"""How the slots of groups begin that were made because the bridge asked; the state key of the question follows, so that one question
makes one group, and the bridge knows it again.
"""


class Wish(StrEnum):
    """What is asked: make the group that the network has; archive the one that it let go; let somebody in; whether to have a group
    that somebody suggests there.
    """

    GROUP = "group"
    ARCHIVE = "archive"
    JOIN = "join"
    SUGGESTION = "suggestion"


@dataclass(frozen=True, slots=True)
class Asking:
    """One thing asked. ``name``: of the group, or of the person who asks to be let in; ``room``: the group it is about, if there is one
    here already; ``who``: the name of who suggests.
    """

    network: Network
    chat: ChatId
    wish: Wish
    name: str
    topic: str = ""
    room: RoomId | None = None
    who: str = ""


def asked_content(asked: Asking) -> Content:
    """``chat.haven.asked``."""
    more = {"topic": asked.topic, "room": asked.room, "who": asked.who}
    return {
        "version": VERSION,
        "network": asked.network,
        "chat": asked.chat,
        "wish": str(asked.wish),
        "name": asked.name,
        **{name: value for name, value in more.items() if value},
    }


def read_asked(content: Content) -> Asking | None:
    """Read ``chat.haven.asked``; ``None`` for the empty content that stands for "asked no more". Raises `Invalid` when damaged."""
    if not content:
        return None
    if content.get("version") != VERSION:
        raise Invalid("state_damaged", field="version")
    try:
        wish = Wish(_text(content, "wish"))
    except ValueError:
        raise Invalid("state_damaged", field="wish") from None
    room = _text(content, "room")
    return Asking(
        Network(_text(content, "network")),
        ChatId(_text(content, "chat")),
        wish,
        _text(content, "name")[:NAME_LIMIT],
        readable_description(_text(content, "topic")),
        RoomId(room) if room else None,
        _text(content, "who")[:NAME_LIMIT],
    )


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered to the event ``to``. ``why``: the key of an error, where the answer is no for a reason of the house."""

    to: EventId
    yes: bool
    why: str = ""


def answer_content(answered: Answered) -> Content:
    """``chat.haven.answer``."""
    content: dict[str, object] = {"version": VERSION, "to": answered.to, "yes": answered.yes}
    return {**content, "why": answered.why} if answered.why else content


def read_answer(content: Mapping[str, object]) -> Answered | None:
    """Read ``chat.haven.answer``; ``None`` where it says nothing."""
    to, yes = content.get("to"), content.get("yes")
    if not isinstance(to, str) or not isinstance(yes, bool):
        return None
    return Answered(EventId(to), yes, _text(content, "why"))


def _text(content: Mapping[str, object], name: str) -> str:
    value = content.get(name)
    return value if isinstance(value, str) else ""

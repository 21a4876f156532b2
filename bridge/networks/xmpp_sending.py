"""What is asked of us in a room, as the messages that do it, and in whose name each goes out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from haven.errors import Invalid
from haven.ids import ChatId, RemoteMessageId, UserId

from ..convert.plainer import named
from ..message import Message
from .acts import Delete, Edit, Outgoing, React, Say, Sender
from .xmpp_known import Known, Recent
from .xmpp_occupants import Occupants
from .xmpp_own import Own
from .xmpp_room import Room
from .xmpp_wanted import MADE
from .xmpp_wording import Content, contents, correction, reactions, retraction


@dataclass(frozen=True, slots=True)
class Voice:
    """An occupant that is ours. ``names``: the name that has to stand before what it says, since it speaks for somebody else."""

    address: str
    nick: str
    occupant: str
    names: str = ""


async def voice_of(room: Room, occupants: Occupants | None, sender: Sender | None) -> Voice:
    """In whose name ``sender`` speaks; ``occupants``: those of a component. Where the room has no place for them, we speak, and name them."""
    there = await occupants.speaker(room, sender) if occupants is not None and sender is not None else None
    if there is not None:
        return Voice(there.address, there.nick, there.occupant)
    names = sender.name if occupants is not None and sender is not None else ""
    return Voice(room.own_address, room.nick, room.occupant, names)


class Sending:
    """Makes messages of what is asked. Remembers who of our members put which reaction where one account speaks for all."""

    def __init__(self, own: Own) -> None:
        self._own = own
        self._holders: Recent[tuple[ChatId, str, str], frozenset[UserId | None]] = Recent()

    async def contents(self, room: Room, known: Known, voice: Voice, outgoing: Outgoing) -> Sequence[Content]:
        """The messages that do it, in their order. ``Invalid`` for what XMPP has no words for."""
        match outgoing.act:
            case Say(message=message):
                return tuple(contents(_spoken(message, voice)))
            case Edit(target=target, message=message):
                return await self._correction(room, target, _spoken(message, voice))
            case Delete(target=target, more=more):
                # Without the room's ids our own is all there is.
                return [retraction(each.removeprefix(MADE)) for each in (target, *more)]
            case React(target=target) if not target.startswith(MADE):
                return (self._reactions(room, known, voice, outgoing, outgoing.act),)
            case _:
                raise Invalid("network_cannot")

    async def _correction(self, room: Room, target: RemoteMessageId, message: Message) -> Sequence[Content]:
        """Corrections name the id that we chose (XEP-0308). A message that nobody remembers cannot be corrected: it is said anew."""
        author = await room.talker.author(target)
        if author is None or not self._own.made(room.chat, author.chosen):
            return tuple(contents(message))
        return (correction(message, author.chosen),)

    def _reactions(self, room: Room, known: Known, voice: Voice, outgoing: Outgoing, act: React) -> Content:
        """All reactions of this voice, since the room is always told the whole set (XEP-0444)."""
        person = room.people.id_of(voice.occupant, voice.nick)
        place, user = (room.chat, str(act.target), act.key), outgoing.sender.user if outgoing.sender else None
        others = (self._holders.get(place) or frozenset()) - {user}
        holders = others if act.removed else others | {user}
        self._holders.put(place, holders)
        before = known.reactions(person, act.target)
        stays = not act.removed or (holders and not self._is_theirs_alone(voice, room))
        return reactions(act.target, before | {act.key} if stays else before - {act.key})

    def _is_theirs_alone(self, voice: Voice, room: Room) -> bool:
        return voice.address != room.own_address


def _spoken(message: Message, voice: Voice) -> Message:
    """As ``voice`` says it; an answer to what the room gave no id is a quote."""
    reply = message.reply
    if reply is not None and reply.message is not None and reply.message.startswith(MADE):
        message = replace(message, reply=replace(reply, message=None))
    return named(message, voice.names) if voice.names else message

"""Reactions, and what people take back: what to do for them in a chat, or how to say it there in words."""

from collections.abc import Sequence

from haven.ids import EventId
from haven.stateevents import GROUP

from .convert.shapes import event_in, mapping, text
from .excerpts import Excerpts
from .gestures import Gesture, is_theirs
from .i18n import Voice
from .links import Linked
from .message import Kind, Message, spans
from .networks.acts import Delete, React, Say, Vote
from .networks.base import Network
from .rooms import Rooms
from .spoken import Doing, Spoken
from .store import Pair, Store


class Reactions:
    """Looks up what is reacted to, or taken back."""

    def __init__(self, store: Store, rooms: Rooms, excerpts: Excerpts, voice: Voice) -> None:
        self._store = store
        self._rooms = rooms
        self._excerpts = excerpts
        self._voice = voice

    async def reaction(self, link: Linked, network: Network, spoken: Spoken) -> Doing | None:
        """What to do for an ``m.reaction``."""
        relation = mapping(spoken.content, "m.relates_to")
        key, event = text(relation, "key"), event_in(relation)
        short = "".join(char for char in key if char.isprintable() or char == "\u200d")[:32]
        if not short or event is None:
            return None
        pairs = await self._pairs(link, event)
        known = [pair.message for pair in pairs if Gesture.read(pair.message) is None]
        if known and network.capabilities.reactions:
            return Doing(React(known[0], short), Gesture(known[0], spoken.event, short).name)
        gesture = Gesture(known[0] if known else Gesture.NOWHERE, spoken.event, short)
        return Doing(await self._told(link, spoken, event, short), gesture.name)

    async def redaction(self, link: Linked, network: Network, spoken: Spoken) -> Doing | None:
        """What to do where a member takes something back, or a moderator takes it away."""
        if spoken.redacts is None:
            return None
        pairs = await self._pairs(link, spoken.redacts)
        if any(is_theirs(pair.message) for pair in pairs):
            return None  # somebody else's reaction can be taken away on no network
        gesture = Gesture.read(pairs[0].message) if pairs else None
        if gesture is not None:
            return self._undone(link, network, spoken, gesture)
        if pairs and network.capabilities.deletions:
            first, *more = (pair.message for pair in pairs)
            return Doing(Delete(first, tuple(more)))
        if self._is_sweeping(link, spoken):
            return None
        # What somebody took back is not said once more.
        return Doing(self._said("deleted", name=self._name(link, spoken)))

    def _undone(self, link: Linked, network: Network, spoken: Spoken, gesture: Gesture) -> Doing | None:
        can, name = network.capabilities, self._name(link, spoken)
        if gesture.key is None:
            return Doing(Vote(gesture.target, ())) if gesture.target and can.votes else None
        if gesture.target and can.reactions:
            return Doing(React(gesture.target, gesture.key, removed=True))
        return Doing(self._said("unreacted", name=name, emoji=gesture.key))

    def _is_sweeping(self, link: Linked, spoken: Spoken) -> bool:
        """Whether the community's bot deletes: what disappears on time is not talked about."""
        group = self._rooms.view(link.room).state.get((GROUP, ""))
        return group is not None and group.sender == spoken.sender

    async def _told(self, link: Linked, spoken: Spoken, event: EventId, emoji: str) -> Say:
        """A sentence about an earlier event, for networks that can only be told."""
        excerpt = await self._excerpts.find(link.room, event)
        key = "reacted" if excerpt.words else "reacted_unseen"
        return self._said(key, name=self._name(link, spoken), excerpt=excerpt.words, emoji=emoji)

    async def _pairs(self, link: Linked, event: EventId) -> Sequence[Pair]:
        return await self._store.messages_of(link.room, event, link.network, link.chat)

    def _name(self, link: Linked, spoken: Spoken) -> str:
        return self._rooms.name_of(link.room, spoken.sender)

    def _said(self, key: str, **values: str) -> Say:
        return Say(Message(spans(self._voice.say(f"said.{key}", **values)), Kind.NOTICE))

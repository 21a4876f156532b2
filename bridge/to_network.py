"""The way of one Matrix event into a chat of a network.

Most networks cannot be told the same thing twice without saying it twice. So each part is claimed in the
database directly before it is written to the network, after all waiting for pace: a part that was claimed
counts as written, whatever happens to us then. Only a crash in the instant between the claim and the write
loses the part; a crash at any other place loses nothing and doubles nothing. While we live we know better: a
send that fails with ``TryLater`` is unclaimed and tried again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from haven.errors import GiveUp, TryLater
from haven.ids import EventId, RemoteMessageId, UserId

from .convert.from_matrix import Content, read_content
from .convert.plainer import named, quoting
from .excerpts import Excerpts
from .ghosts import Ghosts
from .i18n import Voice
from .links import Linked
from .media import Media
from .message import Kind, Message, Reply, Span, spans
from .networks.acts import Delete, Edit, Outgoing, React, Receipt, Say, Sender
from .networks.base import Network
from .rooms import Rooms
from .store import Item, Pair, Store


@dataclass(frozen=True, slots=True)
class Spoken:
    """A Matrix event on its way out; ``redacts`` only for redactions."""

    event: EventId
    type: str
    sender: UserId
    content: Mapping[str, object]
    redacts: EventId | None = None


class ToNetwork:
    """Carries what people say in rooms to networks."""

    def __init__(
        self,
        store: Store,
        rooms: Rooms,
        ghosts: Ghosts,
        excerpts: Excerpts,
        voice: Voice,
        *,
        media: Media,
    ) -> None:
        self._store = store
        self._rooms = rooms
        self._ghosts = ghosts
        self._excerpts = excerpts
        self._voice = voice
        self._media = media
        self._claimed: dict[int, int] = {}

    async def carry(self, item: Item, link: Linked, network: Network, spoken: Spoken) -> Sequence[Pair]:
        """Do in the chat what ``spoken`` says; the pairs that came of it."""
        act = await self._act(link, network, spoken)
        if act is None:
            return ()
        sender = Sender(spoken.sender, self._rooms.name_of(link.room, spoken.sender))
        receipt = await self._send(item, network, Outgoing(spoken.event, link.chat, sender, act))
        return [
            Pair(link.network, link.chat, message, part, link.room, spoken.event, spoken.sender)
            for part, message in receipt.messages
        ]

    async def _send(self, item: Item, network: Network, outgoing: Outgoing) -> Receipt:
        before = self._claimed.setdefault(item.seq, item.claimed)

        async def claim(part: int) -> bool:
            if part < self._claimed[item.seq]:
                return False
            await self._store.claim(item, part + 1)
            self._claimed[item.seq] = part + 1
            return True

        try:
            receipt = await network.send(outgoing, claim)
        except TryLater:
            if self._claimed[item.seq] > before:
                # The network says that the last part did not go out after all.
                self._claimed[item.seq] -= 1
                await self._store.claim(item, self._claimed[item.seq])
            raise
        except GiveUp:
            del self._claimed[item.seq]
            raise
        del self._claimed[item.seq]
        return receipt

    async def _act(
        self, link: Linked, network: Network, spoken: Spoken
    ) -> Say | Edit | Delete | React | None:
        if spoken.type == "m.room.redaction":
            return await self._deletion(link, network, spoken)
        if spoken.type == "m.reaction":
            return await self._reaction(link, network, spoken)
        said = read_content(spoken.type, spoken.content)
        return await self._words(link, network, spoken, said) if said is not None else None

    async def _words(
        self, link: Linked, network: Network, spoken: Spoken, said: Content
    ) -> Say | Edit | None:
        name = self._rooms.name_of(link.room, spoken.sender)
        message = await self._media.for_network(network, link.chat, said.message)
        if said.instead is not None:
            message = Message(spans(self._say(said.instead.key, **said.instead.values)), Kind.NOTICE)
        self._excerpts.keep(link.room, said.replaces or spoken.event, name, message.text)
        message = replace(message, reply=await self._reply(link, said.answers))
        if not network.capabilities.replies:
            message = quoting(message)
        target = await self._message(link, said.replaces) if network.capabilities.edits else None
        if said.replaces is not None and target is None:
            message = replace(message, text=(Span(self._say("edited")), *message.text))
        if not network.capabilities.sends_as_person:
            message = named(message, name)
        return Edit(target, message) if target is not None else Say(message)

    async def _reply(self, link: Linked, parent: EventId | None) -> Reply | None:
        if parent is None:
            return None
        excerpt = await self._excerpts.find(link.room, parent)
        return Reply(await self._message(link, parent), excerpt.author, excerpt.words)

    async def _deletion(self, link: Linked, network: Network, spoken: Spoken) -> Delete | Say | None:
        if spoken.redacts is None:
            return None
        target = await self._message(link, spoken.redacts)
        if target is not None and network.capabilities.deletions:
            return Delete(target)
        # What somebody took back is not said once more.
        words = self._say("deleted", name=self._name(link, spoken))
        return Say(Message(spans(words), Kind.NOTICE))

    async def _reaction(self, link: Linked, network: Network, spoken: Spoken) -> React | Say | None:
        relation = spoken.content.get("m.relates_to")
        if not isinstance(relation, Mapping):
            return None
        key, event = relation.get("key"), relation.get("event_id")
        if not isinstance(key, str) or not isinstance(event, str):
            return None
        short = "".join(char for char in key if char.isprintable() or char == "\u200d")[:32]
        target = await self._message(link, EventId(event))
        if target is not None and network.capabilities.reactions:
            return React(target, short)
        return await self._told(link, spoken, "reacted", EventId(event), emoji=short)

    async def _told(self, link: Linked, spoken: Spoken, phrase: str, event: EventId, **values: str) -> Say:
        """A sentence about an earlier event, for networks that can only be told."""
        excerpt = await self._excerpts.find(link.room, event)
        key = phrase if excerpt.words else f"{phrase}_unseen"
        words = self._say(key, name=self._name(link, spoken), excerpt=excerpt.words, **values)
        return Say(Message(spans(words), Kind.NOTICE))

    def _name(self, link: Linked, spoken: Spoken) -> str:
        return self._rooms.name_of(link.room, spoken.sender)

    async def _message(self, link: Linked, event: EventId | None) -> RemoteMessageId | None:
        if event is None:
            return None
        pairs = await self._store.messages_of(link.room, event, link.network, link.chat)
        return pairs[0].message if pairs else None

    def _say(self, key: str, **values: str) -> str:
        return self._voice.say(f"said.{key}", **values)

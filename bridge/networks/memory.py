"""A whole network in memory: the reference for writers of networks, and the peer of the bridge in tests.

``MemoryServer`` is the network itself: chats, people who join, speak and rename themselves, operators.
``MemoryNetwork`` is one account's view of it behind the ``Network`` port, as the bridge uses it. The server
can be told to misbehave: drop the connection, refuse a chat, fail sends.
"""

import asyncio
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from haven.errors import Refused, TryLater, Unreachable
from haven.ids import ChatId, RemoteMessageId, RemoteUserId
from haven.ids import Network as NetworkName

from ..message import Attachment, MediaKind, Message, Style, plain, spans
from ..section import Section
from .acts import Claim, ClosePoll, Delete, Edit, Outgoing, React, Receipt, Say, Vote
from .base import Capabilities, ChatSummary, Place
from .events import (
    ChatEvent,
    Connection,
    ConnectionState,
    Deleted,
    Edited,
    Joined,
    Reacted,
    Receive,
    Said,
    StructureChanged,
    Talk,
    TimerChanged,
    TopicChanged,
)
from .media import Body
from .memory_communities import Land, Settler
from .memory_files import Files
from .memory_past import Past
from .memory_polls import Assembly, Forum, Teller

MEMORY = NetworkName("memory")

EVERYTHING = Capabilities(
    formatting=frozenset(Style),
    colours=True,
    edits=True,
    deletions=True,
    reactions=True,
    replies=True,
    threads=True,
    locations=True,
    contacts=True,
    polls=True,
    votes=True,
    gatherings=True,
    timers=True,
    media=frozenset(MediaKind),
    topic_from_network=True,
    topic_to_network=True,
    lists_members=True,
    roles=True,
    history=True,
)
"""A network that can do all there is, but speak as somebody else."""

LINES = Capabilities(
    topic_from_network=True, topic_to_network=True, lists_members=True, roles=True, line_bytes=400
)
"""A network of plain lines, as IRC without extensions is."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One part that the bridge wrote, as everybody in the chat sees it."""

    id: RemoteMessageId
    key: str
    part: int
    text: str
    outgoing: Outgoing


@dataclass(slots=True)
class Chat(Assembly):
    """One chat of the server: who is in it, its topic, what the bridge wrote there, and what others did."""

    topic: str = ""
    past: Past = field(default_factory=Past)
    heard: list[Heard] = field(default_factory=list)
    refuses: bool = False


class MemoryServer(Forum[Chat]):
    """The network itself. Its people act by the methods below and in `Ground`; each returns once every connected account was
    told.

    ``failures``: the next so many sends raise ``TryLater`` before anything is written. ``files``: what was put
    there to be shared.
    """

    def __init__(self) -> None:
        super().__init__(Chat)
        self.files = Files()
        self.land = Land(self)
        self.reachable = asyncio.Event()
        self.reachable.set()
        self.failures = 0
        self.changed = asyncio.Condition()

    async def speak(self, chat: ChatId, who: RemoteUserId, said: Message | str) -> RemoteMessageId:
        """Someone says something."""
        message = Message(spans(said)) if isinstance(said, str) else said
        event = Said(self.next_id(), chat, self.chat(chat).people[who], message)
        await self.tell(event)
        return event.id

    async def edit(
        self, chat: ChatId, who: RemoteUserId, target: RemoteMessageId, said: Message | str
    ) -> None:
        """Someone corrects what they said."""
        person, message = self.chat(chat).people[who], Message(spans(said)) if isinstance(said, str) else said
        await self.tell(Edited(self.next_id(), chat, person, target, message))

    async def delete(self, chat: ChatId, who: RemoteUserId, target: RemoteMessageId) -> None:
        """Someone takes back what they said."""
        await self.tell(Deleted(self.next_id(), chat, self.chat(chat).people[who], target))

    async def react(
        self, chat: ChatId, who: RemoteUserId, target: RemoteMessageId, key: str, *, removed: bool = False
    ) -> None:
        """Someone reacts, or takes it back."""
        person = self.chat(chat).people[who]
        await self.tell(Reacted(self.next_id(), chat, person, target, key, removed=removed))

    async def set_topic(self, chat: ChatId, who: RemoteUserId | None, topic: str) -> None:
        """Someone, or a service, sets the topic."""
        self.chat(chat).topic = topic
        person = self.chat(chat).people.get(who) if who else None
        await self.tell(TopicChanged(self.next_id(), chat, person, topic))

    async def repeat(self, event: ChatEvent) -> None:
        """Tell the same event once more, as networks do after a reconnect."""
        for account in tuple(self.accounts):
            await account.tell(event)

    async def drop(self) -> None:
        """Cut every connection; ``reachable`` says whether they may come back."""
        for account in self.accounts:
            account.cut()

    async def heard(self, chat: ChatId, number: int) -> list[str]:
        """The texts the bridge wrote into ``chat``, once there are at least ``number``."""
        async with self.changed:
            await self.changed.wait_for(lambda: len(self.chat(chat).heard) >= number)
        return [part.text for part in self.chat(chat).heard]

    async def write(self, chat: ChatId, part: Heard) -> None:
        """Take one part that an account writes."""
        async with self.changed:
            self.chat(chat).heard.append(part)
            self.changed.notify_all()

    async def tell(self, event: ChatEvent | StructureChanged) -> None:
        """Keep it, and tell every connected account."""
        if isinstance(event, Talk):
            self.chat(event.chat).past.keep(event)
        await super().tell(event)


class MemoryNetwork(Teller[Chat], Settler):
    """One account's view of a ``MemoryServer``, behind the ``Network`` port and all its optional ones."""

    def __init__(
        self,
        server: MemoryServer,
        capabilities: Capabilities = EVERYTHING,
        name: NetworkName = MEMORY,
    ) -> None:
        super().__init__(server)
        self._server = server
        self._land = server.land
        self._capabilities = capabilities
        self._name = name
        self._open: dict[ChatId, int] = {}
        self._turn = asyncio.Lock()
        self._cut = asyncio.Event()

    @property
    def name(self) -> NetworkName:
        """``memory``, or what the test calls it."""
        return self._name

    @property
    def capabilities(self) -> Capabilities:
        """As the test wants them."""
        return self._capabilities

    @property
    def connected(self) -> bool:
        """Whether it hears what happens."""
        return self._receive is not None

    async def run(self, receive: Receive) -> None:
        """Be connected whenever the server is reachable, until cancelled."""
        self._server.accounts.append(self)
        try:
            while True:
                await receive(Connection(ConnectionState.CONNECTING))
                await self._server.reachable.wait()
                self._cut.clear()
                self._receive = receive
                await self._greet(receive)
                await self._cut.wait()
                self._receive = None
                await receive(Connection(ConnectionState.LOST, "connection_lost"))
        finally:
            self._receive = None
            self._server.accounts.remove(self)

    async def _greet(self, receive: Receive) -> None:
        async with self._turn:
            await receive(Connection(ConnectionState.CONNECTED))
            for chat in sorted(self._open):
                await self._enter(chat)

    async def _enter(self, chat: ChatId) -> None:
        """Say what was missed, then who is there. Whoever calls has the turn, so that nothing live comes in between."""
        if self._capabilities.history:
            for event in self._server.chat(chat).past.events[self._open[chat] :]:
                await self._say_until_taken(event)
        await self._roll_call(chat)

    async def _roll_call(self, chat: ChatId) -> None:
        here = self._server.chat(chat)
        for person in here.people.values():
            await self._say_until_taken(Joined(self._server.next_id(), chat, person))
        await self._say_until_taken(TopicChanged(self._server.next_id(), chat, None, here.topic))
        if self._capabilities.timers:
            await self._say_until_taken(TimerChanged(self._server.next_id(), chat, None, here.timer))

    def hears(self, chat: ChatId) -> bool:
        """Whether what happens in ``chat`` is heard now."""
        return chat in self._open and self._receive is not None

    def cut(self) -> None:
        """Lose the connection."""
        self._cut.set()
        self._receive = None

    async def tell(self, event: ChatEvent | StructureChanged) -> None:
        """Hear of an event on the server. `TryLater` where it was not taken; a network with history says it again by itself."""
        if isinstance(event, StructureChanged):
            await self._nudge(event)
        elif self.hears(event.chat):
            await self._hear(event)

    async def _nudge(self, event: StructureChanged) -> None:
        if self._receive is not None:
            await self._receive(event)

    async def _hear(self, event: ChatEvent) -> None:
        async with self._turn:
            if self._capabilities.history and self._is_next(event):
                await self._say_until_taken(event)
            else:
                await self._say(event)

    def _is_next(self, event: ChatEvent) -> bool:
        number = self._server.chat(event.chat).past.number(event)
        return number is not None and number >= self._open.get(event.chat, 0)

    async def _say(self, event: ChatEvent) -> None:
        if event.chat not in self._open or self._receive is None:
            return
        await self._receive(event)
        number = self._server.chat(event.chat).past.number(event)
        if number is not None:
            self._open[event.chat] = max(self._open.get(event.chat, 0), number + 1)

    async def _say_until_taken(self, event: ChatEvent) -> None:
        while True:
            try:
                return await self._say(event)
            except TryLater as error:
                await asyncio.sleep(error.after or 0.05)

    async def open(self, chat: ChatId, after: Place | None = None) -> None:
        """Enter the chat; what was missed, those in it and its topic are said."""
        if self._server.chat(chat).refuses:
            raise Refused("network_refused")
        known = chat in self._open
        self._open.setdefault(chat, self._server.chat(chat).past.since(after))
        self._connected()
        if not known:
            async with self._turn:
                await self._enter(chat)

    async def close(self, chat: ChatId) -> None:
        """Leave it."""
        self._open.pop(chat, None)

    async def send(self, outgoing: Outgoing, claim: Claim) -> Receipt:
        """Write each line as one part; edits, deletions and reactions are one part too."""
        self._connected()
        if outgoing.chat not in self._open:
            raise TryLater("network_not_inside")
        written = []
        for number, text in enumerate(_parts(outgoing, self._capabilities)):
            self._connected()
            if self._server.failures:
                self._server.failures -= 1
                raise TryLater("unreachable")
            if await claim(number):
                part = Heard(self._server.next_id(), outgoing.key, number, text, outgoing)
                self._counted(outgoing)
                await self._server.write(outgoing.chat, part)
                written.append((number, part.id))
        return Receipt(tuple(written))

    async def sent(self, outgoing: Outgoing, part: int) -> RemoteMessageId | None:
        """Look through what the bridge wrote."""
        self._connected()
        heard = self._server.chat(outgoing.chat).heard
        return next((one.id for one in heard if (one.key, one.part) == (outgoing.key, part)), None)

    async def set_topic(self, chat: ChatId, topic: str) -> None:
        """Set the topic; our own change is not said to us."""
        self._connected()
        self._server.chat(chat).topic = topic

    async def chats(self) -> tuple[ChatSummary, ...]:
        """All chats of the server."""
        looks = self._land.looks
        names = {chat: looks[chat].name if chat in looks else str(chat) for chat in self._server.chats}
        chats = self._server.chats
        return tuple(ChatSummary(chat, name, len(chats[chat].people)) for chat, name in names.items())

    async def upload(self, chat: ChatId, attachment: Attachment, body: Body) -> str:
        """Keep the file on the server; any chat may be told its url."""
        self._connected()
        return await self._server.files.take(body)

    def download(self, attachment: Attachment) -> AbstractAsyncContextManager[Body]:
        """The file from the server."""
        self._connected()
        return self._server.files.give(attachment.url)

    async def check(self) -> None:
        """Only whether the server can be reached."""
        if not self._server.reachable.is_set():
            raise Unreachable


def _parts(outgoing: Outgoing, capabilities: Capabilities) -> Iterable[str]:
    match outgoing.act:
        case Say(message=message) | Edit(message=message):
            lines = plain(message.text)
            return lines.split("\n") if capabilities.line_bytes else (lines,)
        case Delete():
            return ("",)
        case React(key=key):
            return (key,)
        case Vote(choices=choices):
            return (",".join(map(str, choices)),)
        case ClosePoll():
            return ("",)


def build(section: Section) -> MemoryNetwork:
    """A network of its own with nobody on it, for trying the bridge out without any network."""
    section.done()
    return MemoryNetwork(MemoryServer())

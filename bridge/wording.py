"""What a member said in a room, as a network can say it: its parent found, those it means called by their names there, the rest in words."""

from dataclasses import replace

from haven.ids import EventId, RemoteMessageId, UserId

from .convert.from_matrix import Content, read_content
from .convert.lessened import gist, lessened, suited
from .convert.mentions import ROOM, marked, resolved
from .convert.plainer import named
from .excerpts import Excerpts
from .ghosts import Ghosts
from .i18n import Voice
from .links import Linked
from .media import Media
from .message import Kind, Mention, Message, Reply, Span, Text, spans
from .networks.acts import Edit, Say
from .networks.base import Network
from .rooms import Rooms
from .spoken import Spoken
from .store import Store
from .timers import Timers


class Wording:
    """Turns what members say into what a network is asked to say."""

    def __init__(
        self,
        store: Store,
        rooms: Rooms,
        ghosts: Ghosts,
        *,
        excerpts: Excerpts,
        timers: Timers,
        media: Media,
        voice: Voice,
        bot: UserId,
    ) -> None:
        self._store = store
        self._rooms = rooms
        self._ghosts = ghosts
        self._excerpts = excerpts
        self._timers = timers
        self._media = media
        self._voice = voice
        self._bot = bot

    async def act(self, link: Linked, network: Network, spoken: Spoken) -> Say | Edit | None:
        """What to ask ``network`` for; ``None`` where there is nothing to carry over."""
        said = read_content(spoken.type, spoken.content)
        if said is None:
            return None
        can, name = network.capabilities, self._rooms.name_of(link.room, spoken.sender)
        message = self._in_words(said)
        changed = await self._own(link, said.replaces, name)
        self._excerpts.keep(link.room, changed or spoken.event, name, gist(message))
        message = await self._in_place(link, message, said, threads=can.threads)
        message = replace(message, text=self._named(link, message.text, said, spoken.sender))
        target = await self._message(link, said.replaces, spoken.sender) if can.edits else None
        message = await self._media.for_network(network, link.chat, suited(message, can))
        message = lessened(message, can, self._say)
        if target is not None and message.text:
            message = replace(message, attachments=())  # only the words of what was sent can be changed
        elif said.replaces is not None:
            target = None
            message = replace(message, text=(Span(self._say("edited")), *message.text))
        if not can.sends_as_person:
            message = named(message, name)
        return Edit(target, message) if target is not None else Say(message)

    def _in_words(self, said: Content) -> Message:
        if said.instead is None:
            return said.message
        return Message(spans(self._say(said.instead.key, **said.instead.values)), Kind.NOTICE)

    async def _in_place(self, link: Linked, message: Message, said: Content, *, threads: bool) -> Message:
        """``message`` with its parent, its thread and its time. What stands in a thread and answers nothing else answers its root,
        where there are no threads.
        """
        thread = await self._message(link, said.thread) if threads else None
        parent = said.answers or (said.thread if thread is None else None)
        reply = await self._reply(link, parent)
        return replace(message, reply=reply, thread=thread, expires=self._timers.of_room(link))

    async def _reply(self, link: Linked, parent: EventId | None) -> Reply | None:
        if parent is None:
            return None
        excerpt = await self._excerpts.find(link.room, parent)
        return Reply(await self._message(link, parent), excerpt.author, excerpt.words)

    async def _own(self, link: Linked, event: EventId | None, name: str) -> EventId | None:
        """``event``, unless somebody else is remembered to have said it."""
        author = (await self._excerpts.find(link.room, event)).author if event is not None else ""
        return event if author in {"", name} else None

    async def _message(
        self, link: Linked, event: EventId | None, sender: UserId | None = None
    ) -> RemoteMessageId | None:
        """What ``event`` is called there; of a ``sender``'s own only, where one is given."""
        if event is None:
            return None
        pairs = await self._store.messages_of(link.room, event, link.network, link.chat)
        return pairs[0].message if pairs and sender in {None, pairs[0].sender} else None

    def _say(self, key: str, **values: str) -> str:
        return self._voice.say(f"said.{key}", **values)

    # --- who is meant ---------------------------------------------------------------------------------------

    def _named(self, link: Linked, text: Text, said: Content, sender: UserId) -> Text:
        """``text`` with the people of the network called as they are called there, also where only ``m.mentions`` says who is meant."""
        linked = {span.mention.user for span in text if span.mention is not None}
        for user in said.mentions:
            if user not in linked and self._ghosts.owns(user):
                text = marked(text, self._rooms.name_of(link.room, user), Mention(user=user))
        text = resolved(text, lambda span, mention: self._resolved(link, span, mention))
        if said.everybody and self._rooms.view(link.room).may_call_everybody(sender):
            text = marked(text, ROOM, Mention())
        return text

    def _resolved(self, link: Linked, span: Span, mention: Mention) -> Span:
        known = self._ghosts.person(mention.user) if mention.user is not None else None
        if known is not None and known.network == link.network:
            sign = "@" if span.text.startswith("@") else ""
            return replace(span, text=f"{sign}{known.name}", mention=Mention(known.remote, mention.user))
        # The bridge's own account speaks for everybody: to call it is to call nobody.
        return replace(span, mention=None) if mention.user == self._bot else span

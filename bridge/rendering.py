"""What somebody on a network said, as the events that say it in a room: its parent found, those it means called by their Matrix names."""

from collections.abc import Sequence
from dataclasses import replace

from haven.errors import GiveUp
from haven.ids import RemoteMessageId, UserId

from .convert.from_matrix import read_content
from .convert.mentions import addressed, resolved
from .convert.privacy import name_or
from .convert.to_matrix import Context, Draft, drafts_of
from .expiries import due_at
from .ghosts import Ghosts
from .homeserver import AppserviceHomeserver
from .i18n import Voice
from .links import Linked
from .message import Attachment, Mention, Span, Text
from .networks.events import Edited, Said
from .rooms import Rooms
from .store import Pair, Store


class Rendering:
    """Turns what networks say into drafts of events."""

    def __init__(
        self, homeserver: AppserviceHomeserver, store: Store, rooms: Rooms, ghosts: Ghosts, voice: Voice
    ) -> None:
        self._homeserver = homeserver
        self._store = store
        self._rooms = rooms
        self._ghosts = ghosts
        self._voice = voice
        self._bot = homeserver.user

    async def drafts(self, link: Linked, event: Said | Edited) -> tuple[Draft, ...]:
        """The events that say it, in order."""
        message = replace(event.message, text=self._named(link, event.message.text))
        parent = await self._pair(link, message.reply.message if message.reply else None)
        thread = await self._pair(link, message.thread)
        replaced = next(iter(await self.replaced(link, event)), None)
        if isinstance(event, Edited) and replaced is None:
            message = replace(message, text=(Span(self.say("edited")), *message.text))
        if replaced is not None and not message.attachments:
            message = replace(message, attachments=await self._captioned(link, replaced))
        context = Context(
            answers=parent.event if parent else None,
            thread=thread.event if thread else None,
            replaces=replaced.event if replaced else None,
            mentions=self._meant(link, message.text, parent),
            everybody=self._calls_everybody(link, event, message.text),
            until=_until(event),
        )
        return drafts_of(message, self.say, context)

    async def replaced(self, link: Linked, event: Said | Edited) -> Sequence[Pair]:
        """The events that it edits: the person's own, since nobody changes what somebody else said."""
        if not isinstance(event, Edited):
            return ()
        ghost = self._ghosts.ghost(link.network, event.person.id)
        pairs = await self._store.events_of(link.network, link.chat, event.target, link.room)
        return tuple(pair for pair in pairs if pair.sender == ghost)

    async def _captioned(self, link: Linked, replaced: Pair) -> tuple[Attachment, ...]:
        """The file whose caption is edited: Matrix replaces the whole of an event, not its words only."""
        try:
            _, content = await self._homeserver.read_event(link.room, replaced.event)
        except GiveUp:
            return ()
        said = read_content("m.room.message", content)
        return said.message.attachments if said is not None else ()

    def say(self, key: str, **values: str) -> str:
        """The phrase ``said.<key>``."""
        return self._voice.say(f"said.{key}", **values)

    async def _pair(self, link: Linked, message: RemoteMessageId | None) -> Pair | None:
        if message is None:
            return None
        pairs = await self._store.events_of(link.network, link.chat, message, link.room)
        return pairs[0] if pairs else None

    # --- who is meant ---------------------------------------------------------------------------------------

    def _named(self, link: Linked, text: Text) -> Text:
        """``text`` with the Matrix names of all that it mentions, and mentions of the members that it calls by name."""
        joined = self._rooms.view(link.room).joined
        text = resolved(text, lambda span, mention: self._resolved(link, span, mention))
        return addressed(text, joined.items(), self._is_member)

    def _is_member(self, user: UserId) -> bool:
        return user != self._bot and not self._ghosts.owns(user)

    def _resolved(self, link: Linked, span: Span, mention: Mention) -> Span:
        if mention.person is not None:
            ghost = self._ghosts.ghost(link.network, mention.person)
            known = self._ghosts.person(ghost) if ghost else None
            sign = "@" if span.text.startswith("@") else ""
            name = name_or(known.name if known else span.text.removeprefix("@"), self.say("someone"))
            return replace(span, text=f"{sign}{name}", mention=Mention(user=ghost) if ghost else None)
        if mention.user is not None and not self._is_here(link, mention.user):
            return replace(span, mention=None)
        return span

    def _is_here(self, link: Linked, user: UserId) -> bool:
        """Whether somebody may be called there. Never is it the bridge's own account, which speaks for all."""
        return user != self._bot and user in self._rooms.view(link.room).joined

    def _meant(self, link: Linked, text: Text, parent: Pair | None) -> frozenset[UserId]:
        """Those mentioned, and who wrote what is answered (spec: "Mentioning the replied to user")."""
        users = {span.mention.user for span in text if span.mention is not None}
        users.add(parent.sender if parent else None)
        return frozenset(user for user in users if user is not None and self._is_here(link, user))

    def _calls_everybody(self, link: Linked, event: Said | Edited, text: Text) -> bool:
        """Whether it calls the whole room, and its ghost has the power for that."""
        called = any(span.mention == Mention() for span in text)
        ghost = self._ghosts.ghost(link.network, event.person.id) if called else None
        return ghost is not None and self._rooms.view(link.room).may_call_everybody(ghost)


def _until(event: Said | Edited) -> int | None:
    """When it is to disappear; networks that tell no time of their own cannot say."""
    expires = event.message.expires
    return due_at(event.at, expires) if expires is not None and event.at is not None else None

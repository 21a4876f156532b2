"""The way of one event from a network into a room."""

import base64
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import assert_never

from haven.errors import Refused
from haven.ids import EventId, RemoteMessageId, UserId
from haven.ids import Network as NetworkName

from .convert.to_matrix import content_of
from .excerpts import Excerpts
from .ghosts import Ghosts
from .homeserver import AppserviceHomeserver
from .links import Linked
from .media import Media
from .message import Message
from .networks.base import Network
from .networks.events import (
    Banned,
    ChatEvent,
    ChatGone,
    Deleted,
    Edited,
    Joined,
    Left,
    Person,
    PollClosed,
    Reacted,
    Renamed,
    Said,
    TimerChanged,
    TopicChanged,
    Voted,
)
from .store import Pair, Store
from .topics import Topics


def transaction_id(link: Linked, ghost: UserId, message: str, part: int = 0) -> str:
    """The id under which an event is sent: the same for the same thing, whenever and however often it is
    tried.

    The ghost is in it, since homeservers tell an appservice's transactions apart by the id alone, not by the
    user.
    """
    words = "\0".join((link.network, link.chat, link.room, ghost, message, str(part)))
    return base64.b32encode(hashlib.sha256(words.encode()).digest()[:20]).decode().lower()


class ToMatrix:
    """Carries what a network says into rooms."""

    def __init__(
        self,
        ghosts: Ghosts,
        store: Store,
        topics: Topics,
        networks: Mapping[NetworkName, Network],
        excerpts: Excerpts,
        *,
        media: Media,
    ) -> None:
        self._ghosts = ghosts
        self._store = store
        self._topics = topics
        self._networks = networks
        self._excerpts = excerpts
        self._media = media

    async def carry(self, link: Linked, event: ChatEvent) -> Sequence[Pair]:
        """Do in the room what ``event`` says; the pairs that came of it."""
        match event:
            case Said() | Edited():
                return await self._say(link, event)
            case Deleted():
                await self._delete(link, event)
            case Reacted():
                return await self._react(link, event)
            case Renamed():
                await self._ghosts.rename(link.network, event.before, event.person)
            case Left():
                await self._ghosts.leave(link.network, event.person.id, link.room)
            case TopicChanged():
                await self._topics.heard(link, event.topic)
                await self._topics.settle(link, self._networks[link.network])
            case Voted() | PollClosed() | TimerChanged():
                pass  # no network says these yet
            case Joined() | Banned() | ChatGone():
                pass  # who comes is shown when they speak; who may do what, and a lost chat, are the caretaker's
            case _:
                assert_never(event)
        return ()

    async def _say(self, link: Linked, event: Said | Edited) -> Sequence[Pair]:
        message = await self._media.for_matrix(self._networks[link.network], event.message)
        answers = await self._event(link, message.reply.message if message.reply else None)
        replaces = await self._event(link, event.target) if isinstance(event, Edited) else None
        content = content_of(
            replace(message, reply=None),
            answers=answers,
            replaces=replaces,
            mentions=self._meant(link, message),
        )

        async def send(ghost: AppserviceHomeserver) -> EventId:
            transaction = transaction_id(link, ghost.user, event.id)
            return await ghost.send_message(link.room, "m.room.message", content, transaction)

        ghost, sent = await self._as_ghost(link, event.person, send)
        self._excerpts.keep(link.room, replaces or sent, event.person.name, message.text)
        return (Pair(link.network, link.chat, event.id, 0, link.room, sent, ghost),)

    async def _delete(self, link: Linked, event: Deleted) -> None:
        for pair in await self._store.events_of(link.network, link.chat, event.target, link.room):
            # As whoever sent it: everybody may take back their own, so the bot needs no power for it.
            owner = self._ghosts.person(pair.sender)
            sender = owner.person if owner else event.person
            ghost = await self._ghosts.speaker(link.network, sender, link.room)
            transaction = transaction_id(link, ghost.user, event.id, pair.part)
            await ghost.redact(link.room, pair.event, "", transaction)

    async def _react(self, link: Linked, event: Reacted) -> Sequence[Pair]:
        name = RemoteMessageId(f"reaction\0{event.target}\0{event.person.id}\0{event.key}")
        if event.removed:
            for pair in await self._store.events_of(link.network, link.chat, name, link.room):
                ghost = await self._ghosts.speaker(link.network, event.person, link.room)
                await ghost.redact(link.room, pair.event, "", transaction_id(link, ghost.user, event.id))
            return ()
        target = await self._event(link, event.target)
        if target is None:
            return ()
        relation = {"rel_type": "m.annotation", "event_id": target, "key": event.key}

        async def send(ghost: AppserviceHomeserver) -> EventId:
            transaction = transaction_id(link, ghost.user, event.id)
            return await ghost.send_message(link.room, "m.reaction", {"m.relates_to": relation}, transaction)

        speaker, sent = await self._as_ghost(link, event.person, send)
        return (Pair(link.network, link.chat, name, 0, link.room, sent, speaker),)

    async def _as_ghost(
        self, link: Linked, person: Person, send: Callable[[AppserviceHomeserver], Awaitable[EventId]]
    ) -> tuple[UserId, EventId]:
        """Send as the person's ghost; where it was put out of the room behind our back, bring it in again,
        once.
        """
        ghost = await self._ghosts.speaker(link.network, person, link.room)
        try:
            return ghost.user, await send(ghost)
        except Refused:
            self._ghosts.lost(link.room, ghost.user)
            ghost = await self._ghosts.speaker(link.network, person, link.room)
            return ghost.user, await send(ghost)

    async def _event(self, link: Linked, message: RemoteMessageId | None) -> EventId | None:
        if message is None:
            return None
        pairs = await self._store.events_of(link.network, link.chat, message, link.room)
        return pairs[0].event if pairs else None

    def _meant(self, link: Linked, message: Message) -> set[UserId]:
        """The ghosts and members that the message mentions by id."""
        mentions = [span.mention for span in message.text if span.mention is not None]
        found = {mention.user for mention in mentions if mention.user is not None}
        ghosts = {self._ghosts.ghost(link.network, m.person) for m in mentions if m.person is not None}
        return found | {ghost for ghost in ghosts if ghost is not None}

"""The way of one event from a network into a room."""

import base64
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import assert_never

from haven.errors import Invalid, Refused
from haven.ids import EventId, RemoteMessageId, UserId
from haven.ids import Network as NetworkName

from .convert.lessened import gist
from .convert.to_matrix import Draft
from .excerpts import Excerpts
from .expiries import Expiries
from .gestures import theirs
from .ghosts import Ghosts
from .homeserver import AppserviceHomeserver
from .links import Linked
from .media import Media
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
    Talk,
    TimerChanged,
    TopicChanged,
    Voted,
)
from .rendering import Rendering
from .store import Pair, Store
from .timers import Timers
from .topics import Topics
from .votes import Votes


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
        bot: AppserviceHomeserver,
        ghosts: Ghosts,
        store: Store,
        *,
        topics: Topics,
        timers: Timers,
        expiries: Expiries,
        networks: Mapping[NetworkName, Network],
        rendering: Rendering,
        votes: Votes,
        excerpts: Excerpts,
        media: Media,
    ) -> None:
        self._bot = bot
        self._ghosts = ghosts
        self._store = store
        self._topics = topics
        self._timers = timers
        self._expiries = expiries
        self._networks = networks
        self._rendering = rendering
        self._votes = votes
        self._excerpts = excerpts
        self._media = media

    async def carry(self, link: Linked, event: ChatEvent) -> Sequence[Pair]:
        """Do in the room what ``event`` says; the pairs that came of it."""
        match event:
            case Said() | Edited() | Deleted() | Reacted() | Voted() | PollClosed():
                return await self._talk(link, event)
            case Renamed():
                await self._ghosts.rename(link.network, event.before, event.person)
            case Left():
                await self._ghosts.leave(link.network, event.person.id, link.room)
            case TopicChanged():
                await self._topics.heard(link, event.topic)
                await self._topics.settle(link, self._networks[link.network])
            case TimerChanged():
                await self._timers.heard(link, event.seconds)
                await self._timers.settle(link, self._networks[link.network])
            case Joined() | Banned() | ChatGone():
                pass  # who comes is shown when they speak; who may do what, and a lost chat, are the caretaker's
            case _:
                assert_never(event)
        return ()

    async def _talk(self, link: Linked, event: Talk) -> Sequence[Pair]:
        match event:
            case Said() | Edited():
                return await self._say(link, event)
            case Deleted():
                await self._delete(link, event)
            case Reacted():
                return await self._react(link, event)
            case Voted():
                await self._vote(link, event)
            case PollClosed():
                await self._close(link, event)
            case _:
                assert_never(event)
        return ()

    async def _say(self, link: Linked, event: Said | Edited) -> Sequence[Pair]:
        message = await self._media.for_matrix(self._networks[link.network], event.message)
        drafts = await self._rendering.drafts(link, replace(event, message=message))
        pairs = [
            await self._sent(link, event.person, event.id, draft, part) for part, draft in enumerate(drafts)
        ]
        target = event.target if isinstance(event, Edited) else None
        replaced = await self._rendering.replaced(link, event)
        said = replaced[0].event if replaced else pairs[0].event
        self._excerpts.keep(link.room, said, event.person.name, gist(event.message))
        if message.expires is not None:
            await self._expiries.keep(pairs, event.at, message.expires)
        elif replaced:
            await self._expiries.follow(pairs, said)
        # Who takes the message back takes its edits back as well.
        edits = (
            [replace(pair, message=target, part=len(replaced) + pair.part) for pair in pairs]
            if replaced and target
            else []
        )
        return [*pairs, *edits]

    async def _sent(
        self, link: Linked, person: Person, name: RemoteMessageId, draft: Draft, part: int = 0
    ) -> Pair:
        """Send an event as the ghost of ``person``; what it and the message ``name`` are called together."""

        async def send(ghost: AppserviceHomeserver) -> EventId:
            transaction = transaction_id(link, ghost.user, name, part)
            return await ghost.send_message(link.room, draft.type, draft.content, transaction)

        ghost, sent = await self._as_ghost(link, person, send)
        return Pair(link.network, link.chat, name, part, link.room, sent, ghost)

    async def _delete(self, link: Linked, event: Deleted) -> None:
        for pair in await self._store.events_of(link.network, link.chat, event.target, link.room):
            # As whoever sent it: everybody may take back their own, so the bot needs no power for it.
            owner = self._ghosts.person(pair.sender)
            sender = owner.person if owner else event.person
            ghost = await self._ghosts.speaker(link.network, sender, link.room)
            transaction = transaction_id(link, ghost.user, event.id, pair.part)
            await ghost.redact(link.room, pair.event, "", transaction)

    async def _react(self, link: Linked, event: Reacted) -> Sequence[Pair]:
        name = theirs(event.target, event.person.id, event.key)
        # The same person may take the same away and put it there again: each time it is another event, the last one counts.
        before = await self._store.events_of(link.network, link.chat, name, link.room)
        if event.removed:
            for pair in before[-1:]:
                ghost = await self._ghosts.speaker(link.network, event.person, link.room)
                await ghost.redact(link.room, pair.event, "", transaction_id(link, ghost.user, event.id))
            return ()
        targets = await self._store.events_of(link.network, link.chat, event.target, link.room)
        if not targets:
            return ()
        relation = {"rel_type": "m.annotation", "event_id": targets[0].event, "key": event.key}
        draft = Draft("m.reaction", {"m.relates_to": relation})
        try:
            sent = await self._sent(link, event.person, event.id, draft)
        except Invalid as error:
            if error.values.get("code") != "M_DUPLICATE_ANNOTATION":
                raise
            return ()  # it stands there already
        return (replace(sent, message=name, part=len(before)),)

    async def _vote(self, link: Linked, event: Voted) -> None:
        draft = await self._votes.voted(link, event)
        if draft is not None:
            await self._sent(link, event.person, event.id, draft)

    async def _close(self, link: Linked, event: PollClosed) -> None:
        found = await self._votes.closed(link, event)
        if found is None:
            return
        draft, owner = found
        if owner is not None:
            await self._sent(link, owner, event.id, draft)
            return
        transaction = transaction_id(link, self._bot.user, event.id)
        await self._bot.send_message(link.room, draft.type, draft.content, transaction)

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

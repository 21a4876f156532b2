"""How the plugin speaks to people in rooms: messages, edits, reactions, and the names people go by.

Everything goes through the ports, so it works over the fake homeserver as over a real one.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from haven.errors import Missing, Refused
from haven.ids import EventId, RoomId, UserId
from haven.ports import Content, ReadsState, Redacts, SendsMessage

from .events import Posted, Reaction
from .homeserver_files import File, SendsFiles


class ReadsReactions(Protocol):
    """``GET /rooms/{room}/relations/{event}/m.annotation``."""

    async def reactions(self, room: RoomId, event: EventId) -> tuple[Reaction, ...]:
        """The reactions of others that stand under an event, the eldest first."""


class ReadsPosts(Protocol):
    """``GET /rooms/{room}/event/{event}`` and ``GET /rooms/{room}/messages``."""

    async def posted(self, room: RoomId, event: EventId) -> Posted | None:
        """What stands in a room; ``None`` where it has been redacted. Raises `Missing` where there is nothing to see."""

    async def recent(self, room: RoomId, most: int) -> tuple[Posted, ...]:
        """The last messages in a room, the eldest first, without those that have been redacted."""


@dataclass(frozen=True, slots=True)
class Page:
    """A piece of what was said in a room, the eldest first: neither state nor what has been redacted. ``next``: where the next piece
    begins, "" where nothing follows.
    """

    said: tuple[Posted, ...] = ()
    next: str = ""


class ReadsHistory(Protocol):
    """``GET /rooms/{room}/messages``, forward."""

    async def history(self, room: RoomId, place: str, most: int) -> Page:
        """What was said from a place on, or from the beginning. Raises `Invalid` where the homeserver knows no such place."""


class Speaks(
    SendsMessage, SendsFiles, ReadsState, ReadsReactions, ReadsPosts, ReadsHistory, Redacts, Protocol
):
    """The ports a messenger needs."""


@dataclass(frozen=True, slots=True)
class Words:
    """What is said: plain text, its rich form ("" where there is none), and the people it means.

    Nobody is notified but the users in ``mentions`` (spec: m.mentions). ``notice``: said by a bot, which other bots must
    not answer (spec: m.notice).
    """

    text: str
    html: str = ""
    mentions: Sequence[UserId] = ()
    notice: bool = True


class Messenger:
    """Speaks in rooms as the bot.

    Each method takes an optional ``transaction``: the same one again is the same event, so a job that was interrupted
    can repeat its last message without saying it twice. Left out, each call is a new event.
    """

    def __init__(self, homeserver: Speaks) -> None:
        self._homeserver = homeserver

    async def say(
        self,
        room: RoomId,
        words: Words,
        *,
        reply_to: EventId | None = None,
        thread: EventId | None = None,
        transaction: str = "",
    ) -> EventId:
        """Say something in a room, as a reply to an event or in the thread of one where told so."""
        content = {**_message(words), **_relation(reply_to, thread)}
        return await self._send(room, "m.room.message", content, transaction)

    async def edit(self, room: RoomId, event: EventId, words: Words, *, transaction: str = "") -> EventId:
        """Replace what an earlier message of ours says (spec: m.replace). Nobody is notified again."""
        content = {
            **_message(Words(f"* {words.text}", words.html and f"* {words.html}", notice=words.notice)),
            "m.new_content": _message(words),
            "m.relates_to": {"rel_type": "m.replace", "event_id": event},
        }
        return await self._send(room, "m.room.message", content, transaction)

    async def hand_over(self, room: RoomId, file: File, transaction: str) -> EventId:
        """Give a file into a room. Raises `Refused` where it would have to be encrypted and cannot be."""
        return await self._homeserver.send_file(room, file, transaction)

    async def react(self, room: RoomId, event: EventId, key: str, *, transaction: str = "") -> EventId:
        """React to an event, with an emoji as a rule. Raises `Invalid` where we reacted with it already."""
        content = {"m.relates_to": {"rel_type": "m.annotation", "event_id": event, "key": key}}
        return await self._send(room, "m.reaction", content, transaction)

    async def reactions(self, room: RoomId, event: EventId) -> tuple[Reaction, ...]:
        """What others have said of an event by reaction, the eldest first."""
        return await self._homeserver.reactions(room, event)

    async def posted(self, room: RoomId, event: EventId) -> Posted | None:
        """What stands in a room; ``None`` where it has been taken back, or cannot be seen."""
        try:
            return await self._homeserver.posted(room, event)
        except (Missing, Refused):
            return None

    async def recent(self, room: RoomId, most: int) -> tuple[Posted, ...]:
        """The last messages in a room, the eldest first."""
        return await self._homeserver.recent(room, most)

    async def page(self, room: RoomId, place: str, most: int) -> Page:
        """What was said in a room from a place on; at most so many events of all kinds."""
        return await self._homeserver.history(room, place, most)

    async def take_out(self, room: RoomId, event: EventId, reason: str, transaction: str) -> None:
        """Remove something from a room for everybody (spec: redaction). Raises `Refused` where we may not."""
        await self._homeserver.redact(room, event, reason, transaction)

    async def display_name(self, room: RoomId, user: UserId) -> str:
        """The name a user goes by in a room; their id where they have none or we cannot see it."""
        try:
            member = await self._homeserver.state_content(room, "m.room.member", user)
        except (Missing, Refused):
            return user
        name = member.get("displayname")
        return name if isinstance(name, str) and name.strip() else user

    async def _send(self, room: RoomId, event_type: str, content: Content, transaction: str) -> EventId:
        return await self._homeserver.send_message(room, event_type, content, transaction or uuid.uuid4().hex)


def _message(words: Words) -> Content:
    rich = {"format": "org.matrix.custom.html", "formatted_body": words.html} if words.html else {}
    mentions = {"user_ids": list(words.mentions)} if words.mentions else {}
    kind = "m.notice" if words.notice else "m.text"
    return {"msgtype": kind, "body": words.text, **rich, "m.mentions": mentions}


def _relation(reply_to: EventId | None, thread: EventId | None) -> Content:
    """``m.relates_to`` of a reply, of a message in a thread, or of a reply inside a thread."""
    if reply_to is None and thread is None:
        return {}
    reply = {"m.in_reply_to": {"event_id": reply_to or thread}}
    if thread is None:
        return {"m.relates_to": reply}
    falling_back = reply_to is None
    return {
        "m.relates_to": {
            "rel_type": "m.thread",
            "event_id": thread,
            "is_falling_back": falling_back,
            **reply,
        }
    }

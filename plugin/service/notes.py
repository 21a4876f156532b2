"""Friendly words to one person: in their direct chat with the bot, else where it happened, meaning them alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from haven.errors import GiveUp
from haven.ids import EventId, RoomId, UserId
from haven.policies import is_list
from haven.snapshot import PRESENT, Membership, Room, World
from haven.stateevents import GROUP, HISTORY

from ..replies import Replies
from ..wording import Line
from .communities import Communities


@dataclass(frozen=True, slots=True)
class Place:
    """Where a note stands if its reader has no direct chat with us. ``about``: the message it answers; ``thread``: its thread."""

    room: RoomId
    about: EventId | None = None
    thread: EventId | None = None


@dataclass(frozen=True, slots=True)
class Notes:
    """Writes notes."""

    communities: Communities
    replies: Replies

    async def give(
        self, user: UserId, language: str, lines: Sequence[Line], place: Place, transaction: str
    ) -> None:
        """Tell somebody something. The same ``transaction`` again is the same note. Raises `TryLater`, `GiveUp`."""
        if not await self.whisper(user, language, lines, transaction):
            words = self.replies.wording(language).words(lines, (user,))
            say = self.replies.messages.say
            await self.replies.patiently(
                lambda: say(
                    place.room, words, reply_to=place.about, thread=place.thread, transaction=transaction
                )
            )

    async def whisper(self, user: UserId, language: str, lines: Sequence[Line], transaction: str) -> bool:
        """Tell somebody something in their direct chat with us; gives whether there is one. Raises `TryLater`."""
        world = await self.communities.rooms.observe()
        room = direct_chat(world, self.communities.loop.actors.bot, user)
        if room is None:
            return False
        try:
            await self.replies.tell(room, language, lines, transaction)
        except GiveUp:
            return False
        return True


def direct_chat(world: World, bot: UserId, user: UserId) -> RoomId | None:
    """The room in which nobody is but the bot and this person, if there is one; rather one that nobody has given a name, as others
    may be meant to come into such a one.
    """
    found = [room for room in world.values() if is_private(room, bot, user)]
    return min(found, key=lambda room: bool(room.name)).id if found else None


def unmanaged(world: World) -> World:
    """The rooms that belong to no community, and so may be direct chats: for whoever looks for those of many people, one after the other."""
    return {room.id: room for room in world.values() if (GROUP, "") not in room.state and not room.is_space}


def is_private(room: Room, bot: UserId, user: UserId) -> bool:
    """Whether nobody can read what is said in a room but the bot and this person: nobody else is in it or invited, and whoever has
    made it cannot come back as they like.
    """
    if (GROUP, "") in room.state or room.members.get(user) is not Membership.JOINED:
        return False
    fits = not room.is_space and not is_list(room)
    shut = room.text("m.room.join_rules", "join_rule") in _SHUT
    unread = room.text(HISTORY, "history_visibility") != "world_readable"
    return fits and shut and unread and room.with_membership(*PRESENT) == {bot, user}


_SHUT = {"", "invite", "private", "knock"}

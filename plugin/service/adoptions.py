"""Taking existing rooms into a community: what would change is said on a card, and done when an admin says yes."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from haven.adoption import Adoption, adoption, with_adopted
from haven.errors import GiveUp, Invalid, NotAllowed
from haven.ids import EventId, RoomId, UserId, server_of
from haven.model import Community, Visibility
from haven.permissions import Right
from haven.ports import Joins
from haven.reach import POWER
from haven.snapshot import Membership, Room, called

from ..addresses import alias_in, room_in
from ..audit import HIDDEN, Audit, Deed
from ..cards import Card, Cards, Word
from ..events import Incoming
from ..outcomes import of_change, troubles
from ..rights import require
from ..store import now_ms
from ..wording import Line, Style, Value, head, item, line, of_error, person, strong
from .communities import Communities
from .notes import Notes, Place

log = logging.getLogger("haven.adoptions")

KIND = "adoption"
APPROVE, REJECT = "approve", "reject"
SUGGESTED = "from"
"""What a card knows where a member has suggested the room: the room in which they did."""

WEEK = 7 * 24 * 3_600_000
"""Milliseconds in which it can be confirmed."""


class ListsNowhere(Joins, Protocol):
    """``/directory/list/room/{room}``: the directory in which everybody on the homeserver, and beyond, finds a room."""

    async def is_listed(self, room: RoomId) -> bool:
        """Whether it has the room."""

    async def unlist(self, room: RoomId) -> None:
        """Take the room out of it. Twice is as good as once."""


@dataclass(frozen=True, slots=True)
class Adoptions:
    """Implements `plugin.cards.Dealer`."""

    communities: Communities
    homeserver: ListsNowhere
    cards: Cards
    audit: Audit

    @property
    def choices(self) -> Mapping[str, str]:
        """See `plugin.cards.Dealer`."""
        return {"✅": APPROVE, "❌": REJECT}

    async def propose(self, community: Community, word: str, visibility: str, who: UserId) -> Card:
        """Show the admins what adopting a room would change.

        Raises `Invalid` where the room cannot be a group or power is missing, `NotAllowed` where it is not ``who``'s to give.
        """
        room = await self._proposable(community, word, visibility, who)
        about = {"room": str(room.id), "visibility": visibility, "who": str(who), "name": called(room)}
        return await self.cards.deal(KIND, community.space, room.id, about, now_ms() + WEEK)

    async def suggest(self, community: Community, word: str, message: Incoming) -> Card:
        """Show the admins what adopting a room would change that a member suggests, who hears what becomes of it.

        The same command again is the same suggestion. Raises as `propose`, and `Invalid` where the room is suggested already.
        """
        who = message.sender
        room = await self._proposable(community, word, "", who)
        for card in await self.cards.open(KIND, community.space):
            if card.key == room.id and card.payload.get("event") != message.event:
                raise Invalid("suggested_already", name=called(room), id=card.id)
        about = {"room": str(room.id), "visibility": "", "who": str(who), "name": called(room)}
        asked = {"from": str(message.room), "event": str(message.event)}
        return await self.cards.deal(KIND, community.space, room.id, {**about, **asked}, now_ms() + WEEK)

    async def withdraw(self, card: Card) -> None:
        """Who has suggested it suggests it no more."""
        await self.cards.withdraw(card, (_line("suggestion.withdrawn", card),))

    async def _proposable(self, community: Community, word: str, visibility: str, who: UserId) -> Room:
        """A room, if it could be taken in. One that is not theirs to give is left again: any member can name any room there is."""
        known = self.communities.rooms.world
        room = await self.room(word, who)
        if community.group(room.id) is not None:
            raise Invalid("adopt_taken")
        try:
            self._previewed(community, room, visibility, who)
        except NotAllowed:
            if room.id not in known:
                with suppress(GiveUp):
                    await self.communities.loop.hands.leave(room.id)
            raise
        return room

    async def room(self, word: str, who: UserId) -> Room:
        """The room that a word means, entered if that can be. Raises `Invalid` where we are not in it."""
        room, alias = room_in(word), alias_in(word)
        if room is None and not alias:
            raise Invalid("adopt_what", room=word[:100])
        found = await self._seen(room, alias)
        if found is None:
            await self._enter(RoomId(room or alias), who)
            found = await self._seen(room, alias)
        if found is None:
            raise Invalid("adopt_outside", bot=self.communities.loop.actors.bot)
        return found

    async def _seen(self, room: RoomId | None, alias: str) -> Room | None:
        """A room we are in, read anew."""
        rooms = self.communities.rooms
        world = await rooms.observe()
        meant = room or next((each.id for each in world.values() if alias in _aliases(each)), None)
        if meant is None or meant not in world:
            return None
        rooms.doubt((meant,))
        return (await rooms.observe()).get(meant)

    async def _enter(self, room: RoomId, who: UserId) -> None:
        try:
            await self.homeserver.join(room, (server_of(who),))
        except GiveUp:
            return
        await self.communities.rooms.look()

    def _previewed(self, community: Community, room: Room, visibility: str, who: UserId) -> Adoption:
        """What would come of it. Raises as `propose`."""
        actors, world = self.communities.loop.actors, self.communities.rooms.world
        wanted = Visibility(visibility) if visibility else None
        if room.members.get(who) is not Membership.JOINED or room.power_of(who) < room.power.for_state(POWER):
            raise NotAllowed("adopt_not_yours", room=called(room), need=room.power.for_state(POWER))
        seen = adoption(room, community, world, actors, wanted)
        for lack in seen.missing:
            raise Invalid("adopt_power", room=lack.name, need=lack.need, have=lack.have, bot=actors.bot)
        return seen

    async def lines(self, card: Card) -> Sequence[Line]:
        """See `plugin.cards.Dealer`: the preview."""
        community = await self.communities.fresh(card.space)
        room = await self._seen(RoomId(card.payload["room"]), "")
        if room is None:
            raise Invalid("adopt_outside", bot=self.communities.loop.actors.bot)
        who = UserId(card.payload["who"])
        seen = self._previewed(community, room, card.payload["visibility"], who)
        said = (of_change(change) for change in seen.plan.changes)
        changes = [Line(one.key, one.values, Style.ITEM) for one in said]
        if await self.homeserver.is_listed(room.id):
            changes.append(item("adopt.unlisted"))
        kept = line("adopt.kept", n=len(room.with_membership(Membership.JOINED)))
        asked = _line("adopt.card", card)
        return (asked, kept, head("adopt.changes", n=len(changes)), *changes, _how(card))

    async def decide(self, card: Card, word: Word) -> Sequence[Line]:
        """See `plugin.cards.Dealer`."""
        community = await self.communities.fresh(card.space)
        require(self.communities.rooms.world, community, word.who, Right.ADOPT)
        if word.choice == REJECT:
            return await self._rejected(community, card, word)
        room = await self._still(community, card, word)
        await self.homeserver.unlist(room.id)
        visibility = card.payload["visibility"]
        actors, wanted = self.communities.loop.actors, Visibility(visibility) if visibility else None
        outcome = await self.communities.change(
            card.space,
            lambda now: with_adopted(now, room, actors, wanted),
            check=lambda now: require(self.communities.rooms.world, now, word.who, Right.ADOPT),
        )
        await self._record(outcome.community, room.id, card, word)
        await self._tell(community, card, _line("adopt.yes", card))
        return (_line("adopt.done", card, word.who), *troubles(outcome))

    async def _still(self, community: Community, card: Card, word: Word) -> Room:
        """The room, if it can still be taken in. Where it cannot, who has suggested it hears what is missing, too."""
        try:
            room = await self.room(card.payload["room"], word.who)
            if community.group(room.id) is None:
                self._previewed(community, room, card.payload["visibility"], UserId(card.payload["who"]))
        except GiveUp as error:
            await self._tell(community, card, of_error(error), f".{word.event}")
            raise
        return room

    async def _rejected(self, community: Community, card: Card, word: Word) -> Sequence[Line]:
        if SUGGESTED in card.payload:
            values = {"whom": card.payload["who"], "name": HIDDEN}
            deed = f"{word.event}.{card.id}"
            what = "suggestion_rejected"
            done = Deed(deed, card.space, word.who, what, word.door, now_ms(), values, word.reason)
            await self.audit.record(community, done)
        name = strong(card.payload["name"])
        why = line("suggestion.no_why", name=name, reason=word.reason)
        await self._tell(community, card, why if word.reason else line("suggestion.no", name=name))
        return (_line("adopt.rejected", card, word.who),)

    async def _tell(self, community: Community, card: Card, told: Line, step: str = "") -> None:
        """Tell who has suggested it; whoever asked as an admin reads it on the card."""
        if SUGGESTED not in card.payload:
            return
        place = Place(RoomId(card.payload[SUGGESTED]), EventId(card.payload["event"]))
        who, language = UserId(card.payload["who"]), community.settings.language
        notes, transaction = Notes(self.communities, self.cards.replies), f"adoption.{card.id}{step}"
        try:
            await notes.give(who, language, (told,), place, transaction)
        except GiveUp as error:
            log.info("who suggested a room could not be told: %s", error)

    async def _record(self, community: Community, room: RoomId, card: Card, word: Word) -> None:
        group = community.group(room)
        hidden = group is not None and group.visibility is Visibility.HIDDEN
        values = {"name": HIDDEN if hidden else card.payload["name"]}
        deed = f"{word.event}.{card.id}"
        done = Deed(deed, card.space, word.who, "group_adopted", word.door, now_ms(), values)
        await self.audit.record(community, done)

    async def lapse(self, card: Card) -> Sequence[Line]:
        """See `plugin.cards.Dealer`."""
        community = (await self.communities.intent()).communities.get(card.space)
        if community is not None:
            await self._tell(community, card, _line("adopt.lapsed", card))
        return (_line("adopt.lapsed", card),)


def _how(card: Card) -> Line:
    return line("adopt.how", id=card.id)


def _line(key: str, card: Card, by: UserId | None = None) -> Line:
    values: dict[str, Value] = {
        "name": strong(card.payload["name"]),
        "who": person(UserId(card.payload["who"])),
    }
    return Line(key, values if by is None else {**values, "by": person(by)})


def _aliases(room: Room) -> set[object]:
    content = room.content("m.room.canonical_alias")
    more = content.get("alt_aliases")
    return {content.get("alias"), *(more if isinstance(more, list) else ())} - {None, ""}

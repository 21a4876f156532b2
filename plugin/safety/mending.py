"""Offers to put back what the bot last wrote down of a community, where somebody has damaged it by hand in the space.

Such a community can be neither asked nor told anything, so this is the one card that is dealt without it. What stood there before is
read from the room: no database has to be there for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from haven.errors import Invalid, Missing
from haven.ids import EventId, RoomId, UserId
from haven.intent import read_intent
from haven.mending import damaged_record, is_readable, with_record
from haven.model import Community
from haven.permissions import Right
from haven.ports import Content, StateEvent
from haven.snapshot import Room, called
from haven.stateevents import COMMUNITY

from ..audit import Audit, Deed, Door
from ..cards import Card, Cards, Word, new_id
from ..clock import Clock
from ..durations import MINUTE
from ..notices import admins_room
from ..rights import require
from ..rounds import Rounds, one_by_one
from ..service.communities import Communities
from ..timers import Timer, Timers
from ..wording import Line, line, person

KIND = "mending"
APPROVE, REJECT = "approve", "reject"

BACK = 30
"""How many earlier records are looked at."""


class ReadsBefore(Protocol):
    """``GET /rooms/{room}/event/{event}``: ``unsigned.replaces_state``, and the event that it names."""

    async def state_before(self, room: RoomId, event: EventId) -> StateEvent | None:
        """The state event in whose place another has come, ``None`` where there was none. Raises `Missing` where it cannot be seen."""


@dataclass(slots=True)
class Mending:
    """Implements `plugin.cards.Dealer`, and notices what needs mending by `run`; `noticed` wakes it."""

    communities: Communities
    homeserver: ReadsBefore
    cards: Cards
    timers: Timers
    audit: Audit
    clock: Clock
    _rounds: Rounds = field(init=False)

    def __post_init__(self) -> None:
        self._rounds = Rounds(self.clock)
        self.timers.rings[KIND] = self._remembered

    async def noticed(self, room: RoomId) -> None:
        """Something may have changed in a room."""
        seen = self.communities.rooms.world.get(room)
        if seen is not None and seen.is_space:
            self._rounds.mark(room)

    async def run(self) -> None:
        """Look at spaces that have changed, until cancelled."""
        await self._rounds.run(self._look_at)

    async def _look_at(self, touched: frozenset[RoomId]) -> None:
        await one_by_one(touched, self.look, "mending what was written down of a community")

    async def look(self, space: RoomId) -> None:
        """Offer to mend a space that is damaged, once for each damage; take the offer back where it is mended. Raises `TryLater`."""
        world, bot = await self.communities.rooms.observe(), self.communities.loop.actors.bot
        damage = damaged_record(world[space], bot) if space in world else None
        for card in await self.cards.open(KIND, space):
            if damage is None or card.key != damage.event:
                await self.cards.withdraw(card, await self.lapse(card))
        admins = admins_room(space, world, bot) if damage else None
        if damage is None or admins is None or await self._is_known(space, damage):
            return
        if await self._before(space, damage.event) is not None:
            about = {"by": str(damage.sender), "name": called(world[space])}
            await self.cards.put(Card(new_id(), KIND, space, damage.event, about, admins))

    async def _is_known(self, space: RoomId, damage: StateEvent) -> bool:
        return await self.cards.store.was_asked(KIND, space, damage.event)

    async def _before(self, space: RoomId, event: EventId) -> Content | None:
        """What the bot last wrote down, before that event; ``None`` where that cannot be found."""
        bot = self.communities.loop.actors.bot
        for _ in range(BACK):
            try:
                before = await self.homeserver.state_before(space, event)
            except Missing:
                return None
            if before is None:
                return None
            if before.sender == bot and is_readable(before.content):
                return before.content
            event = before.event
        return None

    @property
    def choices(self) -> Mapping[str, str]:
        """See `plugin.cards.Dealer`."""
        return {"\N{WHITE HEAVY CHECK MARK}": APPROVE, "\N{CROSS MARK}": REJECT}

    async def lines(self, card: Card) -> Sequence[Line]:
        """See `plugin.cards.Dealer`."""
        return (_about(card), line("mending.how"))

    async def decide(self, card: Card, word: Word) -> Sequence[Line]:
        """See `plugin.cards.Dealer`. Who decides must be one who could repair the community, if it were as before."""
        rooms, bot = self.communities.rooms, self.communities.loop.actors.bot
        rooms.doubt((card.space,))
        space = (await rooms.observe()).get(card.space)
        damage = damaged_record(space, bot) if space else None
        if space is None or damage is None or damage.event != card.key:
            return (_about(card), line("mending.mended"))
        content = await self._before(card.space, damage.event)
        if content is None:
            raise Invalid("mending_lost")
        community = self._as_before(space, content)
        require(rooms.world, community, word.who, Right.REPAIR)
        if word.choice == REJECT:
            return (_about(card), line("mending.rejected", by=person(word.who)))
        wanted = {"space": str(card.space), "who": str(word.who), "door": word.door.value}
        await self.timers.set(KIND, card.id, self.timers.epoch() + MINUTE, wanted)
        await self.communities.loop.hands.send_state(card.space, COMMUNITY, "", content)
        await self._note(card.id, wanted)
        await self.timers.cancel(KIND, card.id)
        self.communities.unfinished(card.space)
        return (_about(card), line("mending.done", by=person(word.who)))

    async def _remembered(self, timer: Timer) -> None:
        """An earlier life was about to mend a record: it is written down if that came to be."""
        if RoomId(timer.payload["space"]) in (await self.communities.intent()).communities:
            await self._note(timer.key, timer.payload)

    async def _note(self, card: str, wanted: Mapping[str, str]) -> None:
        space, who, door = RoomId(wanted["space"]), UserId(wanted["who"]), Door(wanted["door"])
        await self.audit.keep(Deed(f"{card}.mended", space, who, "record_mended", door, self.timers.epoch()))

    def _as_before(self, space: Room, content: Content) -> Community:
        """The community as it would be. Raises `Missing` where there would be none."""
        actors = self.communities.loop.actors
        world = with_record(self.communities.rooms.world, space, content, actors.bot)
        found = read_intent(world, actors, space.id).communities.get(space.id)
        if found is None:
            raise Missing("community_missing")
        return found

    async def lapse(self, card: Card) -> Sequence[Line]:
        """See `plugin.cards.Dealer`."""
        return (_about(card), line("mending.mended"))


def _about(card: Card) -> Line:
    return line("mending.card", by=person(UserId(card.payload["by"])), name=card.payload["name"])

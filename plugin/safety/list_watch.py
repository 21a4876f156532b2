"""Follows ban lists: whenever a list or the people of a community change, whoever is named is banned, and whoever is not any more let in again.

Many at once, and people with a role, are left to the admins (`plugin.safety.list_cards`). What was set about is stored before, so that
the audit log tells of each ban once, whenever we die.
"""

import asyncio
import logging
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from haven.banlists import (
    BANLISTS,
    BanLists,
    Findings,
    Law,
    Watched,
    findings,
    is_staff,
    marked,
    plain_reason,
)
from haven.errors import Invalid
from haven.guards import Bounds
from haven.ids import RoomId, UserId
from haven.model import Community
from haven.policies import PATTERNS_LIMIT, Rule
from haven.reconcile import Outcome
from haven.snapshot import World, called

from ..audit import Audit, Deed, Door
from ..cards import Card, Cards
from ..clock import Clock
from ..concerns import Concern
from ..durations import HOUR, MINUTE
from ..notices import Notices
from ..rounds import Rounds, one_by_one
from ..service.communities import Communities
from ..timers import Timer, Timers
from .expulsion_cards import MANY
from .lists import Lists
from .own_list import OwnList

log = logging.getLogger("haven.lists")

LISTED = "listed"
"""The kind of the cards, and of the timers that write down what was done."""

LOOK = "banlists"
"""The kind of the timers after which we look again."""

STAFF, CROWD = "staff", "crowd"
"""Why people are left to the admins: they have a role, or they are many."""

MOST = 200
"""How many people one card is about; the others follow when it has been decided."""


@dataclass(frozen=True, slots=True)
class Act:
    """What is done because of lists. ``bans``: with the reason; ``id`` names it in the audit log; ``chosen``: somebody has decided it,
    so that it is done to people with a role as well.
    """

    id: str
    bans: Mapping[UserId, str]
    lifted: frozenset[UserId]
    by: UserId
    door: Door
    chosen: bool = False


@dataclass(slots=True)
class ListWatch:
    """Follows the lists of all communities, by `run`; `noticed` wakes it."""

    communities: Communities
    lists: Lists
    own: OwnList
    cards: Cards
    timers: Timers
    audit: Audit
    notices: Notices
    clock: Clock
    _locks: dict[RoomId, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    _tried: dict[RoomId, int] = field(default_factory=dict)
    _resting: dict[RoomId, int] = field(default_factory=dict)
    _rounds: Rounds = field(init=False)

    def __post_init__(self) -> None:
        self._rounds = Rounds(self.clock)
        self.timers.rings[LISTED] = self._remembered
        self.timers.rings[LOOK] = self._look_again

    async def noticed(self, room: RoomId) -> None:
        """Something may have changed in a room."""
        self._rounds.mark(room)

    async def run(self) -> None:
        """Look at what has changed, until cancelled."""
        await self._rounds.run(self._look_at)

    async def _look_at(self, touched: frozenset[RoomId]) -> None:
        """Look at every community it may concern. Raises `TryLater`."""
        world, intent = await self.communities.reading()
        about = {
            space: {space, *(group.room for group in community.groups), *self._lists_of(world, space)}
            for space, community in intent.communities.items()
        }
        spaces = [space for space, rooms in about.items() if rooms & touched]
        await one_by_one(spaces, self._looked, "following ban lists")

    async def _looked(self, space: RoomId) -> None:
        await self.look(space)

    def _lists_of(self, world: World, space: RoomId) -> frozenset[RoomId]:
        try:
            lists = self.lists.of(world, space)
        except Invalid:
            return frozenset()
        return frozenset(each.room for each in lists.watched) | ({lists.own} if lists.own else frozenset())

    async def look(self, space: RoomId) -> Findings:
        """Follow the lists of one community, alone; gives what they asked for. Raises `Missing`, `TryLater`."""
        async with self._locks[space]:
            world = await self.communities.rooms.observe()
            community = self.communities.must(world, space)
            if community.deactivated is not None or not _is_concerned(community, world):
                return Findings()
            try:
                law = await self.lists.law(space, world)
            except Invalid:
                await self.notices.report(space, LOOK, (_damaged(world, space),))
                return Findings()
            await self._tell(community, law, await self._missing(law.lists, world))
            found = await asyncio.to_thread(findings, community, law, world, self.communities.loop.actors)
            await self._follow(community, law, found)
            if await self.own.look(community, world, law.lists):
                await self.noticed(space)
            return found

    async def _missing(self, lists: BanLists, world: World) -> tuple[Watched, ...]:
        """The lists that we are not in, after we have tried to enter them, once an hour."""
        missing = tuple(each for each in lists.watched if each.room not in world)
        now = self.timers.epoch()
        for each in missing:
            if self._tried.get(each.room, 0) < now - HOUR:
                self._tried[each.room] = now
                try:
                    await self.lists.entered(each.room, each.via)
                    await self.noticed(each.room)
                except Invalid as error:
                    log.info("a ban list cannot be entered: %s", error)
        return missing

    async def _tell(self, community: Community, law: Law, missing: Iterable[Watched]) -> None:
        """Tell the admins of what keeps us from following a list, each once."""
        gone = [Concern("concern.list_gone", {"room": each.room}) for each in missing]
        one_each = {rule.list: rule for rule in reversed(law.too_wide)}
        wide = [
            Concern("concern.list_too_wide", {"room": law.readable[room], "entity": rule.entity or "#"})
            for room, rule in one_each.items()
        ]
        crowded = [
            Concern("concern.list_crowded", {"room": law.readable[room], "limit": PATTERNS_LIMIT})
            for room in law.crowded
        ]
        await self.notices.report(community.space, LOOK, (*gone, *wide, *crowded))

    async def _follow(self, community: Community, law: Law, found: Findings) -> None:
        """Do what may be done without asking, and ask about the rest."""
        space = community.space
        if self._resting.get(space, 0) > self.timers.epoch():
            return
        open_cards = await self._current(community, law)
        asked = {who for card in open_cards for who in people_on(card)}
        new = {who: rule for who, rule in found.banned.items() if who not in asked}
        if len(new) > MANY:
            await self._ask(space, CROWD, CROWD, law, dict(list(new.items())[:MOST]))
            new = {}
        for who, rule in found.staff.items():
            if who not in asked:
                await self._ask(space, f"{STAFF} {who}", STAFF, law, {who: rule})
        if new or found.lifted:
            bans = {who: law.reason(rule) for who, rule in new.items()}
            bot = self.communities.loop.actors.bot
            await self.carry_out(space, Act(secrets.token_hex(8), bans, found.lifted, bot, Door.LIST))

    async def _ask(self, space: RoomId, key: str, why: str, law: Law, people: Mapping[UserId, Rule]) -> None:
        """Leave people to the admins; a crowd that waits already grows."""
        payload = {
            "why": why,
            "people": " ".join(people),
            "reasons": "\x1f".join(plain_reason(law.reason(rule)) for rule in people.values()),
        }
        card = await self.cards.deal(LISTED, space, key, payload)
        grown = tuple(who for who in people if who not in people_on(card))
        if grown and len(people_on(card)) < MOST:
            more = {name: f"{card.payload[name]}{by}{payload[name]}" for name, by in _JOINED.items()}
            await self.cards.revise(card, {**card.payload, **more})

    async def _current(self, community: Community, law: Law) -> tuple[Card, ...]:
        """The open cards that still ask about somebody; the others are withdrawn."""
        kept: list[Card] = []
        for card in await self.cards.open(LISTED, community.space):
            named = [who for who in people_on(card) if who not in community.banned and law.on(who)]
            if named:
                kept.append(card)
            else:
                await self.cards.withdraw(card, await self.cards.dealers[LISTED].lapse(card))
        return tuple(kept)

    async def carry_out(self, space: RoomId, act: Act) -> Outcome:
        """Ban and let in again, in the space first and then everywhere. Twice is as good as once. Raises `Missing`, `TryLater`."""
        people = {"bans": " ".join(sorted(act.bans)), "lifted": " ".join(sorted(act.lifted))}
        payload = {"space": space, "by": act.by, "door": act.door.value, **people}
        await self.timers.set(LISTED, act.id, self.timers.epoch() + MINUTE, payload)
        most = max(self.communities.removals, len(act.bans))
        outcome = await self.communities.change(
            space, lambda now: _meant(now, act), bounds=replace(Bounds(), removals=most)
        )
        await self._note(outcome.community, act.id, payload)
        await self.timers.cancel(LISTED, act.id)
        self.communities.unfinished(space)  # sync is silent about what we have done ourselves
        if not outcome.in_step:
            self._resting[space] = self.timers.epoch() + MINUTE
            await self.timers.set(LOOK, space, self._resting[space])
        return outcome

    async def _remembered(self, timer: Timer) -> None:
        """An earlier life was about to do something: what of it is so now is written down."""
        communities = (await self.communities.intent()).communities
        space = RoomId(timer.payload["space"])
        if space in communities:
            await self._note(communities[space], timer.key, timer.payload)

    async def _look_again(self, timer: Timer) -> None:
        await self.noticed(RoomId(timer.key))

    async def _note(self, community: Community, act: str, payload: Mapping[str, str]) -> None:
        by, door, now = UserId(payload["by"]), Door(payload["door"]), self.timers.epoch()
        for who in map(UserId, payload["bans"].split()):
            reason = community.banned.get(who, "")
            if marked(reason):
                deed = Deed(
                    f"{act}.{who}",
                    community.space,
                    by,
                    "listed_ban",
                    door,
                    now,
                    {"whom": who},
                    plain_reason(reason),
                )
                await self.audit.keep(deed)
        for who in map(UserId, payload["lifted"].split()):
            if who not in community.banned:
                lifted = Deed(f"{act}.{who}", community.space, by, "listed_unban", door, now, {"whom": who})
                await self.audit.keep(lifted)


def _is_concerned(community: Community, world: World) -> bool:
    """Whether a community ever had to do with ban lists."""
    return bool(world[community.space].content(BANLISTS)) or any(map(marked, community.banned.values()))


_JOINED = {"people": " ", "reasons": "\x1f"}
"""How what a card knows of its people is strung together."""


def people_on(card: Card) -> tuple[UserId, ...]:
    """Whom a card is about."""
    return tuple(UserId(who) for who in card.payload["people"].split())


def _meant(community: Community, act: Act) -> Community:
    for who, reason in act.bans.items():
        if who not in community.banned and (act.chosen or not is_staff(community, who)):
            community = community.with_ban(who, reason)
    for who in act.lifted:
        if marked(community.banned.get(who, "")):
            community = community.without_ban(who)
    return community


def _damaged(world: World, space: RoomId) -> Concern:
    return Concern("concern.state_damaged", {"room": called(world[space]), "type": BANLISTS})

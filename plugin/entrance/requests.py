"""Brings knocks and codes before the admins, and does what they say: lets people in, or turns them away.

Who waits stands in the rooms: every look at a community makes a card of each knock that has none, and ends cards whose knock has gone.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import ClassVar

from haven.errors import GiveUp, HavenError, Invalid, Missing, NotAllowed
from haven.ids import EventId, RoomId, UserId
from haven.model import CodePolicy, Community, Kind
from haven.permissions import Right, has_right
from haven.ports import ReadsState
from haven.snapshot import PRESENT, Membership, World
from haven.succession import is_member, latest

from ..audit import Audit, Deed, Door
from ..cards import Card, Cards, Word
from ..durations import DAY
from ..replies import Replies
from ..rights import require
from ..rooms import MEMBER
from ..service.communities import Communities
from ..service.groups import shown_space
from ..store_arrivals import ArrivalStore
from ..timers import Timer, Timers
from ..wording import Line, code, line, of_error, person
from .invite import Invite, code_in
from .invites import Invites
from .request import (
    APPROVE,
    KIND,
    REJECT,
    Request,
    answered_elsewhere,
    asked,
    knocked,
    knocking,
    place,
    request_of,
    today,
)

log = logging.getLogger("haven.entrance")

PENDING = "request_word"
"""The kind of the timers of words that are being carried out: who dies over one takes it up again."""

PATIENCE = 30_000
"""Milliseconds after which a word that was not carried out to its end is taken up again."""

SHOWN_AT_ONCE = 25
"""How many cards of requests to one community are open at the same time; who else knocks waits in the list."""

A_DAY = 3
"""How often in a day somebody's request for the same room comes before the admins."""


@dataclass(slots=True)
class Requests:
    """The dealer of the cards of requests. ``epoch``: ms since the epoch, now."""

    communities: Communities
    cards: Cards
    timers: Timers
    audit: Audit
    replies: Replies
    invites: Invites
    arrivals: ArrivalStore
    homeserver: ReadsState
    epoch: Callable[[], int]
    choices: ClassVar[Mapping[str, str]] = {"✅": APPROVE, "❌": REJECT}

    def __post_init__(self) -> None:
        self.timers.rings[PENDING] = self._take_up

    # --- noticing -------------------------------------------------------------------------------------------

    async def look(self, community: Community, world: World) -> None:
        """End what has gone, and bring what is new before the admins. Raises `TryLater`."""
        open_cards = {card.key: card for card in await self.cards.open(KIND, community.space)}
        carried_out = {timer.key for timer in await self.timers.store.timers(PENDING)}
        waiting = 0
        for card in open_cards.values():
            gone = answered_elsewhere(card, community, world)
            waiting += gone is None
            if gone is not None and card.id not in carried_out:
                await self.cards.withdraw(card, (gone,))
        for room, who in knocking(community, world):
            if Request(who, room).key in open_cards:
                continue
            with suppress(GiveUp):
                waiting += await self._take(community, room, who, shown=waiting < SHOWN_AT_ONCE)

    async def carded(self, community: Community, world: World, who: UserId) -> None:
        """Bring what one person asks for before the admins now, however many wait."""
        for room, user in knocking(community, world):
            if user == who:
                await self._take(community, room, who, shown=True)

    async def _take(self, community: Community, room: RoomId, who: UserId, *, shown: bool) -> bool:
        """Deal with one knock; gives whether there is one more card now."""
        member = await self.homeserver.state_content(room, MEMBER, who)
        if member.get("membership") != Membership.KNOCKING:
            return False
        request = knocked(room, who, member)
        world = self.communities.rooms.world
        if today(community, room) != community.space and not is_member(world, community, who):
            await self._turn_away(community, request, self._text(community, "request.join_first"))
            return False
        told = member.get("reason")
        given = code_in(told) if isinstance(told, str) and today(community, room) == community.space else ""
        if given:
            return await self._take_code(community, request, given)
        if not shown:
            return False
        return await self._dealt(community, request)

    async def _take_code(self, community: Community, request: Request, given: str) -> bool:
        """A knock with a code: let in, brought before the admins, or turned away with what is wrong with the code."""
        try:
            invite, _ = await self.invites.redeem(given, request.who, community.space)
        except GiveUp as error:
            text = self.replies.wording(community.settings.language).text(of_error(error))
            await self._turn_away(community, request, text)
            return False
        if not await self.must_ask(community, invite, request.who):
            await self.invite(request)
            return False
        return await self._dealt(community, replace(request, invite=invite.id, invite_name=invite.name))

    async def ask(self, community: Community, request: Request) -> None:
        """Bring a request that was made in a chat before the admins. Raises `NotAllowed` for who asks too often."""
        if not await self._has_card(community, request) and await self._too_often(community, request):
            raise NotAllowed("request_too_often")
        await self.deal(community, request)

    async def ask_again(self, community: Community, request: Request) -> None:
        """Ask whether somebody who was put out may come back: once, unless the admins have said no to that, or many wait."""
        known = await self.arrivals.member(community.space, request.who)
        since = known.left if known and known.left else self.epoch()
        waiting = len(await self.cards.open(KIND, community.space))
        if waiting >= SHOWN_AT_ONCE or await self.arrivals.rejected(community.space, request.key, since):
            return
        if await self._has_card(community, request) or not await self._too_often(community, request):
            await self.deal(community, replace(request, reason="", put_out="yes"))

    async def _has_card(self, community: Community, request: Request) -> bool:
        return any(card.key == request.key for card in await self.cards.open(KIND, community.space))

    async def _too_often(self, community: Community, request: Request) -> bool:
        since = self.epoch() - DAY
        return await self.arrivals.asked_since(community.space, request.key, since) >= A_DAY

    async def _dealt(self, community: Community, request: Request) -> bool:
        """Have a card, unless they have asked too often."""
        if await self._too_often(community, request):
            await self._turn_away(community, request, self._text(community, "request.too_often"))
            return False
        await self.deal(community, request)
        return True

    async def deal(self, community: Community, request: Request) -> Card:
        """Bring a request before the admins, unless it is before them already. Raises `TryLater`."""
        days = community.settings.request_days
        expires = self.epoch() + days * DAY if days else 0
        return await self.cards.deal(KIND, community.space, request.key, request.payload, expires)

    async def must_ask(self, community: Community, invite: Invite, who: UserId) -> bool:
        """Whether somebody with a code waits for the admins: so says the invite or the community, all is closed, or
        they were sent away before.
        """
        if invite.approval or community.lockdown or community.settings.codes is CodePolicy.APPROVAL:
            return True
        held = self.communities.rooms.world[community.space].members.get(who)
        known = await self.arrivals.member(community.space, who)
        removed = held is Membership.REMOVED and known is not None and not known.own
        return removed or await self.arrivals.rejected(community.space, Request(who, community.space).key)

    # --- deciding -------------------------------------------------------------------------------------------

    async def lines(self, card: Card) -> Sequence[Line]:
        """See `plugin.cards.Dealer`."""
        community = await self._community(card)
        how = line("request.how", id=code(card.id))
        return (*asked(request_of(card), community), how)

    async def decide(self, card: Card, word: Word) -> Sequence[Line]:
        """See `plugin.cards.Dealer`."""
        community, request = await self._community(card), request_of(card)
        self.require(community, word.who, request.room)
        kept = {"choice": word.choice, "who": word.who, "door": word.door, "event": word.event}
        await self.timers.set(PENDING, card.id, self.epoch() + PATIENCE, {**kept, "reason": word.reason})
        try:
            said = await self._carried_out(community, card, request, word)
        except HavenError:
            await self.timers.cancel(PENDING, card.id)
            raise
        await self.timers.cancel(PENDING, card.id)
        return said

    def require(self, community: Community, user: UserId, room: RoomId) -> None:
        """Raise `NotAllowed` unless somebody may answer requests for a room."""
        require(self.communities.rooms.world, community, user, Right.APPROVE, community.group(room))

    async def _carried_out(
        self, community: Community, card: Card, request: Request, word: Word
    ) -> Sequence[Line]:
        await self._seen_anew(community, request.room)
        if word.choice == APPROVE:
            await self._let_in(community, request)
            what, said = "let_in", "request.let_in"
        else:
            text = word.reason or self._text(community, "request.turned_away_reason")
            await self._turn_away(community, request, text)
            what, said = "turned_away", "request.turned_away"
        room = place(community, community.group(request.room))
        values = {"whom": str(request.who), "room": room}
        deed = Deed(
            f"request.{card.id}", card.space, word.who, what, word.door, self.epoch(), values, word.reason
        )
        await self.audit.record(community, deed)
        await self._tell_chat(community, request, card, what)
        self.communities.unfinished(card.space)
        return (line(said, who=person(request.who), room=room, by=person(word.who)),)

    async def _seen_anew(self, community: Community, room: RoomId) -> None:
        """Read a group anew; the space has just been read with the community. Raises `Missing` where we are in it no more."""
        now = self._now(room)
        if now != community.space:
            self.communities.rooms.doubt((room, now))
            await self.communities.rooms.observe()
        if now not in self.communities.rooms.world:
            raise Missing("group_gone")

    def _now(self, room: RoomId) -> RoomId:
        """Where a room is today: it may have been upgraded since somebody knocked there."""
        return latest(self.communities.rooms.world, room, self.communities.loop.actors.bot)

    async def _let_in(self, community: Community, request: Request) -> None:
        world = self.communities.rooms.world
        room = self._now(request.room)
        held = world[room].members.get(request.who)
        if held in PRESENT:
            return
        if held is Membership.BANNED:
            raise Invalid("request_banned", who=request.who)
        waits = Membership.KNOCKING in (held, world[request.room].members.get(request.who))
        if not waits and request.knocks:
            raise Invalid("request_gone", who=request.who)
        if room != community.space and not is_member(world, community, request.who):
            raise Invalid("request_not_member", who=request.who)
        await self.invite(request)

    async def invite(self, request: Request) -> None:
        """Invite whoever a request is of."""
        hands, world, room = (
            self.communities.loop.hands,
            self.communities.rooms.world,
            self._now(request.room),
        )
        await self.replies.patiently(lambda: hands.invite(room, request.who))
        if room != request.room and world[request.room].members.get(request.who) is Membership.KNOCKING:
            await self.replies.patiently(lambda: hands.kick(request.room, request.who))

    async def _turn_away(self, community: Community, request: Request, text: str) -> None:
        """Refuse a knock, or an invitation that was given meanwhile; whoever is in already stays."""
        hands, world = self.communities.loop.hands, self.communities.rooms.world
        room = world.get(request.room)
        if room is not None and room.members.get(request.who) is Membership.KNOCKING:
            await self.replies.patiently(lambda: hands.kick(request.room, request.who, text))
        if request.invite:
            await self.invites.store.release(request.invite, request.who)

    async def _tell_chat(self, community: Community, request: Request, card: Card, what: str) -> None:
        """Tell who gave a code in a chat, which has no other way to show it."""
        if not request.chat:
            return
        name = shown_space(self.communities.rooms.world, community)
        told = line("join.let_in", name=name) if what == "let_in" else line("join.turned_away", name=name)
        with suppress(GiveUp):
            await self.replies.tell(
                RoomId(request.chat), community.settings.language, (told,), f"card.{card.id}.chat"
            )

    async def lapse(self, card: Card) -> Sequence[Line]:
        """See `plugin.cards.Dealer`."""
        community, request = await self._community(card), request_of(card)
        await self._turn_away(community, request, self._text(community, "request.lapsed_reason"))
        await self._tell_chat(community, request, card, "lapsed")
        return (line("request.lapsed", who=person(request.who)),)

    async def _take_up(self, timer: Timer) -> None:
        """A word that an earlier life did not carry out to its end."""
        card, kept = await self.cards.store.card(timer.key), timer.payload
        if card is None or card.decided:
            return
        word = Word(
            kept["choice"],
            UserId(kept["who"]),
            Door(kept["door"]),
            EventId(kept["event"]),
            kept.get("reason", ""),
        )
        with suppress(Invalid):
            await self.cards.decide(card, word)

    async def _community(self, card: Card) -> Community:
        return await self.communities.fresh(card.space)

    def _text(self, community: Community, key: str) -> str:
        return self.replies.wording(community.settings.language).text(line(key, name=community.name))


def may_answer(community: Community, user: UserId) -> bool:
    """Whether somebody may answer requests for any room of a community. That they are a member is for the caller to know."""
    groups = (group for group in community.groups if group.kind is Kind.GROUP)
    return has_right(community, user, Right.APPROVE) or any(
        has_right(community, user, Right.APPROVE, group) for group in groups
    )

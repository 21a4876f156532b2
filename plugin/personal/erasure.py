"""Erases what is kept of one person. Each step can be done again, so whoever dies over it begins anew."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from haven.errors import NotAllowed
from haven.ids import UserId
from haven.model import Community, Role
from haven.snapshot import Membership

from ..audit import SOMEBODY, Audit, Deed, Door
from ..cards import Card, Cards
from ..entrance.arrivals import Arrivals
from ..safety.reporters import Reporters
from ..safety.reports import REPORT, reporters, withdrawn
from ..service.communities import Communities
from ..store_arrivals import GONE, trace_of
from ..store_personal import PersonalStore, Row, stands_in, without
from ..timers import Timer, Timers
from .facts import Facts, facts_of
from .inventory import (
    ARRIVAL,
    CARD,
    CARDS,
    DEED,
    HELD,
    INVITE,
    OWN_KEYS,
    REDEMPTION,
    TIMER,
    TIMERS,
    Erased,
    Theirs,
)

SCRUB = "scrub"
"""The kind of the timer that scrubs the database, once what asked for it is forgotten as well."""

SOON = 10_000
"""Milliseconds until then."""

UNNAMED = "…"
"""What stands for an id in the middle of a text."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """Erases. What others of us were still writing down meanwhile is erased as well, before the database is scrubbed."""

    communities: Communities
    store: PersonalStore
    cards: Cards
    timers: Timers
    arrivals: Arrivals
    audit: Audit
    reporters: Reporters
    _lately: set[UserId] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.timers.rings[SCRUB] = self._scrub

    async def facts(self, who: UserId) -> tuple[Facts, ...]:
        """What communities say of somebody. Raises `NotAllowed` for who owns one that is active, `TryLater`."""
        found = await self._found(who)
        own = [f.community.name for f in found if f.role is Role.OWNER and f.community.deactivated is None]
        if own:
            raise NotAllowed("erase_owner", communities=", ".join(own))
        return found

    async def _found(self, who: UserId) -> tuple[Facts, ...]:
        world, intent = await self.communities.reading()
        return facts_of(intent.communities.values(), world, who)

    async def carry_out(self, who: UserId, deed: str) -> None:
        """Erase it all, as ``deed`` (the command's event) asks. Raises as `facts`; done again it goes on from there."""
        facts = await self.facts(who)
        for card in await self.cards.open("", None):
            if is_own(card, who):
                await self.cards.lapse(card.id)
            elif card.kind == REPORT:
                await self._unreport(card, who)
        for one in facts:
            if one.has_role and not one.present and one.role is not Role.OWNER:
                await self.communities.change(one.community.space, lambda now: _without_role(now, who))
        await self._rows(who, facts)
        self._lately.add(who)
        for one in facts:
            if one.present:
                await self._note(one.community, deed)
        await self.timers.set(SCRUB, "", self.timers.epoch() + SOON)

    async def _rows(self, who: UserId, facts: tuple[Facts, ...]) -> None:
        await self._forget(who, facts)
        await self._nameless(who)
        self.arrivals.look_up_again()

    async def _unreport(self, card: Card, who: UserId) -> None:
        by = await self.reporters.digest(_room(card), who)
        if by in reporters(card):
            nobody = secrets.token_hex(8)
            await self.cards.revise(card, withdrawn(card, by, nobody))

    async def _note(self, community: Community, deed: str) -> None:
        space, now = community.space, self.timers.epoch()
        name = f"{deed}.erased.{space}"
        await self.audit.keep(Deed(name, space, UserId(SOMEBODY), "data_erased", Door.COMMAND, now))

    async def _forget(self, who: UserId, facts: tuple[Facts, ...]) -> None:
        """Delete what is of no use without them. What the rooms say is read there again as long as it stands in them."""
        held = {one.community.space for one in facts if one.role is not Role.MEMBER}
        present = {one.community.space for one in facts if one.present}
        removed = {one.community.space for one in facts if one.held is Membership.REMOVED}
        for row in await self.store.rows(HELD, who):
            if row["space"] not in held:
                await self.store.delete(HELD, row)
        for row in await self.store.rows(ARRIVAL, who):
            if row["space"] in present:
                continue
            if row["space"] in removed and not row["own"]:
                await self._traced(row, who)
            await self.store.delete(ARRIVAL, row)
        for row in await self.store.rows(TIMER, who):
            if TIMERS.get(row["kind"]) is Erased.FORGOTTEN:
                await self.store.delete(TIMER, row)

    async def _traced(self, row: Row, who: UserId) -> None:
        """That somebody was put out holds for as long as we would have known it."""
        trace = {**row, "who": trace_of(who)}
        await self.store.delete(ARRIVAL, trace)
        await self.store.rewrite(ARRIVAL, row, {"who": trace["who"]})

    async def _nameless(self, who: UserId) -> None:
        for row in await self.store.rows(REDEMPTION, who):
            await self.store.rewrite(REDEMPTION, row, {"who": GONE + secrets.token_hex(8)})
        for row in await self.store.rows(INVITE, who):
            made_by = SOMEBODY if row["made_by"] == who else row["made_by"]
            await self.store.rewrite(
                INVITE, row, {"name": without(row["name"], who, UNNAMED), "made_by": made_by}
            )
        for row in await self.store.rows(CARD, who):
            if row["decided"]:
                about = without(row["about"], who, trace_of(who))
                await self.store.rewrite(CARD, row, {"about": about, "payload": "{}"})
        for row in await self.store.rows(DEED, who):
            await self.store.rewrite(DEED, row, _deed(row, who))

    async def _scrub(self, timer: Timer) -> None:
        for who in tuple(self._lately):
            await self._rows(who, await self._found(who))
            self._lately.discard(who)
        await self.store.scrub()


def is_own(card: Card, who: UserId) -> bool:
    """Whether a card asks for something that somebody wants for themselves."""
    own = CARDS.get(card.kind) is Theirs.TAKEN_BACK
    return own and any(card.payload.get(name) == who for name in OWN_KEYS)


def _room(card: Card) -> Any:
    return card.payload["room"]


def _without_role(community: Community, who: UserId) -> Community:
    """The same community in which somebody is a member like others, and nobody in particular in any room."""
    successor = None if community.successor == who else community.successor
    community = replace(community.with_role(who, Role.MEMBER), successor=successor)
    for group in community.groups:
        if who in group.exceptions:
            others = {user: role for user, role in group.exceptions.items() if user != who}
            community = community.with_group(replace(group, exceptions=others))
    return community


def _deed(row: Row, who: UserId) -> Mapping[str, object]:
    """What a deed says when it says no more who: what they gave as their reason goes as well.

    Deeds that one message tells go on having one name for it.
    """
    unnamed, own = GONE + secrets.token_hex(8), row["who"] == who
    message = row["told"]
    details = {name: _unnamed(value, who) for name, value in json.loads(row["details"]).items()}
    return {
        "id": without(row["id"], who, unnamed),
        "told": trace_of(message) if stands_in(message, who) else message,
        "who": SOMEBODY if own else row["who"],
        "details": json.dumps(details, sort_keys=True),
        "why": "" if own else without(row["why"], who, UNNAMED),
    }


def _unnamed(value: str, who: UserId) -> str:
    return SOMEBODY if value == who else without(value, who, UNNAMED)

"""Which ban lists a community watches: kept in its space, entered by the bot, and read as one law."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from operator import is_
from typing import Protocol

from haven.banlists import (
    BANLISTS,
    LISTS_LIMIT,
    SPARED_LIMIT,
    BanLists,
    Law,
    Watched,
    banlists_content,
    law_of,
    read_banlists,
)
from haven.errors import GiveUp, Invalid, Missing
from haven.ids import RoomId, UserId, server_of
from haven.model import Community
from haven.policies import is_list
from haven.ports import Joins
from haven.snapshot import Room, World, called
from haven.stateevents import GROUP

from ..addresses import alias_in, room_in, servers_in
from ..audit import Audit, Deed, Door
from ..service.communities import Communities

VIA_LIMIT = 5


class ResolvesAliases(Protocol):
    """``GET /directory/room/{alias}``."""

    async def resolve(self, alias: str) -> tuple[RoomId, tuple[str, ...]]:
        """The room that an alias means, and servers to find it by. Raises `Missing` where there is none."""


class Enters(Joins, ResolvesAliases, Protocol):
    """What it takes to read a list."""


@dataclass(frozen=True, slots=True)
class Named:
    """The room that a word means, and whether it is watched."""

    room: RoomId
    watched: bool


Change = Callable[[BanLists], BanLists]


@dataclass(slots=True)
class Lists:
    """The ban lists of all communities. ``epoch``: ms since the epoch, now."""

    communities: Communities
    homeserver: Enters
    audit: Audit
    epoch: Callable[[], int]
    _locks: dict[RoomId, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    _laws: dict[RoomId, tuple[tuple[Room | None, ...], Law]] = field(default_factory=dict)

    def of(self, world: World, space: RoomId) -> BanLists:
        """What the space says. Raises `Invalid` where that is damaged."""
        return read_banlists(world[space].content(BANLISTS))

    async def law(self, space: RoomId, world: World) -> Law:
        """What the lists of a community say now; read beside the loop, and again only where one of them has changed."""
        lists, actors = self.of(world, space), self.communities.loop.actors
        seen = tuple(world.get(each.room) for each in lists.watched)
        kept = self._laws.get(space)
        if kept is None or kept[1].lists != lists or not all(map(is_, kept[0], seen)):
            kept = self._laws[space] = (seen, await asyncio.to_thread(law_of, lists, world, actors))
        return kept[1]

    async def edit(self, space: RoomId, change: Change) -> BanLists:
        """Change what a space says, which is read anew first. Raises `Missing`, `Invalid` and what ``change`` raises, `TryLater`."""
        async with self._locks[space]:
            rooms = self.communities.rooms
            if space in rooms.world:
                rooms.doubt((space,))
            world = await rooms.observe()
            if space not in world:
                raise Missing("community_missing")
            before = world[space].content(BANLISTS)
            lists = change(read_banlists(before))
            after = banlists_content(lists, before)
            if lists != read_banlists(before):
                await self.communities.loop.hands.send_state(space, BANLISTS, "", after)
            return lists

    async def watch(self, community: Community, word: str, who: UserId) -> Room:
        """Watch the list that a word means; twice is as good as once.

        Raises `Invalid` where there is none, where we may not enter it, where it is the community's own, or where there are too many.
        """
        room, via = await self._meant(word, who)
        if room == self.of(self.communities.rooms.world, community.space).own:
            raise Invalid("list_own")
        seen = await self.entered(room, via)
        servers = tuple(dict.fromkeys((*via, *seen.servers())))[:VIA_LIMIT]
        await self.edit(community.space, lambda lists: _with(lists, Watched(room, who, servers)))
        return seen

    async def named(self, community: Community, word: str, who: UserId) -> Named:
        """The list that a word means: one that is watched by its id, name or alias, any other by id or alias. Raises `Invalid`, `Missing`."""
        world = self.communities.rooms.world
        lists = self.of(world, community.space)
        watched = self._watched(lists, world, word)
        if watched is None and room_in(word) is None and not alias_in(word):
            raise Missing("list_unwatched", room=word[:100])
        room = watched or (await self._meant(word, who))[0]
        return Named(room, lists.watching(room) is not None)

    async def unwatch(self, community: Community, room: RoomId) -> str:
        """Watch a list no more, and leave its room if nobody else needs us there; gives its name."""
        world = self.communities.rooms.world
        name = called(world[room]) if room in world else room
        await self.edit(
            community.space, lambda now: replace(now, watched=tuple(w for w in now.watched if w.room != room))
        )
        await self._let_go(room)
        return name

    async def pardon(
        self, space: RoomId, people: Iterable[UserId], by: UserId, *, door: Door, deed: str
    ) -> tuple[UserId, ...]:
        """Leave these alone whatever the lists say, and write that down; gives whom a list does name. Twice is as good as once.

        Raises `Invalid` where there are too many, `TryLater`.
        """
        world = await self.communities.rooms.observe()
        if space not in world:
            return ()
        law = await self.law(space, world)
        named = tuple(who for who in people if law.names(who) is not None)
        if named:
            await self.edit(space, lambda lists: _sparing(lists, named))
        for who in named:
            spared = Deed(f"{deed}.spared.{who}", space, by, "list_spared", door, self.epoch(), {"whom": who})
            await self.audit.keep(spared)
        return named

    def _watched(self, lists: BanLists, world: World, word: str) -> RoomId | None:
        """The watched list that is called so, by its id, its name or its alias."""
        name, alias = word.strip().casefold(), alias_in(word)
        for each in lists.watched:
            seen = world.get(each.room)
            names = {called(seen).casefold(), seen.text("m.room.canonical_alias", "alias")} if seen else set()
            if each.room == room_in(word) or name in names or (alias and alias in names):
                return each.room
        return None

    async def _meant(self, word: str, who: UserId) -> tuple[RoomId, tuple[str, ...]]:
        room, alias = room_in(word), alias_in(word)
        if room is not None:
            return room, tuple(dict.fromkeys((*servers_in(word), server_of(who))))[:VIA_LIMIT]
        if not alias:
            raise Invalid("list_what", room=word[:100])
        try:
            found, servers = await self.homeserver.resolve(alias)
        except GiveUp:
            raise Missing("list_alias", room=alias[:100]) from None
        return found, servers[:VIA_LIMIT]

    async def entered(self, room: RoomId, via: tuple[str, ...]) -> Room:
        """A list as it is, entered if we were not in it. What turns out to be none is left again.

        Raises `Invalid` where it is none, or we may not go there, `TryLater`.
        """
        rooms, bot = self.communities.rooms, self.communities.loop.actors.bot
        new = room not in rooms.world
        if new:
            await self._enter(room, via)
        rooms.doubt((room,))
        seen = (await rooms.observe()).get(room)
        if seen is None:
            raise Invalid("list_closed", bot=bot)
        if seen.is_space or (GROUP, "") in seen.state or not is_list(seen):
            if new:
                await self._leave(room)
            raise Invalid("list_none", room=called(seen))
        return seen

    async def _enter(self, room: RoomId, via: tuple[str, ...]) -> None:
        """Go into a list. Raises `Invalid` where we may not, `TryLater`."""
        try:
            await self.homeserver.join(room, via)
        except GiveUp:
            raise Invalid("list_closed", bot=self.communities.loop.actors.bot) from None
        await self.communities.rooms.look()

    async def _let_go(self, room: RoomId) -> None:
        """Leave a list that no community of ours watches or publishes."""
        world = self.communities.rooms.world
        spaces = (space for space in world.values() if space.content(BANLISTS))
        needed = any(_needs(space, room) for space in spaces)
        if room in world and not needed and is_list(world[room]) and (GROUP, "") not in world[room].state:
            await self._leave(room)

    async def _leave(self, room: RoomId) -> None:
        with suppress(GiveUp):
            await self.communities.loop.hands.leave(room)


def _needs(space: Room, room: RoomId) -> bool:
    """Whether a community may need us in a room; where we cannot read what it says, it may."""
    try:
        lists = read_banlists(space.content(BANLISTS))
    except Invalid:
        return True
    return lists.watching(room) is not None or lists.own == room


def _with(lists: BanLists, watched: Watched) -> BanLists:
    others = tuple(each for each in lists.watched if each.room != watched.room)
    if len(others) >= LISTS_LIMIT:
        raise Invalid("list_limit", limit=LISTS_LIMIT)
    known = lists.watching(watched.room)
    return lists if known else replace(lists, watched=tuple(sorted((*others, watched), key=lambda w: w.room)))


def _sparing(lists: BanLists, people: Iterable[UserId]) -> BanLists:
    spared = lists.spared | frozenset(people)
    if len(spared) > SPARED_LIMIT:
        raise Invalid("list_spared", limit=SPARED_LIMIT)
    return replace(lists, spared=spared)

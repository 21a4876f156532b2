"""Upgrading rooms: the new room is made and filled, takes the place of the old one, and everything that knew the old one follows."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from haven.errors import GiveUp, HavenError, Invalid, TryLater
from haven.ids import RoomId, RoomVersion
from haven.model import Community, Group, Kind
from haven.permissions import is_secret
from haven.plan import Plan
from haven.ports import Joins
from haven.reconcile import Outcome, Progress, apply
from haven.snapshot import Room, World
from haven.succession import ancestors, latest, led_to, predecessor
from haven.upgrade import Upgrade, checked_version, missing_power, next_steps, prepared

from ..addresses import room_link
from ..audit import HIDDEN, Audit, Deed, Door
from ..replies import Replies
from ..store import now_ms
from ..wording import Line, line, link
from .alias_moves import AliasMoves, NamesRooms
from .communities import Communities
from .groups import VIA_LIMIT, shown_space
from .work import Report, UpgradeJob

STAGES = 12
"""How often we look again before we say that somebody keeps changing the same things."""


class Upgrading(Joins, NamesRooms, Protocol):
    """What upgrading needs of a homeserver beside the hands."""

    async def room_versions(self) -> frozenset[RoomVersion]:
        """The versions a new room can have (spec: ``GET /capabilities``, ``m.room_versions``)."""


class MovesRows(Protocol):
    """Takes along what we keep of a room. Implemented by `plugin.store_moves.MoveStore`."""

    async def space_moved(self, old: RoomId, new: RoomId) -> None:
        """The space of a community is another now."""

    async def desk_moved(self, old: RoomId, new: RoomId) -> None:
        """The admins' room is another now."""


@dataclass(frozen=True, slots=True)
class Upgrades:
    """Carries out upgrades. ``show_cards``: shows open cards where they are to be; ``follow``: asks in who has to be."""

    communities: Communities
    homeserver: Upgrading
    moves: MovesRows
    replies: Replies
    audit: Audit
    aliases: AliasMoves
    show_cards: Callable[[], Awaitable[None]]
    follow: Callable[[Community], Awaitable[None]]

    async def checked(self, community: Community, group: Group | None, version: str) -> RoomVersion:
        """The version that a room can be brought into. Raises `Invalid` where it cannot be, or power is missing."""
        bot, known = self.communities.loop.actors.bot, await self.homeserver.room_versions()
        room = self.communities.rooms.world[group.room if group else community.space]
        wanted = checked_version(version, room, known)
        lack = missing_power(room, bot)
        if lack is not None:
            raise Invalid("adopt_power", room=lack.name, need=lack.need, have=lack.have, bot=bot)
        return wanted

    async def carry_out(self, work: UpgradeJob, report: Report, progress: Progress) -> Outcome:
        """Do it, or what is left of it. Raises `TryLater`, and `GiveUp` where it cannot be done."""
        async with self.communities.alone(work.space):
            await self._change_places(work, progress)
            await self._rows_follow(work)
            outcome = await self.communities.reconciled(work.space, progress)
        if any(isinstance(failure.error, TryLater) for failure in outcome.failures):
            return outcome
        community = outcome.community
        await self._aliases_follow(work)
        group = community.group(work.room)
        if group is not None and group.kind is Kind.ADMINS:
            await self.show_cards()
        await self.follow(community)
        await self._tell(community, work)
        await self._record(community, work)
        return outcome

    # --- changing places ------------------------------------------------------------------------------------

    async def _change_places(self, work: UpgradeJob, progress: Progress) -> None:
        """From the first request for the new room to the tombstone in the old one."""
        strange: set[RoomId] = set()
        try:
            await self._in_stages(work, progress, strange)
        finally:
            for room in strange:
                with suppress(HavenError):
                    await self.communities.loop.hands.leave(room)

    async def _in_stages(self, work: UpgradeJob, progress: Progress, strange: set[RoomId]) -> None:
        """``strange``: rooms that we enter on the way and that have nothing to do with it."""
        for _ in range(STAGES):
            upgrade = await self._upgrade(work)
            if upgrade is None:
                return
            world = await self._world(upgrade, strange)
            steps = next_steps(upgrade, world, self.communities.loop.actors)
            if steps and all(step.room == upgrade.old.id for step in steps):
                await self._rows_go_ahead(upgrade, world)
            plan = Plan(upgrade.community.space, steps)
            _, failures = await apply(
                plan, self.communities.loop.hands, self.communities.loop.clock, progress
            )
            for failure in failures:
                raise failure.error
        raise TryLater("unfinished")

    async def _upgrade(self, work: UpgradeJob) -> Upgrade | None:
        """What is to be upgraded now; nothing where the room has come to the version."""
        rooms, bot = self.communities.rooms, self.communities.loop.actors.bot
        rooms.doubt({latest(rooms.world, each, bot) for each in (work.space, work.room)})
        world = await rooms.observe()
        community = self.communities.must(world, work.space)
        old = world.get(latest(world, work.room, bot))
        if old is None:
            raise Invalid("group_gone")
        group = community.group(old.id)
        if group is None and old.id != community.space:
            raise Invalid("group_gone")
        if old.version.isdecimal() and int(old.version) >= int(work.version):
            return None
        body = self.replies.wording(community.settings.language).text(line("upgrade.tombstone"))
        return Upgrade(community, group, old, work.version, work.until, body)

    async def _world(self, upgrade: Upgrade, strange: set[RoomId]) -> World:
        """The rooms, with the one that somebody else has led to already, if we can enter it."""
        rooms, led = self.communities.rooms, led_to(upgrade.old)
        if led is None or led in rooms.world:
            return await rooms.observe()
        with suppress(GiveUp):
            await self.homeserver.join(led, upgrade.old.servers()[:VIA_LIMIT])
            await rooms.look()
        world = await rooms.observe()
        if led in world and predecessor(world[led]) != upgrade.old.id:
            strange.add(led)
        return world

    # --- what follows ---------------------------------------------------------------------------------------

    async def _rows_go_ahead(self, upgrade: Upgrade, world: World) -> None:
        """Before a space counts, all that we know of its people is there: nobody is taken for a newcomer."""
        new = prepared(upgrade, world, self.communities.loop.actors.bot)
        if upgrade.old.is_space and new is not None:
            await self.moves.space_moved(upgrade.old.id, new.id)

    async def _rows_follow(self, work: UpgradeJob) -> None:
        world, bot = await self.communities.rooms.observe(), self.communities.loop.actors.bot
        new = world.get(latest(world, work.room, bot))
        community = self.communities.must(world, work.space)
        for old in ancestors(world, new, bot) if new else ():
            if old.is_space:
                await self.moves.space_moved(old.id, community.space)
            elif (group := community.group(old.id)) and group.kind is Kind.ADMINS:
                await self.moves.desk_moved(old.id, group.room)

    async def _aliases_follow(self, work: UpgradeJob) -> None:
        world = self.communities.rooms.world
        new = latest(world, work.room, self.communities.loop.actors.bot)
        if new != work.room and work.room in world:
            await self.aliases.move(work.room, new)

    async def _tell(self, community: Community, work: UpgradeJob) -> None:
        """One notice where the people are: in the new room, or, of the space, in the announcements."""
        group, world = community.group(work.room), self.communities.rooms.world
        news = community.only(Kind.ANNOUNCEMENTS)
        place = group.room if group else news.room if news else None
        if place is None or place not in world:
            return
        said = (
            _of_room(world, work)
            if group
            else line("upgrade.space_moved", space=shown_space(world, community))
        )
        with suppress(HavenError):
            await self.replies.tell(
                place, community.settings.language, (said,), f"upgrade.{work.room}.{work.version}"
            )

    async def _record(self, community: Community, work: UpgradeJob) -> None:
        group = community.group(work.room)
        values = {"name": HIDDEN if group and is_secret(group) else work.name}
        deed = f"upgrade.{work.room}.{work.version}"
        done = Deed(
            deed,
            community.space,
            work.by,
            "upgraded",
            Door(work.door),
            now_ms(),
            {**values, "version": work.version},
        )
        await self.audit.record(community, done)


def _of_room(world: World, work: UpgradeJob) -> Line:
    old: Room | None = world.get(work.room)
    via = old.servers()[:VIA_LIMIT] if old else ()
    return line("upgrade.room_moved", old=link(work.name, room_link(work.room, via)), version=work.version)

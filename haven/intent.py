"""Reads out of the rooms which communities are meant: records, levels and links become `Community` values.

Only what we may believe counts: a room we made, or a record we wrote. Anything else that claims to belong to a community is
left alone and reported as a `Notice`; so is what is damaged.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from haven.desired import Actors
from haven.errors import HavenError
from haven.hierarchy import child_of, stated_order
from haven.ids import RoomId, UserId
from haven.lent import ROLES, lent_roles
from haven.measures import moved_mutes
from haven.model import Community, Former, Group, Kind, Link, Role
from haven.permissions import level_of, role_of_level
from haven.ports import Content
from haven.snapshot import Census, Membership, Room, World, called, census, described
from haven.stateevents import (
    BRIDGE,
    CHILD,
    COMMUNITY,
    ENCRYPTION,
    GROUP,
    HISTORY,
    LINK,
    RETENTION,
    CommunityRecord,
    LinkState,
    is_encrypted,
    read_community,
    read_group,
    read_history,
    read_link,
    read_retention,
    read_status,
)
from haven.succession import TOMBSTONE, formers, is_prepared, latest, led_to, replacement, with_departed
from haven.wishes import LOOK

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Notice:
    """Something in a room that we do not believe or cannot read. ``key`` names the sentence, ``event_type`` the event."""

    room: RoomId
    event_type: str
    key: str


@dataclass(frozen=True, slots=True)
class Intent:
    """The communities that are meant, by space, and what was left aside on the way."""

    communities: Mapping[RoomId, Community]
    notices: tuple[Notice, ...] = ()


def read_intent(world: World, actors: Actors, space: RoomId | None = None) -> Intent:
    """All communities of the world, or only the one of ``space``, or of what took its place. Never raises; what cannot be used
    becomes a notice.

    Takes time in proportion to the rooms of the communities read, if ``world`` is a `haven.snapshot.Census`.
    """
    reading = _Reading(census(world), actors)
    meant = latest(world, space, actors.bot) if space is not None else None
    rooms = world.values() if meant is None else (world[meant],) if meant in world else ()
    found: dict[RoomId, Community] = {}
    for each in sorted((room for room in rooms if room.is_space), key=lambda room: room.age):
        community = reading.community(each)
        if community is not None:
            found[each.id] = community
    if space is None:
        reading.report_strays()
    return Intent(found, tuple(reading.notices))


@dataclass(slots=True)
class _Reading:
    """What has been read so far."""

    world: Census
    actors: Actors
    seen: set[RoomId] = field(default_factory=set)
    notices: list[Notice] = field(default_factory=list)

    def community(self, space: Room) -> Community | None:
        if self._is_past(space) or is_prepared(self.world, space, self.actors.bot):
            return None
        record = self._record(space, COMMUNITY, read_community, believed=space.maker == self.actors.bot)
        if record is None:
            return None
        if self._is_twin(space):
            self._notice(space, COMMUNITY, "second_of_its_kind")
            return None
        owned = self._succeeded(space, replace(record, owner=self._owner(space, record)))
        groups, old = self._groups(space, record), formers(self.world, space, self.actors.bot)
        moved = {former.room: group.room for group in groups for former in group.former}
        hall = with_departed(self.world, space, old) if old else space
        meant = replace(owned, muted=moved_mutes(owned.muted, moved))
        links = tuple(link for link in self._links(space) if link.whole)
        found = _community(hall, meant, groups, old, self.actors.bridge)
        return replace(found, links=links, bridged=bool(links) or _has_live_bridge(space))

    def _is_past(self, room: Room) -> bool:
        """Whether another room has taken the place of this one; a tombstone that we do not believe is told of."""
        if led_to(room) is None:
            return False
        past = replacement(self.world, room, self.actors.bot) is not None
        if not past:
            self._notice(room, TOMBSTONE, "replaced_by_hand")
        return past

    def _owner(self, space: Room, record: CommunityRecord) -> UserId:
        """Who is owner. An admin can write the record, not take the owner's level: of what a hand wrote, the levels are witness.

        Where nobody has that level the owner gave it up, and the record is all there is.
        """
        if space.state[COMMUNITY, ""].sender == self.actors.bot:
            return record.owner
        levels, enough = space.power.users, level_of(Role.OWNER, space.version)
        witnessed = {user for user in levels if levels[user] >= enough and user not in space.creators}
        if not witnessed or record.owner in witnessed:
            return record.owner
        self._notice(space, COMMUNITY, "foreign")
        return min(witnessed)

    def _succeeded(self, space: Room, record: CommunityRecord) -> CommunityRecord:
        """The record with what only the owner decides as they decided it, and the successor in the place of one who left.

        What an admin wrote by hand names no successor and lets nothing rest.
        """
        if space.state[COMMUNITY, ""].sender not in {self.actors.bot, record.owner}:
            record = replace(record, successor=None, deactivated=None)
        if space.members.get(record.owner) is not Membership.LEFT:
            return record
        if record.successor and space.members.get(record.successor) is Membership.JOINED:
            return replace(record, owner=record.successor, successor=None)
        self._notice(space, COMMUNITY, "owner_left")
        return record

    def _groups(self, space: Room, record: CommunityRecord) -> list[Group]:
        """The rooms of a space. Where two claim a place that only one can have: the one the space names, else the elder."""
        named = {record.announcements, record.general, record.admins}
        spaces = (space.id, *(old.room for old in formers(self.world, space, self.actors.bot)))
        claims = [room for each in spaces for room in self.world.by_claim.get(each, ()) if not room.is_space]
        groups: list[Group] = []
        taken: set[str] = set()
        for room in sorted(claims, key=lambda room: room.id not in named):
            self.seen.add(room.id)
            if self._is_past(room) or is_prepared(self.world, room, self.actors.bot):
                continue
            group = self._group(room, space)
            if group is None:
                continue
            places = {f"slot {group.slot}"} if group.slot else set()
            places |= {group.kind} if group.kind is not Kind.GROUP else set()
            if places & taken:
                self._notice(room, GROUP, "second_of_its_kind")
                continue
            taken |= places
            groups.append(group)
        return sorted(groups, key=lambda group: self.world[group.room].age)

    def report_strays(self) -> None:
        """Rooms that claim to belong to what is no community of ours; of one that cannot be read its space tells already."""
        for room in self.world.values():
            if room.id in self.seen or room.is_space or (GROUP, "") not in room.state:
                continue
            record = self._record(room, GROUP, read_group, believed=room.maker == self.actors.bot)
            claimed = self.world.get(record.community) if record else None
            if record is not None and (claimed is None or (COMMUNITY, "") not in claimed.state):
                self._notice(room, GROUP, "unknown_community")

    def _record(
        self, room: Room, event_type: str, read: Callable[[Content], Record], *, believed: bool
    ) -> Record | None:
        """A record that we wrote, or that is ``believed`` whoever wrote it."""
        event = room.state.get((event_type, ""))
        if event is None or not event.content:
            return None
        if not believed and event.sender != self.actors.bot:
            self._notice(room, event_type, "foreign")
            return None
        try:
            return read(event.content)
        except HavenError as error:
            self._notice(room, event_type, error.key)
            return None

    def _is_twin(self, space: Room) -> bool:
        """Whether an interrupted founding made an elder space for the same slot."""
        same = (room for room in self.world.by_slot.get(space.slot, ()) if room.maker == self.actors.bot)
        return space.maker == self.actors.bot and next(same, space).id != space.id

    def _group(self, room: Room, space: Room) -> Group | None:
        """A room of a space. What a hand wrote counts only if the space knows the room: who adds rooms needs power there."""
        known = room.maker == self.actors.bot and (CHILD, room.id) in space.state
        record = self._record(room, GROUP, read_group, believed=known)
        if record is None:
            return None
        links, old = self._links(room), formers(self.world, room, self.actors.bot)
        return Group(
            room=room.id,
            kind=record.kind,
            name=called(room),
            slot=room.slot,
            topic=described(room),
            visibility=record.visibility,
            suggested=child_of(space, room.id, old).get("suggested") is True,
            exceptions=record.exceptions,
            lent=lent_roles(room.keyed(ROLES), self.actors.bridge, (link.key for link in links), record.kind),
            links=links,
            bridged=bool(links) or _has_live_bridge(room) or _is_asked(room),
            archived=record.archived,
            released=record.released,
            history=read_history(room.content(HISTORY)),
            retention=read_retention(room.content(RETENTION)),
            encrypted=is_encrypted(room.content(ENCRYPTION)),
            former=old,
        )

    def _links(self, room: Room) -> tuple[Link, ...]:
        links = []
        for event in room.keyed(LINK):
            try:
                link = read_link(event.content)
            except HavenError as error:
                self._notice(room, LINK, error.key)
                continue
            if link is not None and link.key == event.key:
                links.append(link)
        return tuple(links)

    def _notice(self, room: Room, event_type: str, key: str) -> None:
        self.notices.append(Notice(room.id, event_type, key))


def _is_asked(room: Room) -> bool:
    """Whether the bridge has a question to answer there: which chats there are."""
    return any(event.content for event in room.keyed(LOOK))


def _has_live_bridge(room: Room) -> bool:
    statuses = (read_status(event.content) for event in room.keyed(BRIDGE))
    return any(status is not None and status.state is not LinkState.UNLINKED for status in statuses)


def _community(
    space: Room,
    record: CommunityRecord,
    groups: list[Group],
    former: tuple[Former, ...],
    bridge: UserId | None,
) -> Community:
    expelled, members = space.expulsions, space.members
    return Community(
        space=space.id,
        name=called(space),
        owner=record.owner,
        slot=space.slot,
        description=described(space),
        roles=_roles(space, {record.owner, bridge}),
        groups=tuple(sorted(groups, key=lambda group: _place(space, group))),
        settings=record.settings,
        deactivated=record.deactivated,
        muted=record.muted,
        lockdown=record.lockdown,
        successor=record.successor,
        banned={user: how.reason for user, how in expelled.items() if members[user] is Membership.BANNED},
        removed={user: how.reason for user, how in expelled.items() if members[user] is Membership.REMOVED},
        left=space.with_membership(Membership.LEFT),
        former=former,
    )


def _place(space: Room, group: Group) -> tuple[str, int]:
    """Groups stand as the space orders them; those it does not list come last, in the order they were made."""
    order = stated_order(child_of(space, group.room, group.former))
    return order or "~", list(Kind).index(group.kind)


def _roles(space: Room, others: set[UserId | None]) -> dict[UserId, Role]:
    """Who is what by the levels of the space. The creators are no people of the community (the bot, or a bot before it), nor is the
    bridge.
    """
    nobody = space.creators | others
    roles = {user: role_of_level(level) for user, level in space.power.users.items() if user not in nobody}
    return {user: role for user, role in roles.items() if role is not Role.MEMBER}

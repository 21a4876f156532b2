"""What the rooms of a community should look like, each said in full or left alone where it is nobody's business.

A room that does not exist yet is called by a placeholder made from its slot; when it has been made, the placeholder gives way to
the room's id wherever it stands (`haven.plan.resolved`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from haven.doors import group_join_rule, space_join_rule
from haven.hierarchy import Servers, children, parents
from haven.ids import RoomId, RoomVersion, UserId, server_of
from haven.measures import MUTED_LEVEL
from haven.model import Community, Group, Kind, Release, Role, Visibility
from haven.permissions import (
    BOT_LEVEL,
    BRIDGE_LEVEL,
    COMMUNITY_ROLES,
    archive_frame,
    closed,
    is_muted,
    is_secret,
    level_of,
    role_in,
    room_frame,
    space_frame,
)
from haven.ports import Content
from haven.power import PowerLevels, creators_are_infinite
from haven.records import community_record, group_record, keeping
from haven.snapshot import Membership, Room, World, census
from haven.stateevents import COMMUNITY, GROUP, HISTORY, PARENT
from haven.succession import members, old_children, with_departed

PLACEHOLDER = "new:"


@dataclass(frozen=True, slots=True)
class Actors:
    """The accounts that work for Haven. ``version`` is given to new rooms; ``bridge`` is the bridge's bot, if there is one."""

    bot: UserId
    version: RoomVersion = RoomVersion("12")
    bridge: UserId | None = None


def placeholder(slot: str) -> RoomId:
    """What a room is called until it exists. Room ids begin with ``!``, so the two are never confused."""
    return RoomId(PLACEHOLDER + slot)


def is_placeholder(room: RoomId) -> bool:
    """Whether a room does not exist yet."""
    return room.startswith(PLACEHOLDER)


@dataclass(frozen=True, slots=True)
class Outside:
    """Who is not of the community any more; never the owner nor an account of ours.

    ``banned`` and ``removed`` with the reason. ``decided``: of whom the space says so already, so that rooms only follow.
    """

    banned: Mapping[UserId, str] = field(default_factory=dict)
    removed: Mapping[UserId, str] = field(default_factory=dict)
    left: frozenset[UserId] = frozenset()
    decided: frozenset[UserId] = frozenset()


@dataclass(frozen=True, slots=True)
class DesiredRoom:
    """One room as it should be.

    ``first``: state that is given where there is none and then left to people. ``state``: state that always holds, by type and
    key; empty content stands for "taken away" and is never written where nothing is. ``guests``: who should be present,
    unless they left; ``helpers``: accounts of ours that must be, even if they left; ``only``: if given, everybody who may
    be. ``newcomers``: invited at the moment the room is made. ``outside``: who was banned or put out, and who left;
    without it nobody is asked in or put out. ``last``: what is written when all the rest is done.
    """

    room: RoomId
    name: str
    slot: str
    version: RoomVersion
    power: PowerLevels
    topic: str = ""
    space: bool = False
    first: Mapping[tuple[str, str], Content] = field(default_factory=dict)
    state: Mapping[tuple[str, str], Content] = field(default_factory=dict)
    guests: frozenset[UserId] = frozenset()
    helpers: frozenset[UserId] = frozenset()
    only: frozenset[UserId] | None = None
    newcomers: tuple[UserId, ...] = ()
    last: Mapping[tuple[str, str], Content] = field(default_factory=dict)
    outside: Outside | None = None


def located(community: Community, world: World, actors: Actors) -> Community:
    """The community with every placeholder replaced by the room that was made for its slot, if there is one already.

    Where an interrupted founding made two, the older counts.
    """
    slots = census(world).by_slot

    def found(room: RoomId, slot: str) -> RoomId:
        made = (each.id for each in slots.get(slot, ()) if each.maker == actors.bot)
        return next(made, room) if is_placeholder(room) else room

    groups = tuple(replace(group, room=found(group.room, group.slot)) for group in community.groups)
    return replace(community, space=found(community.space, community.slot), groups=groups)


def desired_rooms(community: Community, world: World, actors: Actors) -> tuple[DesiredRoom, ...]:
    """Every room of the community as it should be, the space first."""
    if community.deactivated is not None:
        return _resting(community, world, actors)
    servers = Servers(world.get(community.space))
    meant = _with_leavers(community, world)
    outside = outside_of(meant, world, actors)
    rooms = (
        _released(meant, group, world)
        if group.released and group.room in world
        else replace(_desired_group(meant, group, world, actors, servers), outside=outside)
        for group in meant.groups
    )
    return (replace(_desired_space(meant, world, actors), outside=outside), *rooms)


def _resting(community: Community, world: World, actors: Actors) -> tuple[DesiredRoom, ...]:
    """A deactivated community: a closed space that lists nothing, and rooms of their own that still know where they belong."""
    rooms = (_ordinary(community, group, world) for group in community.groups if group.room in world)
    space = world.get(community.space)
    if space is None:
        return tuple(rooms)
    hall = DesiredRoom(
        room=space.id,
        name=community.name,
        slot=community.slot,
        version=space.version,
        power=space.power,
        topic=community.description,
        space=True,
        state={
            (COMMUNITY, ""): community_record(community, world),
            ("m.room.join_rules", ""): {"join_rule": "invite"},
            **_listed(community, world, actors),
        },
    )
    return (hall, *rooms)


def _released(community: Community, group: Group, world: World) -> DesiredRoom:
    """A room that leaves the community. Its record goes last: as long as it is there somebody knows what is to be done."""
    record = {(GROUP, ""): group_record(community, group, world)}
    ordinary = _ordinary(community, replace(group, archived=False), world)
    return replace(ordinary, state={**record, **ordinary.state}, last={(GROUP, ""): {}})


def _ordinary(community: Community, group: Group, world: World) -> DesiredRoom:
    """A room that lives on by itself: people, roles and faces stay as they are, it has no parent, and one comes in by invite.

    What was closed for a while is opened, unless it is an archive.
    """
    room = world[group.room]
    rule = room.content("m.room.join_rules")
    frame = _frame(replace(community, lockdown=None), group)
    users = {user: level for user, level in room.power.users.items() if level != MUTED_LEVEL}
    power = replace(
        room.power, users=users, users_default=frame.users_default, events_default=frame.events_default
    )
    leads_to_us = rule.get("join_rule") in {"restricted", "knock_restricted"}
    parent = room.content(PARENT, community.space)
    idle = {name: value for name, value in parent.items() if name not in {"via", "canonical"}}
    state: dict[tuple[str, str], Content] = {(PARENT, str(community.space)): idle}
    if leads_to_us:
        state["m.room.join_rules", ""] = {"join_rule": "invite"}
    return DesiredRoom(room.id, group.name, group.slot, room.version, power, group.topic, state=state)


def _with_leavers(community: Community, world: World) -> Community:
    """The community without those who leave together with a group: its members without a role who are in no other."""
    if not any(group.released is Release.REMOVE_MEMBERS for group in community.groups):
        return community
    groups = [each for each in community.groups if each.kind is Kind.GROUP and each.room in world]
    around = [(group, world[group.room].with_membership(Membership.JOINED)) for group in groups]
    taken = [people for group, people in around if group.released is Release.REMOVE_MEMBERS]
    kept = frozenset[UserId]().union(*(people for group, people in around if not group.released))
    space = world.get(community.space)
    members = space.with_membership(Membership.JOINED) if space and taken else frozenset[UserId]()
    leaving = members.intersection(frozenset[UserId]().union(*taken))
    leavers = leaving - kept - community.roles.keys() - {community.owner}
    gone = {user: "" for user in leavers if user not in community.banned}
    return replace(community, removed={**gone, **community.removed}) if gone else community


def outside_of(community: Community, world: World, actors: Actors) -> Outside:
    """Who is not of the community any more."""
    ours = {actors.bot, actors.bridge}
    space = world.get(community.space)
    members = with_departed(world, space, community.former).members if space else {}
    gone = {Membership.BANNED, Membership.REMOVED, Membership.LEFT}
    people = (*community.banned, *community.removed)
    return Outside(
        banned={user: reason for user, reason in community.banned.items() if user not in ours},
        removed={user: reason for user, reason in community.removed.items() if user not in ours},
        left=community.left - ours,
        decided=community.left | {user for user in people if members.get(user) in gone},
    )


def staff(community: Community) -> frozenset[UserId]:
    """Who sits in the admins' room: everybody with a role in the whole community."""
    return frozenset(
        {community.owner, *(user for user, role in community.roles.items() if role in COMMUNITY_ROLES)}
    )


def _version(room: RoomId, world: World, actors: Actors) -> RoomVersion:
    return world[room].version if room in world else actors.version


def _ruling(version: RoomVersion, room: Room | None, actors: Actors) -> RoomVersion:
    """The version whose levels hold in a room: where another made it, the bot is a user like any, and the owner stands below."""
    taken_in = room is not None and creators_are_infinite(version) and actors.bot not in room.infinite
    return LEVELLED if taken_in else version


LEVELLED = RoomVersion("11")
"""The last version in which everybody's power is a level."""


def _new_power(
    frame: PowerLevels, users: Mapping[UserId, int], version: RoomVersion, actors: Actors
) -> PowerLevels:
    """Levels with people in them. The bot stands among them only where the server itself would put it: before version 12."""
    people = {user: level for user, level in users.items() if user != actors.bot}
    if not creators_are_infinite(version):
        people[actors.bot] = BOT_LEVEL
    return replace(frame, users=people)


def _desired_space(community: Community, world: World, actors: Actors) -> DesiredRoom:
    version = _version(community.space, world, actors)
    roles = {**community.roles, community.owner: Role.OWNER}
    users = {user: level_of(role, version) for user, role in roles.items()}
    bridge = frozenset({actors.bridge} if community.bridged and actors.bridge else ())
    return DesiredRoom(
        room=community.space,
        name=community.name,
        slot=community.slot,
        version=version,
        power=_new_power(space_frame(), {**users, **dict.fromkeys(bridge, BRIDGE_LEVEL)}, version, actors),
        topic=community.description,
        space=True,
        first=_FIRST,
        state={
            ("m.room.join_rules", ""): space_join_rule(community),
            **_listed(community, world, actors),
            (COMMUNITY, ""): community_record(community, world),
        },
        guests=frozenset({community.owner}),
        helpers=bridge,
        newcomers=(community.owner,),
    )


def _desired_group(
    community: Community, group: Group, world: World, actors: Actors, servers: Servers
) -> DesiredRoom:
    """``servers``: those joined to the space; the same for all its rooms."""
    version = _ruling(_version(group.room, world, actors), world.get(group.room), actors)
    bridge = _bridge(community, group, actors)
    return DesiredRoom(
        room=group.room,
        name=group.name,
        slot=group.slot,
        version=version,
        power=_new_power(
            _frame(community, group),
            _levels(community, group, version, bridge if _has_work(community, group) else ()),
            version,
            actors,
        ),
        topic=group.topic,
        first=_GUESTS,
        state={
            (GROUP, ""): group_record(community, group, world),
            ("m.room.join_rules", ""): group_join_rule(community, group),
            **keeping(group, world),
            **parents(
                community.space, world.get(group.room), server_of(actors.bot), servers, community.former
            ),
        },
        guests=_staff_present(community, world) if group.kind is Kind.ADMINS else frozenset(),
        helpers=bridge,
        only=only_for(community, group, actors),
        newcomers=_newcomers(community, group),
    )


_GUESTS: Mapping[tuple[str, str], Content] = {("m.room.guest_access", ""): {"guest_access": "forbidden"}}
_FIRST: Mapping[tuple[str, str], Content] = {
    (HISTORY, ""): {"history_visibility": "joined"},
    **_GUESTS,
}


def _newcomers(community: Community, group: Group) -> tuple[UserId, ...]:
    if group.kind is Kind.ADMINS:
        return tuple(sorted(staff(community)))
    return (group.made_for,) if group.made_for and group.visibility is Visibility.HIDDEN else ()


def _levels(
    community: Community, group: Group, version: RoomVersion, bridge: Iterable[UserId]
) -> dict[UserId, int]:
    people = {community.owner, *community.roles, *group.exceptions, *group.lent}
    roles = {user: role_in(community, group, user) for user in people}
    levels = {user: level_of(role, version) for user, role in roles.items() if role is not Role.MEMBER}
    silent = [user for user in community.muted if is_muted(community, group, user)]
    return {**levels, **dict.fromkeys(silent, MUTED_LEVEL), **dict.fromkeys(bridge, BRIDGE_LEVEL)}


def _has_work(community: Community, group: Group) -> bool:
    """Whether the bridge does more in a room than tell: it is linked, or would be with the whole community; or it asks there."""
    return group.bridged or (community.bridged and not is_secret(group))


def _bridge(community: Community, group: Group, actors: Actors) -> frozenset[UserId]:
    """The bridge, in the rooms where it has work, and among the admins of a community that has such rooms: to tell what goes wrong."""
    has_work = _has_work(community, group) or (
        group.kind is Kind.ADMINS and any(other.bridged for other in community.groups)
    )
    return frozenset({actors.bridge} if has_work and actors.bridge else ())


def only_for(community: Community, group: Group, actors: Actors) -> frozenset[UserId] | None:
    """Who alone may be in a room, if it is not for everybody."""
    return (
        staff(community) | {actors.bot} | _bridge(community, group, actors)
        if group.kind is Kind.ADMINS
        else None
    )


def _staff_present(community: Community, world: World) -> frozenset[UserId]:
    """Those of the staff who are members: nobody is invited to the admins' room before they are one."""
    return staff(community) & members(world, community)


def _frame(community: Community, group: Group) -> PowerLevels:
    """The levels of a room without its users, closed where it is. The admins' room never is: there one decides what to do."""
    frame = room_frame(group.kind, community.settings)
    if group.archived:
        return archive_frame(frame)
    return closed(frame) if community.lockdown and group.kind is not Kind.ADMINS else frame


def _listed(community: Community, world: World, actors: Actors) -> dict[tuple[str, str], Content]:
    servers = {
        group.room: Servers(world.get(group.room), only_for(community, group, actors))
        for group in community.groups
    }
    space, home = world.get(community.space), server_of(actors.bot)
    return {**children(community, space, home, servers), **old_children(community, world, home)}

"""What the rooms of a community should look like, each said in full or left alone where it is nobody's business.

A room that does not exist yet is called by a placeholder made from its slot; when it has been made, the placeholder gives way to
the room's id wherever it stands (`haven.plan.resolved`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from haven.ids import RoomId, RoomVersion, UserId, server_of
from haven.model import Community, Group, JoinPolicy, Kind, Role, Visibility
from haven.permissions import (
    BOT_LEVEL,
    BRIDGE_LEVEL,
    COMMUNITY_ROLES,
    level_of,
    role_in,
    room_frame,
    space_frame,
)
from haven.ports import Content
from haven.power import PowerLevels, creators_are_infinite
from haven.snapshot import Membership, World, census
from haven.stateevents import (
    CHILD,
    COMMUNITY,
    GROUP,
    PARENT,
    CommunityRecord,
    GroupRecord,
    community_content,
    group_content,
)

PLACEHOLDER = "new:"
VIA_LIMIT = 3


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
    be. ``newcomers``: invited at the moment the room is made. ``outside``: who was banned or put out, and who left.
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
    outside: Outside = Outside()


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
    servers = _servers(community.space, world)
    rooms = (_desired_group(community, group, world, actors, servers) for group in community.groups)
    outside = _outside(community, world, actors)
    return tuple(
        replace(room, outside=outside) for room in (_desired_space(community, world, actors), *rooms)
    )


def _outside(community: Community, world: World, actors: Actors) -> Outside:
    ours = {actors.bot, actors.bridge}
    space = world.get(community.space)
    members = space.members if space else {}
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
    return DesiredRoom(
        room=community.space,
        name=community.name,
        slot=community.slot,
        version=version,
        power=_new_power(space_frame(), users, version, actors),
        topic=community.description,
        space=True,
        first=_FIRST,
        state={
            ("m.room.join_rules", ""): _space_join_rule(community.settings.join),
            **_children(community, world, actors),
            (COMMUNITY, ""): _community_record(community, world),
        },
        guests=frozenset({community.owner}),
        newcomers=(community.owner,),
    )


def _desired_group(
    community: Community, group: Group, world: World, actors: Actors, servers: tuple[str, ...]
) -> DesiredRoom:
    """``servers``: those joined to the space; the same for all its rooms."""
    version = _version(group.room, world, actors)
    bridge = _bridge(group, actors)
    return DesiredRoom(
        room=group.room,
        name=group.name,
        slot=group.slot,
        version=version,
        power=_new_power(
            room_frame(group.kind, community.settings),
            _levels(community, group, version, bridge),
            version,
            actors,
        ),
        topic=group.topic,
        first=_FIRST,
        state={
            (GROUP, ""): _group_record(community, group, world),
            ("m.room.join_rules", ""): _join_rule(community, group),
            **_parents(community, group, world, actors, servers),
        },
        guests=_staff_present(community, world) if group.kind is Kind.ADMINS else frozenset(),
        helpers=bridge,
        only=_only(community, group, actors),
        newcomers=_newcomers(community, group),
    )


_FIRST: Mapping[tuple[str, str], Content] = {
    ("m.room.history_visibility", ""): {"history_visibility": "joined"},
    ("m.room.guest_access", ""): {"guest_access": "forbidden"},
}


def _newcomers(community: Community, group: Group) -> tuple[UserId, ...]:
    if group.kind is Kind.ADMINS:
        return tuple(sorted(staff(community)))
    return (group.made_for,) if group.made_for and group.visibility is Visibility.HIDDEN else ()


def _levels(
    community: Community, group: Group, version: RoomVersion, bridge: Iterable[UserId]
) -> dict[UserId, int]:
    people = {community.owner, *community.roles, *group.exceptions}
    roles = {user: role_in(community, group, user) for user in people}
    levels = {user: level_of(role, version) for user, role in roles.items() if role is not Role.MEMBER}
    return {**levels, **dict.fromkeys(bridge, BRIDGE_LEVEL)}


def _bridge(group: Group, actors: Actors) -> frozenset[UserId]:
    return frozenset({actors.bridge} if group.bridged and actors.bridge else ())


def _only(community: Community, group: Group, actors: Actors) -> frozenset[UserId] | None:
    """Who alone may be in a room, if it is not for everybody."""
    return staff(community) | {actors.bot} | _bridge(group, actors) if group.kind is Kind.ADMINS else None


def _staff_present(community: Community, world: World) -> frozenset[UserId]:
    """Those of the staff who are in the space: nobody is invited to the admins' room before they are a member."""
    space = world.get(community.space)
    return staff(community) & space.with_membership(Membership.JOINED) if space else frozenset()


def _space_join_rule(policy: JoinPolicy) -> Content:
    return {
        "join_rule": {JoinPolicy.OPEN: "public", JoinPolicy.REQUEST: "knock", JoinPolicy.INVITE: "invite"}[
            policy
        ]
    }


def _join_rule(community: Community, group: Group) -> Content:
    if group.kind is Kind.ADMINS or group.visibility is Visibility.HIDDEN:
        return {"join_rule": "invite"}
    if group.visibility is Visibility.REQUEST:
        return {"join_rule": "knock"}
    return {"join_rule": "restricted", "allow": [{"type": "m.room_membership", "room_id": community.space}]}


def _children(community: Community, world: World, actors: Actors) -> dict[tuple[str, str], Content]:
    children: dict[tuple[str, str], Content] = {}
    for place, group in enumerate(community.groups):
        key = (CHILD, str(group.room))
        hidden = group.kind is not Kind.ADMINS and group.visibility is Visibility.HIDDEN
        children[key] = {} if hidden else _child(community, group, place, world, actors)
    return children


def _child(community: Community, group: Group, place: int, world: World, actors: Actors) -> Content:
    space = world.get(community.space)
    before = space.content(CHILD, group.room) if space else {}
    return {
        **before,
        "via": _via(_servers(group.room, world, _only(community, group, actors)), before, actors),
        "order": stated_order(before) or f"{place:04d}",
        "suggested": group.suggested if before.get("via") else _suggested(group),
    }


def stated_order(child: Content) -> str:
    """The ``order`` of a child; "" where it says none that counts (spec: ``m.space.child``, ASCII 0x20 to 0x7E, at most 50)."""
    order = child.get("order")
    counts = isinstance(order, str) and len(order) <= 50 and order.isascii() and order.isprintable()
    return str(order) if counts else ""


def _parents(
    community: Community, group: Group, world: World, actors: Actors, servers: tuple[str, ...]
) -> dict[tuple[str, str], Content]:
    """The space as the one canonical parent; parents that people added stay, but are not canonical."""
    room = world.get(group.room)
    before = room.content(PARENT, community.space) if room else {}
    ours = {**before, "via": _via(servers, before, actors), "canonical": True}
    others = {event.key: event.content for event in room.keyed(PARENT)} if room else {}
    rivals = {
        key: {**said, "canonical": False} for key, said in others.items() if said.get("canonical") is True
    }
    return {(PARENT, key): content for key, content in {**rivals, community.space: ours}.items()}


def _suggested(group: Group) -> bool:
    return group.suggested or group.kind in {Kind.ANNOUNCEMENTS, Kind.GENERAL}


def _servers(room: RoomId, world: World, only: frozenset[UserId] | None = None) -> tuple[str, ...]:
    return world[room].servers(only) if room in world else ()


def _via(servers: tuple[str, ...], before: Content, actors: Actors) -> list[str]:
    """Up to three of the ``servers`` joined to a room, to find it by. What is stated stays while it is true, so that joins
    write nothing.

    The bot's own is always one of them: a restricted join can only be granted by a server with somebody who may invite.
    """
    home = server_of(actors.bot)
    stated = before.get("via")
    true = isinstance(stated, list) and home in stated and all(server in servers for server in stated)
    if isinstance(stated, list) and true and len(stated) >= min(VIA_LIMIT, len(servers)):
        return stated
    return [home, *(server for server in servers if server != home)][:VIA_LIMIT]


def _community_record(community: Community, world: World) -> Content:
    space = world.get(community.space)
    record = CommunityRecord(
        name=community.name,
        owner=community.owner,
        announcements=_room_of(community, Kind.ANNOUNCEMENTS),
        general=_room_of(community, Kind.GENERAL),
        admins=_room_of(community, Kind.ADMINS),
        settings=community.settings,
        deactivated=community.deactivated,
    )
    return community_content(record, space.content(COMMUNITY) if space else {})


def _room_of(community: Community, kind: Kind) -> RoomId | None:
    group = community.only(kind)
    return group.room if group else None


def _group_record(community: Community, group: Group, world: World) -> Content:
    room = world.get(group.room)
    record = GroupRecord(community.space, group.kind, group.visibility, group.exceptions)
    return group_content(record, room.content(GROUP) if room else {})

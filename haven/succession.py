"""Which room has taken the place of which: followed along tombstones that are believed, and never along others.

Source: client-server API, "Room upgrades": the old room's ``m.room.tombstone`` names its ``replacement_room``, whose
``m.room.create`` names the old room as ``predecessor``. Both are asked for, and that the new room is ours: made by the bot, or with a
record that the bot wrote. Who can write a tombstone can thus not lead a community into a room of their own.

The tombstone is the one moment from which the new room counts; before it the new room is only being prepared.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from haven.hierarchy import old_child
from haven.ids import RoomId, UserId, is_ghost
from haven.model import Community, Former, Group, Kind, Visibility
from haven.ports import Content
from haven.snapshot import Membership, Room, World
from haven.stateevents import CHILD, COMMUNITY, GROUP

TOMBSTONE = "m.room.tombstone"
UNTIL = "chat.haven.until"
"""In the content of a tombstone of ours: until when (ms since the epoch) the old room stays in the list."""

KEPT_FOR = 7 * 24 * 3_600_000
"""How long, in ms, an old room stays in the list where its tombstone does not say."""


def record_type(room: Room) -> str:
    """The type of the record that says what a room is to a community."""
    return COMMUNITY if room.is_space else GROUP


def predecessor(room: Room) -> RoomId | None:
    """The room that a room says it replaces."""
    said = room.content("m.room.create").get("predecessor")
    named = said.get("room_id") if isinstance(said, Mapping) else None
    return RoomId(named) if isinstance(named, str) and named else None


def led_to(room: Room) -> RoomId | None:
    """Where the tombstone of a room leads, believed or not."""
    named = room.content(TOMBSTONE).get("replacement_room")
    return RoomId(named) if isinstance(named, str) and named else None


def replacement(world: World, room: Room, bot: UserId) -> Room | None:
    """The room that has taken the place of ``room``, if there is one that we believe."""
    new = world.get(led_to(room) or RoomId(""))
    if new is None or predecessor(new) != room.id or new.is_space != room.is_space:
        return None
    record = new.state.get((record_type(new), ""))
    ours = new.maker == bot or (record is not None and record.sender == bot)
    return new if ours else None


def is_prepared(world: World, room: Room, bot: UserId) -> bool:
    """Whether a room is still on its way to take the place of another that is in use."""
    old = world.get(predecessor(room) or RoomId(""))
    if old is None or not old.content(record_type(old)):
        return False
    heir = replacement(world, old, bot)
    return heir is None or heir.id != room.id


def latest(world: World, room: RoomId, bot: UserId) -> RoomId:
    """Where a room is today: itself, or what took its place, however often that happened."""
    seen: set[RoomId] = set()
    while room in world and room not in seen:
        seen.add(room)
        new = replacement(world, world[room], bot)
        if new is None:
            return room
        room = new.id
    return room


def ancestors(world: World, room: Room, bot: UserId) -> Iterator[Room]:
    """The rooms whose place a room has taken, the last one first."""
    seen = {room.id}
    while True:
        old = world.get(predecessor(room) or RoomId(""))
        if old is None or old.id in seen:
            return
        heir = replacement(world, old, bot)
        if heir is None or heir.id != room.id:
            return
        seen.add(old.id)
        yield old
        room = old


def formers(world: World, room: Room, bot: UserId) -> tuple[Former, ...]:
    """Those of them that still say what they were to the community, the last one first."""
    return tuple(
        Former(old.id, _until(old)) for old in ancestors(world, room, bot) if old.content(record_type(old))
    )


def _until(old: Room) -> int:
    event = old.state[TOMBSTONE, ""]
    said = event.content.get(UNTIL)
    return said if isinstance(said, int) and not isinstance(said, bool) else event.at + KEPT_FOR


def tombstone(new: RoomId, until: int, body: str) -> Content:
    """``m.room.tombstone``. ``body``: what people read."""
    return {"body": body, "replacement_room": new, UNTIL: until}


def members(world: World, community: Community) -> frozenset[UserId]:
    """Who is in a community: joined to its space, or to the one before it and not yet gone over."""
    space = world.get(community.space)
    if space is None:
        return frozenset()
    joined = space.with_membership(Membership.JOINED)
    for old in community.former:
        if old.room in world and not old.overdue:
            joined |= {user for user in _joined(world, old.room) if space.members.get(user) in _ON_THE_WAY}
    return joined


_ON_THE_WAY = (None, Membership.INVITED)


def with_departed(world: World, space: Room, former: Iterable[Former]) -> Room:
    """The space as if those had never gone over who left the one before it, or were put out or banned there."""
    people, expelled = dict(space.members), dict(space.expulsions)
    for old in former:
        room = world.get(old.room)
        for user, held in room.members.items() if room else ():
            if user not in people and held in _GONE:
                people[user] = held
                expelled |= {user: room.expulsions[user]} if room and user in room.expulsions else {}
    return replace(space, members=people, expulsions=expelled)


_GONE = frozenset({Membership.LEFT, Membership.REMOVED, Membership.BANNED})


def is_member(world: World, community: Community, user: UserId) -> bool:
    """Whether somebody is one of `members`."""
    space = world.get(community.space)
    if space is None:
        return False
    held = space.members.get(user)
    if held is Membership.JOINED or held not in _ON_THE_WAY:
        return held is Membership.JOINED
    olds = (old for old in community.former if old.room in world and not old.overdue)
    return any(world[old.room].members.get(user) is Membership.JOINED for old in olds)


def _joined(world: World, room: RoomId) -> frozenset[UserId]:
    return world[room].with_membership(Membership.JOINED) if room in world else frozenset()


def left_behind(community: Community, group: Group | None, world: World) -> frozenset[UserId]:
    """Who was in an old room and would be outside if it went: neither in the new one nor asked in, and no open door leads there.

    ``group``: whose old rooms; the space's where it is ``None``. People of other networks are the bridge's affair.
    """
    room = world.get(group.room if group else community.space)
    old = group.former if group else community.former
    if room is None or not old:
        return frozenset()
    around = frozenset[UserId]().union(*(_joined(world, each.room) for each in old))
    open_to = members(world, community) if group and _is_open(group) else frozenset[UserId]()
    gone = community.banned.keys() | community.removed.keys() | community.left
    return frozenset(
        user for user in around - open_to - gone if user not in room.members and not is_ghost(user)
    )


def _is_open(group: Group) -> bool:
    return group.kind is not Kind.ADMINS and group.visibility is Visibility.OPEN


def is_over(former: Former, community: Community, group: Group | None, world: World) -> bool:
    """Whether an old room has served its time: nobody needs it any more, or too long has gone by."""
    return former.overdue or (former.over and not left_behind(community, group, world))


def old_children(community: Community, world: World, home: str) -> dict[tuple[str, str], Content]:
    """Old rooms stay in the list for a while, below all others, where the new one is in it."""
    space = world.get(community.space)
    listed: dict[tuple[str, str], Content] = {}
    for group in community.groups if space else ():
        away = group.archived or group.released or community.deactivated is not None
        hidden = group.kind is not Kind.ADMINS and group.visibility is Visibility.HIDDEN
        for old in group.former:
            kept = not (away or hidden or is_over(old, community, group, world))
            listed[CHILD, str(old.room)] = old_child(space, old.room, (home,)) if space and kept else {}
    return listed

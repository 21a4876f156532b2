"""Desired minus actual: the ordered changes that bring the rooms of a community in step, touching only what we manage.

Order: rooms are made, then the space says what is meant, then the rooms follow, and removals come last.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from haven.changes import REMOVALS, Abandon, Change, CreateRoom, Remove, SetState
from haven.desired import (
    Actors,
    DesiredRoom,
    desired_rooms,
    is_placeholder,
    located,
)
from haven.ids import RoomId, UserId
from haven.model import Community
from haven.past import old_rooms
from haven.people import people_changes
from haven.ports import Content, NewRoom, StateEvent
from haven.reach import POWER, Obstacle, Reach
from haven.snapshot import Census, Membership, Room, World, called, census, described
from haven.stateevents import CHILD, RECORDS, SLOT

__all__ = ["POWER", "Obstacle", "Plan", "plan_for", "resolved", "resolved_content", "topic_content"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done, in order, and what cannot be done. An empty plan means: all is as it is meant.

    ``space`` speaks before the other rooms: it holds what is meant, so that a crash after it loses nothing.
    """

    space: RoomId
    changes: tuple[Change, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()

    @property
    def removals(self) -> tuple[Change, ...]:
        """The changes that take something away from somebody."""
        return tuple(change for change in self.changes if isinstance(change, REMOVALS))

    def __bool__(self) -> bool:
        return bool(self.changes)


def plan_for(community: Community, world: World, actors: Actors) -> Plan:
    """What brings the rooms of ``community`` from ``world`` to what is meant."""
    known = census(world)
    meant = located(community, known, actors)
    creations: list[Change] = []
    wanted: list[Change] = []
    obstacles: list[Obstacle] = []
    for desired in (*desired_rooms(meant, known, actors), *old_rooms(meant, known, actors)):
        if is_placeholder(desired.room):
            creations.append(CreateRoom(desired.room, _new_room(desired)))
            wanted.extend(_after_creation(desired))
        elif desired.room in known:
            possible, impossible = _steps(desired, known[desired.room], actors)
            wanted.extend(possible)
            obstacles.extend(impossible)
    wanted.extend(_twins(meant, known, actors))
    settled = (change for change in wanted if not isinstance(change, REMOVALS) and not is_last(change))
    endings = (change for change in wanted if is_last(change))
    removals = _largest_first((c for c in wanted if isinstance(c, REMOVALS)), meant.space, known)
    return Plan(meant.space, (*creations, *settled, *removals, *endings), tuple(obstacles))


def is_last(change: Change) -> bool:
    """Whether a change says that all the rest is done."""
    return isinstance(change, SetState) and change.last


def _largest_first(removals: Iterable[Change], space: RoomId, world: World) -> list[Change]:
    """The space comes first, so that nobody walks back into a room; then the rooms in which most people are."""

    def order(change: Change) -> tuple[bool, int]:
        return change.room != space, -sizes[change.room]

    ordered = list(removals)
    rooms = {change.room for change in ordered}
    sizes = {room: len(world[room].with_membership(Membership.JOINED)) for room in rooms}
    return sorted(ordered, key=order)


def _new_room(desired: DesiredRoom) -> NewRoom:
    """A room with everything it can have before the rooms after it exist."""
    state = {**desired.first, **desired.state}
    early = _without_placeholders if desired.space else dict
    now = {place: early(content) for place, content in state.items() if place[0] != CHILD}
    return NewRoom(
        name=desired.name,
        version=desired.version,
        topic=desired.topic,
        creation={SLOT: desired.slot, **({"type": "m.space"} if desired.space else {})},
        state=tuple(StateEvent(kind, key, UserId(""), content) for (kind, key), content in now.items()),
        power=desired.power.content(),
        invite=desired.newcomers,
    )


def _after_creation(desired: DesiredRoom) -> Iterator[Change]:
    """What a new space can only say once its rooms have ids."""
    for (kind, key), content in desired.state.items():
        if content and desired.space and (kind == CHILD or content != _without_placeholders(content)):
            yield SetState(desired.room, desired.name, kind, key, content)


def _without_placeholders(content: Content) -> Content:
    return {name: value for name, value in content.items() if not is_placeholder(RoomId(str(value)))}


def _steps(
    desired: DesiredRoom, room: Room, actors: Actors
) -> tuple[tuple[Change, ...], tuple[Obstacle, ...]]:
    """What has to change in a room, and what should but cannot."""
    reach = Reach(room, room.power, room.power_of(actors.bot), actors.bot, room.infinite)
    judged = [(change, reach.obstacle(change)) for change in _differences(desired, reach)]
    impossible = [obstacle for _, obstacle in judged if obstacle is not None]
    impossible.extend(reach.equals(desired.power))
    return tuple(change for change, obstacle in judged if obstacle is None), tuple(impossible)


def _differences(desired: DesiredRoom, reach: Reach) -> Iterator[Change]:
    """The record comes first: it says what is meant, so that a crash after it loses nothing."""
    room = reach.room
    missing = {place: content for place, content in desired.first.items() if place not in room.state}
    state = [
        SetState(room.id, desired.name, kind, key, content)
        for (kind, key), content in {**missing, **desired.state}.items()
        if content != room.content(kind, key)
    ]
    yield from (change for change in state if change.type in RECORDS)
    levels = reach.adjusted(desired.power)
    if levels.content() != reach.power.content():
        detail = _level_changes(reach.power.users, levels.users)
        yield SetState(room.id, desired.name, POWER, "", levels.content(), detail)
    if desired.name != called(room):
        yield SetState(room.id, desired.name, "m.room.name", "", {"name": desired.name})
    if desired.topic != described(room):
        yield SetState(room.id, desired.name, "m.room.topic", "", topic_content(desired.topic))
    yield from (change for change in state if change.type not in RECORDS)
    yield from people_changes(desired, room, reach.bot)
    for (kind, key), content in desired.last.items():
        if content != room.content(kind, key):
            yield SetState(room.id, desired.name, kind, key, content, last=True)


def topic_content(topic: str) -> Content:
    """``m.room.topic`` with its rich form (MSC3765)."""
    return {"topic": topic, "m.topic": {"m.text": [{"body": topic}]}}


def _level_changes(before: Mapping[UserId, int], after: Mapping[UserId, int]) -> str:
    people = sorted({*before, *after})
    moved = ((user, before.get(user, 0), after.get(user, 0)) for user in people)
    return ", ".join(f"{user} {old} → {new}" for user, old, new in moved if old != new)


def _twins(community: Community, world: Census, actors: Actors) -> Iterator[Change]:
    """Rooms that were made again for a slot that had its room already, and in which nobody has joined but the bot."""
    slots = {community.slot: community.space, **{group.slot: group.room for group in community.groups}}
    for slot, kept in slots.items():
        for room in world.by_slot.get(slot, ()) if kept in world else ():
            younger = room.age > world[kept].age
            if (
                younger
                and room.maker == actors.bot
                and room.with_membership(Membership.JOINED) <= {actors.bot}
            ):
                invited = sorted(room.with_membership(Membership.INVITED))
                yield from (Remove(room.id, called(room), user) for user in invited)
                yield Abandon(room.id, called(room))


def resolved_content(content: Content, made: Mapping[str, RoomId]) -> Content:
    """The content of an event with every placeholder that has become a room replaced by the room's id."""
    return {str(resolved(key, made)): resolved(value, made) for key, value in content.items()}


def resolved(value: object, made: Mapping[str, RoomId]) -> object:
    """JSON with every placeholder that has become a room replaced by the room's id, keys included."""
    if isinstance(value, str):
        return made.get(value, value)
    if isinstance(value, Mapping):
        return {str(resolved(key, made)): resolved(item, made) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [resolved(item, made) for item in value]
    return value

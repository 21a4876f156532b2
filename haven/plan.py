"""Desired minus actual: the ordered changes that bring the rooms of a community in step, touching only what we manage.

Order: rooms are made, then the space says what is meant, then the rooms follow, and removals come last.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from haven.changes import REMOVALS, Abandon, Change, CreateRoom, Invite, Remove, SetState
from haven.desired import (
    Actors,
    DesiredRoom,
    desired_rooms,
    is_placeholder,
    located,
    missing_guests,
    surplus_guests,
)
from haven.ids import RoomId, UserId
from haven.model import Community
from haven.ports import Content, NewRoom, StateEvent
from haven.power import PowerLevels
from haven.snapshot import Membership, Room, World, called, described
from haven.stateevents import CHILD, SLOT

POWER = "m.room.power_levels"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Something that should change but that the bot may not do: ``need`` and ``have`` are power levels."""

    room: RoomId
    name: str
    type: str
    need: int
    have: int


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
    meant = located(community, world, actors)
    creations: list[Change] = []
    settled: list[Change] = []
    removals: list[Change] = []
    obstacles: list[Obstacle] = []
    for desired in desired_rooms(meant, world, actors):
        if is_placeholder(desired.room):
            creations.append(CreateRoom(desired.room, _new_room(desired)))
            settled.extend(_after_creation(desired))
        elif desired.room in world:
            wanted = tuple(_differences(desired, world[desired.room], actors))
            obstacles.extend(_obstacles(wanted, world[desired.room], actors))
            possible = [change for change in wanted if _obstacle(change, world[desired.room], actors) is None]
            settled.extend(change for change in possible if not isinstance(change, REMOVALS))
            removals.extend(change for change in possible if isinstance(change, REMOVALS))
    removals.extend(_twins(meant, world, actors))
    return Plan(meant.space, (*creations, *settled, *removals), tuple(obstacles))


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


def _differences(desired: DesiredRoom, room: Room, actors: Actors) -> Iterator[Change]:
    levels = adjusted_levels(desired.power, room, actors)
    if levels.content() != room.power.content():
        detail = _level_changes(room.power.users, levels.users)
        yield SetState(room.id, desired.name, POWER, "", levels.content(), detail)
    if desired.name != called(room):
        yield SetState(room.id, desired.name, "m.room.name", "", {"name": desired.name})
    if desired.topic != described(room):
        yield SetState(room.id, desired.name, "m.room.topic", "", topic_content(desired.topic))
    for (kind, key), content in desired.state.items():
        if content != room.content(kind, key):
            yield SetState(room.id, desired.name, kind, key, content)
    for user in missing_guests(desired, room):
        yield Invite(room.id, desired.name, user)
    for user in surplus_guests(desired, room):
        yield Remove(room.id, desired.name, user)


def topic_content(topic: str) -> Content:
    """``m.room.topic`` with its rich form (MSC3765)."""
    return {"topic": topic, "m.topic": {"m.text": [{"body": topic}]}}


def adjusted_levels(wanted: PowerLevels, room: Room, actors: Actors) -> PowerLevels:
    """``wanted`` as it can stand in ``room``.

    Kept as they are: the bot and the creators themselves, whoever the bot does not outrank, people who were silenced
    (below zero), levels of event types that are none of ours, and fields that we do not know.
    """
    actual = room.power
    own = room.power_of(actors.bot)
    fixed = room.creators | {actors.bot}
    carried = {u: at for u, at in actual.users.items() if u in fixed or at >= own or at < 0}
    given = {u: at for u, at in wanted.users.items() if u not in fixed and u not in carried}
    others = {kind: at for kind, at in actual.events.items() if not kind.startswith("chat.haven.")}
    return replace(
        wanted,
        users={**given, **carried},
        events={**others, **wanted.events},
        extra={**wanted.extra, **actual.extra},
    )


def _level_changes(before: Mapping[UserId, int], after: Mapping[UserId, int]) -> str:
    people = sorted({*before, *after})
    moved = ((user, before.get(user, 0), after.get(user, 0)) for user in people)
    return ", ".join(f"{user} {old} → {new}" for user, old, new in moved if old != new)


def _obstacles(changes: Iterable[Change], room: Room, actors: Actors) -> Iterator[Obstacle]:
    for change in changes:
        obstacle = _obstacle(change, room, actors)
        if obstacle is not None:
            yield obstacle


def _obstacle(change: Change, room: Room, actors: Actors) -> Obstacle | None:
    """What keeps the bot from a change, if anything: the level it lacks (spec: authorization rules)."""
    need, what = _needed(change, room)
    have = room.power_of(actors.bot)
    if have >= need:
        return None
    return Obstacle(room.id, called(room), what, int(need), int(have))


def _needed(change: Change, room: Room) -> tuple[float, str]:
    power = room.power
    if isinstance(change, SetState):
        return power.for_state(change.type), change.type
    if isinstance(change, Invite):
        return power.invite, "invite"
    if isinstance(change, Remove):
        return max(power.kick, room.power_of(change.user) + 1), "kick"
    return 0, ""


def _twins(community: Community, world: World, actors: Actors) -> Iterator[Change]:
    """Rooms that were made a second time for a slot, in which nobody has joined but the bot."""
    slots = {community.slot: community.space, **{group.slot: group.room for group in community.groups}}
    for room in sorted(world.values(), key=lambda each: each.id):
        if not room.slot or slots.get(room.slot, room.id) == room.id or actors.bot not in room.creators:
            continue
        if room.with_membership(Membership.JOINED) <= {actors.bot}:
            yield from (
                Remove(room.id, called(room), user) for user in room.with_membership(Membership.INVITED)
            )
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

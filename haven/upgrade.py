"""Brings a room, or the space, into another room version: a new room that has all the old one had, and then takes its place.

First the new room is made and given everything, while the old one goes on as before; the tombstone in the old room is the one
moment in which they change places (`haven.succession`); what follows from it is the loop's work, as after any other change.
Each step is read off the rooms, so that it can be taken up again wherever it was left.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from haven.changes import Ban, Change, CreateRoom, SetState, Unban
from haven.desired import Actors, DesiredRoom, desired_rooms, placeholder
from haven.errors import Invalid
from haven.ids import RoomId, RoomVersion, UserId
from haven.model import Community, Former, Group
from haven.permissions import BOT_LEVEL
from haven.ports import Content, NewRoom, StateEvent
from haven.power import PowerLevels, creators_are_infinite
from haven.reach import BEYOND, POWER, Obstacle, Reach
from haven.snapshot import Membership, Room, World, called, census
from haven.stateevents import BRIDGE, BRIDGE_UNSTABLE, CHILD, RECORDS, SLOT
from haven.succession import TOMBSTONE, UNTIL, led_to, predecessor, replacement, tombstone

OLDEST = 10
"""The first version that everything here works in (``knock_restricted``, MSC3787)."""

LISTED_AT_ONCE = 100
"""How many rooms a new space lists from its first moment on."""

CREATE = "m.room.create"
NAME = "m.room.name"

_LEFT_BEHIND = frozenset(
    {CREATE, NAME, POWER, TOMBSTONE, "m.room.member", "m.room.canonical_alias", "m.room.third_party_invite"}
    | {BRIDGE, BRIDGE_UNSTABLE}
)
"""What is made anew, is moved afterwards, or tells of what others do in the old room."""

_OF_THE_MAKING = frozenset({"creator", "room_version", "predecessor", "additional_creators", SLOT})
"""What ``m.room.create`` says of that room alone."""


def checked_version(text: str, room: Room, known: Collection[RoomVersion]) -> RoomVersion:
    """The version that a room can be brought into. ``known``: those that the homeserver makes.

    Raises `Invalid` where there is no such version, it is too old for a community, or the room has it or a newer one.
    """
    wanted, now = RoomVersion(text.strip()), room.version
    usable = sorted(int(each) for each in known if each.isdecimal() and int(each) >= OLDEST)
    if wanted not in known or not wanted.isdecimal() or int(wanted) < OLDEST:
        raise Invalid("upgrade_unknown", version=wanted[:20], known=", ".join(map(str, usable)))
    if not now.isdecimal() or int(now) >= int(wanted):
        raise Invalid("upgrade_not_newer", room=called(room), version=wanted, now=now)
    return wanted


def missing_power(room: Room, bot: UserId) -> Obstacle | None:
    """The power that the bot lacks to close the old room, if it lacks any."""
    power, own = room.power, room.power_of(bot)
    need = max(power.for_state(TOMBSTONE), power.for_state(POWER), power.for_state("m.room.join_rules"))
    return None if own >= need else Obstacle(room.id, called(room), TOMBSTONE, need, int(own))


@dataclass(frozen=True, slots=True)
class Upgrade:
    """One room on its way. ``old``: the room as it is; ``group``: what it is to the community, ``None`` for the space.

    ``until``: how long the old room is kept, ms since the epoch; ``body``: what its tombstone says to people.
    """

    community: Community
    group: Group | None
    old: Room
    version: RoomVersion
    until: int = 0
    body: str = ""

    @property
    def slot(self) -> str:
        """What the new room is recognised by: the same for everybody who wants the same."""
        return upgrade_slot(self.old.id, self.version)


def upgrade_slot(old: RoomId, version: RoomVersion) -> str:
    """The slot of the room that takes the place of another."""
    return f"upgrade/{old}/{version}"


def prepared(upgrade: Upgrade, world: World, bot: UserId) -> Room | None:
    """The new room, if it has been made; the eldest where there are several."""
    rooms = census(world).by_slot.get(upgrade.slot, ())
    ours = (room for room in rooms if room.maker == bot and predecessor(room) == upgrade.old.id)
    return next(ours, None)


def next_steps(upgrade: Upgrade, world: World, actors: Actors) -> tuple[Change, ...]:
    """What is to be done now; asked again when it is done, until there is nothing more: then the rooms have changed places.

    ``upgrade.old`` is the room as it is in ``world``. A room to which somebody else has led by a tombstone is taken over. Raises
    `Invalid` where we are not in it or lack the power there.
    """
    if replacement(world, upgrade.old, actors.bot) is not None:
        return ()
    theirs = _made_by_hand(upgrade, world, actors.bot)
    wanted = renewal(upgrade, world, actors)
    if theirs is not None:
        return tuple(sorted((*_dated(upgrade), *_lacking(wanted, upgrade.old, theirs)), key=_is_record))
    new = prepared(upgrade, world, actors.bot)
    if new is None:
        return (CreateRoom(placeholder(upgrade.slot), _at_first(wanted)),)
    steps = (*_levels(wanted, new), *_lacking(wanted, upgrade.old, new))
    said = tombstone(new.id, upgrade.until, upgrade.body)
    return steps or (SetState(upgrade.old.id, called(upgrade.old), TOMBSTONE, "", said),)


def _at_first(wanted: NewRoom) -> NewRoom:
    """As much of a room as is made in one request, so that it is answered in time: a long list of rooms follows afterwards."""
    listed = [event for event in wanted.state if event.type == CHILD]
    later = {event.key for event in listed[LISTED_AT_ONCE:]}
    now = (event for event in wanted.state if event.type != CHILD or event.key not in later)
    return replace(wanted, state=tuple(now)) if later else wanted


def _made_by_hand(upgrade: Upgrade, world: World, bot: UserId) -> Room | None:
    """The room that somebody else has made to take the place of this one; ``None`` where that is not so.

    A tombstone is written over that leads to a room which knows nothing of it, or in which somebody would have more power than we
    could ever take away again.
    """
    place = led_to(upgrade.old)
    if place is None:
        return None
    if place not in world:
        raise Invalid("upgrade_elsewhere", room=called(upgrade.old), bot=bot)
    new = world[place]
    if predecessor(new) != upgrade.old.id or new.is_space != upgrade.old.is_space:
        return None
    if _almighty(new) - {bot, upgrade.community.owner} - upgrade.old.creators:
        return None
    if new.power_of(bot) < BOT_LEVEL:
        raise Invalid("adopt_power", room=called(new), need=BOT_LEVEL, have=int(new.power_of(bot)), bot=bot)
    return new


def _almighty(room: Room) -> frozenset[UserId]:
    """Whom nobody else can put down."""
    return room.infinite | {user for user, level in room.power.users.items() if level >= BOT_LEVEL}


def _dated(upgrade: Upgrade) -> Iterator[Change]:
    """Somebody else's tombstone does not say how long the old room is kept: from now on it does."""
    said = upgrade.old.content(TOMBSTONE)
    if UNTIL not in said:
        dated = {**said, UNTIL: upgrade.until}
        yield SetState(upgrade.old.id, called(upgrade.old), TOMBSTONE, "", dated)


def _is_record(change: Change) -> bool:
    """What is written last: from then on the room counts."""
    return isinstance(change, SetState) and change.type in RECORDS


def _levels(wanted: NewRoom, new: Room) -> Iterator[Change]:
    """The homeserver adds to the first levels what it likes, which may stay."""
    said = new.content(POWER)
    if any(said.get(name) != value for name, value in wanted.power.items()):
        yield SetState(new.id, wanted.name, POWER, "", wanted.power)


def _lacking(wanted: NewRoom, old: Room, new: Room) -> Iterator[Change]:
    """What the new room lacks: state that changed in the old one since, or was not taken in, and who is banned."""
    if wanted.name != new.name:
        yield SetState(new.id, wanted.name, NAME, "", {"name": wanted.name})
    for event in wanted.state:
        if event.content != new.content(event.type, event.key):
            yield SetState(new.id, wanted.name, event.type, event.key, event.content)
    before, now = (room.with_membership(Membership.BANNED) for room in (old, new))
    for user in sorted(before - now - new.infinite):
        how = old.expulsions.get(user)
        yield Ban(new.id, wanted.name, user, how.reason if how else "", decided=True)
    for user in sorted(now - before):
        yield Unban(new.id, wanted.name, user)


def renewal(upgrade: Upgrade, world: World, actors: Actors) -> NewRoom:
    """The room to be made: what the community means it to be, on top of what the old one says.

    No preset and no ``/upgrade`` of the homeserver: that would make members of nobody, copy the levels of another version,
    and leave our records behind.
    """
    seed = _seed(upgrade, actors.bot)
    meant, place = _meant(upgrade), seed.id
    desired = next(
        each for each in desired_rooms(meant, {**world, place: seed}, actors) if each.room == place
    )
    state = {**desired.first, **dict(_carried(upgrade.old)), **desired.state}
    return NewRoom(
        name=desired.name,
        version=upgrade.version,
        creation=seed.content(CREATE),
        state=tuple(
            StateEvent(kind, key, UserId(""), content) for (kind, key), content in state.items() if content
        ),
        power=_power(desired, seed, actors.bot).content(),
    )


def _meant(upgrade: Upgrade) -> Community:
    """The community as it will be: the new room in the place of the old, which is a former one from then on."""
    community, place = upgrade.community, placeholder(upgrade.slot)
    old = Former(upgrade.old.id, upgrade.until)
    if upgrade.group is None:
        return replace(community, space=place, former=(old, *community.former))
    new = replace(upgrade.group, room=place, slot=upgrade.slot, former=(old, *upgrade.group.former))
    groups = tuple(new if each.room == upgrade.group.room else each for each in community.groups)
    return replace(community, groups=groups)


def _seed(upgrade: Upgrade, bot: UserId) -> Room:
    """The new room as it is thought of before it is there: what is carried, made by the bot in the new version."""
    past = upgrade.old.content(CREATE)
    kept = {name: value for name, value in past.items() if name not in _OF_THE_MAKING}
    creation = {**kept, SLOT: upgrade.slot, "predecessor": _predecessor(upgrade)}
    levels = upgrade.old.content(POWER)
    state = {
        (CREATE, ""): StateEvent(CREATE, "", bot, {**creation, "room_version": upgrade.version}),
        (POWER, ""): StateEvent(POWER, "", bot, levels),
        (NAME, ""): StateEvent(NAME, "", bot, upgrade.old.content(NAME)),
    }
    carried = {place: StateEvent(*place, bot, content) for place, content in _carried(upgrade.old)}
    return Room(placeholder(upgrade.slot), {**carried, **state})


def _predecessor(upgrade: Upgrade) -> Content:
    """Since version 12 a room is named by its id alone; before, the last event that is known of it stands beside."""
    named: dict[str, str] = {"room_id": upgrade.old.id}
    if creators_are_infinite(upgrade.version):
        return named
    last = max(upgrade.old.state.values(), key=lambda event: (event.at, event.event))
    return {**named, **({"event_id": last.event} if last.event else {})}


def _carried(old: Room) -> Iterator[tuple[tuple[str, str], Content]]:
    """State that goes along as it is, whether we know it or not. What belongs to a person only that person may say."""
    for (kind, key), event in old.state.items():
        if kind not in _LEFT_BEHIND and not key.startswith(("@", "_@")) and event.content:
            yield (kind, key), event.content


def _power(desired: DesiredRoom, seed: Room, bot: UserId) -> PowerLevels:
    """The levels as they are meant, with what people have set by hand and we know nothing of."""
    infinite = creators_are_infinite(seed.version)
    said: Mapping[UserId, int] = seed.power.users
    others = {user: level for user, level in said.items() if user != bot}
    power = replace(seed.power, users=others if infinite else {**others, bot: BOT_LEVEL})
    return Reach(seed, power, BEYOND, bot, seed.infinite).adjusted(desired.power)

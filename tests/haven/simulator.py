"""Carries out plans on worlds that are plain values: the shortest homeserver there is, which refuses what a real one would.

Only the bot acts here and only through plans; what people do is done to the world directly (see tests/haven/worlds.py).
"""

from collections.abc import Mapping
from dataclasses import replace

from haven.changes import Abandon, Ban, Change, CreateRoom, Invite, Remove, SetState, Unban
from haven.ids import EventId, RoomId, UserId
from haven.plan import Plan, resolved, resolved_content
from haven.ports import Content, NewRoom, StateEvent
from haven.power import PowerLevels, creators_are_infinite, step_needed
from haven.reach import POWER
from haven.snapshot import Membership, Room, World


def carried_out(plan: Plan, world: World, bot: UserId) -> dict[RoomId, Room]:
    """The world after a plan; asserts that a homeserver would have let the bot do each step."""
    rooms = dict(world)
    made: dict[str, RoomId] = {}
    for change in plan.changes:
        if isinstance(change, CreateRoom):
            room = _founded(change.new, made, bot, number=len(rooms) + 1)
            assert room.id not in rooms
            made[change.room], rooms[room.id] = room.id, room
        elif isinstance(change, Abandon):
            assert rooms[change.room].with_membership(Membership.JOINED) == {bot}
            del rooms[change.room]
        else:
            place = made.get(change.room, change.room)
            rooms[place] = after(change, rooms[place], made, bot)
    return rooms


def after(change: Change, room: Room, made: Mapping[str, RoomId], bot: UserId) -> Room:
    """One room after one change in it."""
    power, own = room.power, room.power_of(bot)
    match change:
        case SetState():
            content = resolved_content(change.content, made)
            assert own >= power.for_state(change.type)
            if change.type == POWER:
                levels = PowerLevels.parse(content)
                assert own >= step_needed(power, levels, bot)
                assert not room.infinite & set(levels.users)
            key = str(resolved(change.key, made))
            return room.changed(_event(change.type, key, bot, content, room))
        case Invite():
            assert own >= power.invite
            assert room.members.get(change.user) not in {Membership.JOINED, Membership.BANNED}
            return room.changed(_member(change.user, "invite", bot, ""))
        case Remove():
            assert own >= power.kick
            assert own > room.power_of(change.user)
            assert room.members.get(change.user) is not Membership.BANNED
            return room.changed(_member(change.user, "leave", bot, change.reason))
        case Ban():
            assert own >= power.ban
            assert own > room.power_of(change.user)
            return room.changed(_member(change.user, "ban", bot, change.reason))
        case Unban():
            assert own >= max(power.ban, power.kick)
            assert own > room.power_of(change.user)
            assert room.members.get(change.user) is Membership.BANNED
            return room.changed(_member(change.user, "leave", bot, ""))
    raise AssertionError(change)


def _member(user: UserId, membership: str, sender: UserId, reason: str) -> StateEvent:
    return StateEvent("m.room.member", user, sender, {"membership": membership, "reason": reason})


def _event(kind: str, key: str, sender: UserId, content: Content, room: Room) -> StateEvent:
    return StateEvent(kind, key, sender, content, EventId(f"$of{len(room.state)}"), room.made_at)


def _founded(new: NewRoom, made: Mapping[str, RoomId], bot: UserId, number: int) -> Room:
    infinite = creators_are_infinite(new.version)
    levels = PowerLevels.parse(new.power)
    assert bot not in new.invite
    assert infinite == (bot not in levels.users)
    blank = Room(RoomId(f"!made{number}" if infinite else f"!made{number}:home.org"))
    state = (
        StateEvent("m.room.create", "", bot, {**new.creation, "room_version": new.version}),
        StateEvent(POWER, "", bot, new.power),
        *(
            replace(event, key=str(resolved(event.key, made)), content=resolved_content(event.content, made))
            for event in new.state
        ),
        StateEvent("m.room.name", "", bot, {"name": new.name}),
        *([StateEvent("m.room.topic", "", bot, {"topic": new.topic})] if new.topic else []),
    )
    members = {bot: Membership.JOINED, **dict.fromkeys(new.invite, Membership.INVITED)}
    dated = {(event.type, event.key): replace(event, sender=bot, at=number) for event in state}
    return replace(blank, state=dated, members=members)

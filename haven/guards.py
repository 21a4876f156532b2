"""Refuses plans that would do harm: mass removal, locking the bot out, and rooms that are none of ours.

The first can be insisted on by an admin; the other two never.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from haven.changes import Abandon, Ban, Change, CreateRoom, Remove, SetState
from haven.desired import Actors, is_placeholder
from haven.errors import Guarded
from haven.ids import RoomId
from haven.plan import Plan
from haven.power import PowerLevels
from haven.reach import POWER
from haven.snapshot import Membership, Room, World

REMOVAL_LIMIT = 10


@dataclass(frozen=True, slots=True)
class Bounds:
    """From how many people one plan may take something away that nobody has decided yet. ``insisted``: an admin has seen it and
    wants it.
    """

    removals: int = REMOVAL_LIMIT
    insisted: bool = False


def guard(plan: Plan, managed: Iterable[RoomId], world: World, actors: Actors, bounds: Bounds) -> None:
    """Raise `Guarded` where ``plan`` must not be carried out. ``managed``: the rooms of the community, twins included."""
    _refuse_foreign_rooms(plan, frozenset(managed))
    _refuse_lockout(plan, world, actors)
    _refuse_mass_removal(plan, bounds)


def _refuse_mass_removal(plan: Plan, bounds: Bounds) -> None:
    count = len({_whom(change) for change in plan.removals} - {""})
    if count > bounds.removals and not bounds.insisted:
        raise Guarded("guard_removals", n=count, limit=bounds.removals)


def _whom(change: Change) -> str:
    """Who loses something that nobody has decided yet, or the room that is abandoned."""
    if isinstance(change, Remove | Ban):
        return "" if change.decided else change.user
    return change.room


def _refuse_foreign_rooms(plan: Plan, managed: frozenset[RoomId]) -> None:
    for change in plan.changes:
        if (
            not isinstance(change, CreateRoom)
            and change.room not in managed
            and not is_placeholder(change.room)
        ):
            raise Guarded("guard_foreign_room", room=change.name)


def _refuse_lockout(plan: Plan, world: World, actors: Actors) -> None:
    for change in plan.changes:
        room = world.get(change.room)
        if room is not None and _locks_out(change, room, actors):
            raise Guarded("guard_lockout", room=getattr(change, "name", ""))


def _locks_out(change: Change, room: Room, actors: Actors) -> bool:
    """Whether the bot would leave a room with people in it, remove itself, have less power, or be unable to change levels."""
    if isinstance(change, Abandon):
        return not room.with_membership(Membership.JOINED) <= {actors.bot}
    if isinstance(change, Remove | Ban):
        return change.user == actors.bot
    if not isinstance(change, SetState) or change.type != POWER:
        return False
    levels = PowerLevels.parse(change.content)
    after = levels.of(actors.bot, room.infinite)
    return after < room.power_of(actors.bot) or after < levels.for_state(POWER)

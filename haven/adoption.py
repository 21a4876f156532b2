"""Takes an existing room into a community: says first what would change in it and what power is missing, and changes no more.

Its name, description, people and history stay. Who had power there keeps as much as a group has to give; how one comes in stays
as open or closed as it was. Who owns the community, its admins and moderators come to have power in it, as in any other group.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from haven.desired import Actors
from haven.errors import Invalid
from haven.ids import UserId
from haven.model import Community, Group, History, Kind, Role, Visibility
from haven.permissions import BOT_LEVEL, LEVELS
from haven.plan import Plan, plan_for
from haven.reach import POWER, Obstacle
from haven.snapshot import Room, World, called, described
from haven.stateevents import (
    ENCRYPTION,
    GROUP,
    HISTORY,
    RETENTION,
    is_encrypted,
    read_history,
    read_retention,
)
from haven.vacancies import refuse_full, refuse_twin


@dataclass(frozen=True, slots=True)
class Adoption:
    """What would come of it. ``plan``: only what concerns this room; ``missing``: the power without which it cannot be done.

    ``community`` is the community with the group in it.
    """

    community: Community
    plan: Plan
    missing: tuple[Obstacle, ...] = ()


def adoption(
    room: Room, community: Community, world: World, actors: Actors, visibility: Visibility | None = None
) -> Adoption:
    """A preview. Raises as `with_adopted`."""
    after = with_adopted(community, room, actors, visibility)
    have = room.power_of(actors.bot)
    if have < BOT_LEVEL:
        missing = (Obstacle(room.id, called(room), POWER, BOT_LEVEL, int(have)),)
        return Adoption(after, Plan(community.space), missing)
    plan = plan_for(after, {**world, room.id: room}, actors)
    ours = tuple(
        change
        for change in plan.changes
        if change.room == room.id
        or (change.room == community.space and getattr(change, "key", "") == room.id)
    )
    obstacles = tuple(obstacle for obstacle in plan.obstacles if obstacle.room == room.id)
    return Adoption(after, Plan(plan.space, ours, obstacles))


def with_adopted(
    community: Community, room: Room, actors: Actors, visibility: Visibility | None = None
) -> Community:
    """The community with a room as one more group, if it is not there yet. ``visibility``: as its join rule says, if not given.

    Raises `Invalid` for a space, a room that was replaced by another or belongs to a community, a name that is taken, and
    where there are as many groups as there may be.
    """
    if community.group(room.id) is not None:
        return community
    _refuse(community, room)
    shared = (HISTORY, "") not in room.state
    group = Group(
        room=room.id,
        kind=Kind.GROUP,
        name=called(room),
        slot=room.slot,
        topic=described(room),
        visibility=visibility or _visibility(room),
        exceptions=dict(_exceptions(community, room, actors)),
        history=History.SHARED if shared else read_history(room.content(HISTORY)),
        retention=read_retention(room.content(RETENTION)),
        encrypted=is_encrypted(room.content(ENCRYPTION)),
    )
    return replace(community, groups=(*community.groups, group))


def _refuse(community: Community, room: Room) -> None:
    if room.is_space:
        raise Invalid("adopt_space")
    if room.content(GROUP):
        raise Invalid("adopt_taken")
    if room.content("m.room.tombstone"):
        raise Invalid("adopt_replaced")
    refuse_twin(called(room), (group.name for group in community.groups))
    refuse_full(community)


def _visibility(room: Room) -> Visibility:
    rule = room.content("m.room.join_rules").get("join_rule")
    if rule in ("public", "restricted", "knock_restricted"):
        return Visibility.OPEN
    return Visibility.REQUEST if rule == "knock" else Visibility.HIDDEN


def _exceptions(community: Community, room: Room, actors: Actors) -> Iterator[tuple[UserId, Role]]:
    """Who had power in the room, as far as a group has such power."""
    nobody = {actors.bot, actors.bridge, community.owner}
    for user, level in room.power.users.items():
        if user not in nobody and level >= LEVELS[Role.MODERATOR]:
            admin = level >= LEVELS[Role.GROUP_ADMIN]
            role = Role.GROUP_ADMIN if admin else Role.MODERATOR
            if LEVELS[role] > LEVELS[community.role_of(user)]:
                yield user, role

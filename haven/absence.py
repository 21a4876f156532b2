"""Which rooms of a community the bot is not in any more: its space still lists them, and nobody took them out of it by command."""

from collections.abc import Iterator

from haven.ids import RoomId, UserId
from haven.model import Community
from haven.ports import StateEvent
from haven.snapshot import World
from haven.stateevents import CHILD


def rooms_lost(community: Community, world: World, bot: UserId) -> tuple[RoomId, ...]:
    """The rooms that the bot has put into the list of the space and is not in. What somebody listed by hand need not be ours.

    Hidden groups stand in no list, so they are not missed.
    """
    former = {old.room for old in community.all_former}
    listed = (RoomId(event.key) for event in _listed(community, world, bot))
    return tuple(room for room in listed if room not in world and room not in former)


def is_listed(world: World, communities: Iterator[Community], room: RoomId, bot: UserId) -> bool:
    """Whether a room is one that the bot has put into the list of a community's space."""
    return any(event.key == room for each in communities for event in _listed(each, world, bot))


def _listed(community: Community, world: World, bot: UserId) -> Iterator[StateEvent]:
    """What counts as a child (spec: only with ``via``) of the space of a community that is looked after."""
    if community.space not in world or community.deactivated is not None:
        return iter(())
    events = world[community.space].keyed(CHILD)
    return (event for event in events if event.sender == bot and event.content.get("via"))

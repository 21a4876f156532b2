"""A record of a community that somebody has damaged by hand: how it is told, and the world in which it says what it said before."""

from haven.errors import Invalid
from haven.ids import UserId
from haven.ports import Content, StateEvent
from haven.snapshot import Room, World, census
from haven.stateevents import COMMUNITY, read_community


def damaged_record(space: Room, bot: UserId) -> StateEvent | None:
    """The record of a space, where another than the bot has written it and nobody can read it. What a newer Haven wrote is not damaged."""
    event = space.state.get((COMMUNITY, ""))
    if event is None or event.sender == bot or not space.is_space:
        return None
    return None if is_readable(event.content, newer=True) else event


def is_readable(content: Content, *, newer: bool = False) -> bool:
    """Whether a record says something that we understand, or, with ``newer``, that a newer Haven may."""
    try:
        read_community(content)
    except Invalid as error:
        return newer and error.key == "state_newer"
    return True


def with_record(world: World, space: Room, content: Content, bot: UserId) -> World:
    """The world in which the bot has written a record into a space."""
    written = space.changed(StateEvent(COMMUNITY, "", bot, content))
    return census({**world, space.id: written})

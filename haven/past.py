"""What the rooms look like that others took the place of: to be read for a while, and then nobody's business any more.

They keep their people, their names and their history. While they are kept they still say what they were; the record is emptied when
all the rest is done, and from then on they are left alone.
"""

from collections.abc import Iterator
from dataclasses import replace

from haven.desired import Actors, DesiredRoom, only_for, outside_of
from haven.hierarchy import States
from haven.ids import server_of
from haven.measures import CLOSED_LEVEL
from haven.model import Community, Role
from haven.permissions import LEVELS
from haven.ports import Content
from haven.snapshot import Room, World, called, described
from haven.stateevents import CHILD, COMMUNITY, GROUP, LINK, PARENT
from haven.succession import is_over

FIRST = "!"
"""The order of the new space in the old one: before all rooms."""


_SPOKEN = frozenset({"m.room.message", "m.room.encrypted", "m.sticker"})
"""What people say: in announcements it has a level of its own."""


def old_rooms(community: Community, world: World, actors: Actors) -> Iterator[DesiredRoom]:
    """Every old room of a community as it should be, those of the space first."""
    if community.deactivated is not None:
        return
    outside = outside_of(community, world, actors)
    for old in community.former:
        if old.room in world:
            over = is_over(old, community, None, world)
            yield replace(_old_space(community, world[old.room], actors, over=over), outside=outside)
    for group in community.groups:
        for old in group.former if group.room in world else ():
            if old.room in world:
                over = bool(group.released) or is_over(old, community, group, world)
                only = None if over else only_for(community, group, actors)
                yield replace(_old_group(community, world[old.room], over=over), outside=outside, only=only)


def _old_group(community: Community, room: Room, *, over: bool) -> DesiredRoom:
    """Only who is at least an admin still writes there, and nobody comes in. ``over``: it is let go.

    While it is linked to a network still, people go on talking: the bridge takes its links along as soon as it is in the new room.
    """
    linked = [event.key for event in room.keyed(LINK) if event.content]
    spoken = dict.fromkeys(_SPOKEN & room.power.events.keys(), LEVELS[Role.ADMIN])
    closed = replace(
        room.power,
        users_default=CLOSED_LEVEL,
        events_default=LEVELS[Role.ADMIN],
        events={**room.power.events, **spoken},
    )
    power = room.power if linked and not over else closed
    record = {**room.content(GROUP), "community": community.space}
    parent: States = {(PARENT, str(community.space)): {}} if over else {}
    links: States = {(LINK, key): {} for key in linked} if over else {}
    return DesiredRoom(
        room=room.id,
        name=called(room),
        slot=room.slot,
        version=room.version,
        power=power,
        topic=described(room),
        state={(GROUP, ""): record, ("m.room.join_rules", ""): {"join_rule": "invite"}, **parent, **links},
        last={(GROUP, ""): {}} if over else {},
    )


def _old_space(community: Community, room: Room, actors: Actors, *, over: bool) -> DesiredRoom:
    """A space that lists the one which took its place before all else; let go, it lists nothing besides."""
    way: Content = {
        **room.content(CHILD, community.space),
        "via": [server_of(actors.bot)],
        "order": FIRST,
        "suggested": True,
    }
    rooms = {event.key for event in room.keyed(CHILD) if event.content} - {community.space}
    emptied: States = {(CHILD, key): {} for key in rooms} if over else {}
    return DesiredRoom(
        room=room.id,
        name=called(room),
        slot=room.slot,
        version=room.version,
        power=room.power,
        topic=described(room),
        space=True,
        state={
            ("m.room.join_rules", ""): {"join_rule": "invite"},
            (CHILD, str(community.space)): way,
            **emptied,
        },
        last={(COMMUNITY, ""): {}} if over else {},
    )

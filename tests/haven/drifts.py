"""What people, other bots and accidents do to the rooms of a community by hand, as Hypothesis strategies."""

from collections.abc import Callable, Mapping

from hypothesis import strategies as st

from haven.ids import RoomId, UserId
from haven.ports import Content
from haven.snapshot import Membership
from haven.stateevents import CHILD, COMMUNITY, GROUP, PARENT
from tests.haven.worlds import BO, PEOPLE, STRANGER, Village, json_values, people

Drift = Callable[[st.DrawFn, Village], None]

NUMBERS = ("users_default", "events_default", "state_default", "invite", "kick", "ban", "redact")


def _somewhere(draw: st.DrawFn, village: Village) -> RoomId:
    ours = [village.space, *(group.room for group in village.community.groups)]
    return draw(st.sampled_from(ours))


def _highest(village: Village) -> int:
    """What people can give at most: the owner's own level."""
    return 100 if village.actors.version == "12" else 95


def person_drift(draw: st.DrawFn, village: Village) -> None:
    """A person's level is changed, or taken away, in some room."""
    room, user = _somewhere(draw, village), draw(people)
    users: Mapping[UserId, int] = village.world[room].power.users
    level = draw(st.none() | st.integers(-10, _highest(village)))
    others = {held: at for held, at in users.items() if held != user}
    village.changes_levels(BO, room, users=others if level is None else {**others, user: level})


def number_drift(draw: st.DrawFn, village: Village) -> None:
    """One of the numbers is changed, or one event type's."""
    room, level = _somewhere(draw, village), draw(st.integers(-10, _highest(village)))
    name = draw(st.sampled_from(NUMBERS))
    village.changes_levels(BO, room, **{name: level})
    kind = draw(st.sampled_from(["m.room.power_levels", "m.room.name", "m.reaction", "org.other", GROUP]))
    village.changes_levels(BO, room, events={**village.world[room].power.events, kind: level})


def damage_drift(draw: st.DrawFn, village: Village) -> None:
    """State that we care for says something else, or nonsense."""
    room = _somewhere(draw, village)
    kind, key = draw(
        st.sampled_from(
            [
                ("m.room.join_rules", ""),
                ("m.room.topic", ""),
                ("m.room.name", ""),
                (PARENT, village.space),
                (PARENT, "!other"),
                *((CHILD, group.room) for group in village.community.groups),
                (CHILD, "!foreign"),
            ]
        )
    )
    content: Content = draw(
        st.sampled_from([{}, {"via": ["gone.net"], "order": "x", "suggested": True, "canonical": True}])
        | st.dictionaries(
            st.sampled_from(["via", "order", "suggested", "canonical", "join_rule", "topic", "name"]),
            json_values,
        )
    )
    village.says(BO, room, kind, content, key)


def record_drift(draw: st.DrawFn, village: Village) -> None:
    """A record is edited so that it can still be read, with fields and values that we do not know."""
    room = _somewhere(draw, village)
    record = COMMUNITY if room == village.space else GROUP
    before = village.world[room].content(record)
    more: Content = draw(
        st.dictionaries(st.sampled_from(["settings", "exceptions", "x", "deactivate"]), json_values)
    )
    village.says(BO, room, record, {**before, **more})


def membership_drift(draw: st.DrawFn, village: Village) -> None:
    """Somebody comes to a room, or goes."""
    user = draw(st.sampled_from([*PEOPLE, STRANGER]))
    village.becomes(_somewhere(draw, village), draw(st.sampled_from(list(Membership))), user)


ALL: tuple[Drift, ...] = (person_drift, number_drift, damage_drift, record_drift, membership_drift)


@st.composite
def drifted(draw: st.DrawFn, village: Village) -> Village:
    """The village after up to six things have happened to it."""
    for happens in draw(st.lists(st.sampled_from(ALL), max_size=6)):
        happens(draw, village)
    return village

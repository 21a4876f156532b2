"""Worlds of rooms: a community in words for tests that tell a story, and strategies for those that hold for all of them.

A `Village` is one community whose rooms were really planned and founded. Who plays: Ana owns it, Bo administers, Cy moderates, Dora
greets, Eva, Fil and Gus are members; they live on several servers.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from hypothesis import strategies as st

from haven.desired import Actors
from haven.founding import Founding, Titles, WishedGroup, founded
from haven.guards import Bounds, guard
from haven.ids import EventId, RoomId, RoomVersion, UserId
from haven.intent import Intent, read_intent
from haven.model import Community, Kind, Role, Settings, Visibility
from haven.plan import Plan, plan_for
from haven.ports import Content, StateEvent
from haven.reach import POWER
from haven.reconcile import managed
from haven.snapshot import Membership, Room, World
from tests.haven.simulator import carried_out

BOT = UserId("@haven:home.org")
BRIDGE = UserId("@haven-bridge:home.org")
ANA, BO, CY = UserId("@ana:home.org"), UserId("@bo:home.org"), UserId("@cy:away.net")
DORA, EVA, FIL, GUS = (
    UserId("@dora:far.example"),
    UserId("@eva:away.net"),
    UserId("@fil:home.org"),
    UserId("@gus:else.where"),
)
STAFF = ((BO, Role.ADMIN), (CY, Role.MODERATOR), (DORA, Role.GREETER))
PEOPLE = (ANA, BO, CY, DORA, EVA, FIL, GUS)
STRANGER = UserId("@stranger:else.where")
VERSIONS = tuple(RoomVersion(version) for version in ("10", "11", "12"))
NEWEST = VERSIONS[-1]
TITLES = Titles("Announcements", "General", "Admins")

Edit = Callable[[Community], Community]


def unchanged(community: Community) -> Community:
    """No wish but to be in step."""
    return community


@dataclass
class Village:
    """One community and the world it is in."""

    actors: Actors
    space: RoomId
    world: dict[RoomId, Room] = field(default_factory=dict)

    @property
    def intent(self) -> Intent:
        """What the world means."""
        return read_intent(self.world, self.actors)

    @property
    def community(self) -> Community:
        """What this community is meant to be, as its rooms say."""
        return self.intent.communities[self.space]

    @property
    def hall(self) -> Room:
        """The space."""
        return self.world[self.space]

    def room(self, place: Kind | str) -> Room:
        """A fixed room by its kind, or a group by its name."""
        found = [group for group in self.community.groups if place in {group.kind, group.name}]
        return self.world[found[0].room]

    def plan(self, edit: Edit = unchanged) -> Plan:
        """What would be done."""
        return plan_for(edit(self.community), self.world, self.actors)

    def settle(self, edit: Edit = unchanged) -> Plan:
        """Do it, as often as the loop would, and be in step."""
        plan, meant = self.plan(edit), edit(self.community)
        first = plan
        for _ in range(3):
            if not plan:
                return first
            self.carry_out(plan, meant)
            plan, meant = self.plan(), self.community
        raise AssertionError(f"never in step: {plan}")

    def carry_out(self, plan: Plan, meant: Community | None = None) -> None:
        """Do what a plan for what is ``meant`` says, if the guards allow it."""
        ours = managed(meant or self.community, self.world, self.actors)
        guard(plan, ours, self.world, self.actors, Bounds(removals=1_000))
        self.world = carried_out(plan, self.world, self.actors.bot)

    def says(self, sender: UserId, room: RoomId, event_type: str, content: Content, key: str = "") -> None:
        """Somebody writes state by hand."""
        event = StateEvent(event_type, key, sender, content, EventId("$hand"), 1_000)
        self.world[room] = self.world[room].changed(event)

    def changes_levels(self, sender: UserId, room: RoomId, **fields: object) -> None:
        """Somebody replaces fields of the power levels by hand."""
        self.says(sender, room, POWER, {**self.world[room].content(POWER), **fields})

    def gives_level(self, sender: UserId, room: RoomId, user: UserId, level: int) -> None:
        """Somebody gives a person a level by hand."""
        self.changes_levels(sender, room, users={**self.world[room].power.users, user: level})

    def becomes(self, room: RoomId, membership: Membership, *people: UserId, by: UserId = BO) -> None:
        """People come and go; who is banned or removed is so ``by`` somebody."""
        word = "leave" if membership is Membership.REMOVED else str(membership)
        expelled = membership in {Membership.REMOVED, Membership.BANNED}
        for user in people:
            content = {"membership": word, **({"reason": "by hand"} if expelled else {})}
            sender = by if expelled and by != user else user if not expelled else ANA
            self.world[room] = self.world[room].changed(StateEvent("m.room.member", user, sender, content))

    def join_all(self, *people: UserId) -> None:
        """People join the space and all rooms of it but the admins'."""
        for group in self.community.groups:
            if group.kind is not Kind.ADMINS:
                self.becomes(group.room, Membership.JOINED, *people)
        self.becomes(self.space, Membership.JOINED, *people)


def wish(*groups: str | WishedGroup, identity: str = "wish", settings: Settings | None = None) -> Founding:
    """Ana wishes for a community."""
    wished = tuple(WishedGroup(group) if isinstance(group, str) else group for group in groups)
    return Founding(identity, "Fathers", ANA, TITLES, groups=wished, settings=settings or Settings())


def village(
    founding: Founding | None = None, version: RoomVersion = NEWEST, world: World | None = None
) -> Village:
    """A community that was founded and is in step; its staff and members have joined."""
    if founding is None and not world:
        known = _usual(version)
        return Village(known.actors, known.space, dict(known.world))
    return _settled(founding or wish("Books", "Walks"), version, world or {})


@cache
def _usual(version: RoomVersion) -> Village:
    """Rooms never change, so one founding serves all tests."""
    return _settled(wish("Books", "Walks"), version, {})


def _settled(founding: Founding, version: RoomVersion, world: World) -> Village:
    place = just_founded(founding, version, world)
    place.join_all(*PEOPLE)
    place.settle(lambda community: _with_roles(community, STAFF))
    guests = place.room(Kind.ADMINS)
    place.becomes(guests.id, Membership.JOINED, *guests.with_membership(Membership.INVITED))
    place.settle()
    return place


def just_founded(founding: Founding, version: RoomVersion = NEWEST, world: World | None = None) -> Village:
    """A community in which nobody is yet but the bot."""
    actors, meant = Actors(BOT, version, BRIDGE), founded(founding)
    rooms = carried_out(plan_for(meant, world or {}, actors), world or {}, BOT)
    space = next(room.id for room in rooms.values() if room.slot == meant.slot and room.maker == BOT)
    return Village(actors, space, rooms)


def _with_roles(community: Community, roles: tuple[tuple[UserId, Role], ...]) -> Community:
    for user, role in roles:
        community = community.with_role(user, role)
    return community


def stranger_room(identity: RoomId, *events: StateEvent, members: tuple[UserId, ...] = ()) -> Room:
    """A room that a stranger made and the bot was asked into."""
    create = StateEvent("m.room.create", "", STRANGER, {"room_version": "12"}, EventId("$s"), 5)
    state = {(event.type, event.key): event for event in (create, *events)}
    joined = {
        BOT: Membership.JOINED,
        STRANGER: Membership.JOINED,
        **dict.fromkeys(members, Membership.JOINED),
    }
    return Room(identity, state, joined)


versions = st.sampled_from(VERSIONS)
people = st.sampled_from(PEOPLE)
roles = st.sampled_from([Role.ADMIN, Role.MODERATOR, Role.GREETER, Role.MEMBER])
visibilities = st.sampled_from(list(Visibility))

json_values: st.SearchStrategy[object] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(max_size=8)
    | st.sampled_from(list(PEOPLE)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
"""Whatever JSON an event may hold (canonical JSON has no fractions)."""

names = st.text(
    st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs", "M"]), min_size=1, max_size=20
).map(lambda text: f"N{text}")
"""Names that a person may choose; `haven.model.checked_name` trims and composes them."""


@st.composite
def foundings(draw: st.DrawFn) -> Founding:
    """Any community that may be wished for."""
    groups = draw(st.lists(names, max_size=4, unique_by=str.casefold))
    wished = tuple(
        WishedGroup(
            f"{number} {name}",
            draw(visibilities),
            draw(st.sampled_from(["", "What 👨‍👩‍👧 read"])),
            draw(st.booleans()),
        )
        for number, name in enumerate(groups)
    )
    return Founding("wish", draw(names), ANA, TITLES, draw(st.sampled_from(["", "For\nall"])), wished)

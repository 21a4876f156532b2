"""Upgrades as the mind decides them: what is meant stays the same in every version and after every single step, and all is carried."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haven.changes import Change, CreateRoom
from haven.errors import Invalid
from haven.ids import RoomId, RoomVersion
from haven.measures import Lockdown, Mute
from haven.model import Community, Former, Group, Kind, Role, Visibility
from haven.plan import Plan, plan_for
from haven.ports import Content
from haven.power import creators_are_infinite
from haven.snapshot import Membership, Room
from haven.stateevents import CHILD, GROUP, LINK, PARENT, SLOT
from haven.succession import (
    KEPT_FOR,
    TOMBSTONE,
    is_member,
    latest,
    left_behind,
    members,
    predecessor,
)
from haven.upgrade import Upgrade, checked_version, missing_power, next_steps, prepared
from tests.haven.simulator import carried_out
from tests.haven.worlds import (
    ANA,
    BO,
    BOT,
    CY,
    EVA,
    FIL,
    GUS,
    STRANGER,
    Village,
    json_values,
    people,
    roles,
    village,
    visibilities,
)

STEPS = [("10", "11"), ("11", "12"), ("10", "12")]
PLACES = ["space", Kind.ANNOUNCEMENTS, Kind.GENERAL, Kind.ADMINS, "Books"]
COLOUR = "org.example.colour"
UNTIL = 5_000_000


def room_at(place: Village, where: Kind | str) -> Room:
    """The space, or a room."""
    return place.hall if where == "space" else place.room(where)


def upgrade_of(place: Village, where: Kind | str, version: str) -> Upgrade:
    """What is to be done."""
    old, community = room_at(place, where), place.community
    return Upgrade(community, community.group(old.id), old, RoomVersion(version), UNTIL, "moved")


def steps_of(place: Village, where: Kind | str, version: str) -> Iterator[Change]:
    """Carry an upgrade out one single change after the other, until the rooms have changed places."""
    old = room_at(place, where).id
    for _ in range(60):
        upgrade = replace(upgrade_of(place, where, version), old=place.world[old])
        steps = next_steps(upgrade, place.world, place.actors)
        if not steps:
            return
        place.world = carried_out(Plan(place.space, steps[:1]), place.world, BOT)
        place.space = latest(place.world, place.space, BOT)
        yield steps[0]
        if latest(place.world, old, BOT) != old:
            return
    raise AssertionError("it never ends")


def upgraded(place: Village, where: Kind | str, version: str) -> tuple[Room, Room]:
    """The old room and the new one, when all is done."""
    old = room_at(place, where).id
    for _ in steps_of(place, where, version):
        pass
    place.settle()
    return place.world[old], place.world[latest(place.world, old, BOT)]


def meant(community: Community) -> Community:
    """What a community is apart from which rooms it is in."""
    groups = tuple(_without_place(group) for group in community.groups)
    muted = {user: Mute(mute.until) for user, mute in community.muted.items()}
    return replace(community, space=RoomId("!s"), slot="", former=(), groups=groups, muted=muted)


def _without_place(group: Group) -> Group:
    return replace(group, room=RoomId("!r"), slot="", former=())


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize(("old", "new"), STEPS)
def test_what_is_meant_stays_the_same_after_every_single_step(old: str, new: str, where: Kind | str) -> None:
    place = village(version=RoomVersion(old))
    before = meant(place.community)
    for _ in steps_of(place, where, new):
        assert len(place.intent.communities) == 1
        assert meant(place.community) == before
    place.settle()
    assert meant(place.community) == before
    assert room_at(place, where).version == new


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize(("old", "new"), STEPS)
def test_levels_are_those_of_the_new_version(old: str, new: str, where: Kind | str) -> None:
    place = village(version=RoomVersion(old))
    _, after = upgraded(place, where, new)
    infinite = creators_are_infinite(RoomVersion(new))
    assert (BOT in after.power.users) is not infinite
    assert after.power.users[ANA] == (100 if infinite else 95)
    assert after.power_of(BOT) > after.power_of(ANA)
    named = after.content("m.room.create")["predecessor"]
    assert isinstance(named, dict)
    assert ("event_id" in named) is not infinite


@pytest.mark.parametrize(("old", "new"), STEPS)
def test_a_group_takes_everything_along(old: str, new: str) -> None:
    place = village(version=RoomVersion(old))
    books = place.room("Books").id
    carried: dict[str, Content] = {
        COLOUR: {"colour": "green"},
        "m.room.avatar": {"url": "mxc://home.org/face"},
        "m.room.pinned_events": {"pinned": ["$one"]},
        "m.room.server_acl": {"allow": ["*"], "deny": ["evil.example"]},
        "m.room.encryption": {"algorithm": "m.megolm.v1.aes-sha2"},
        "m.room.retention": {"max_lifetime": 86_400_000, "min_lifetime": 1},
    }
    for kind, content in carried.items():
        place.says(BO, books, kind, content)
    place.says(BO, books, GROUP, {**place.world[books].content(GROUP), "colour": "green"})
    place.says(BO, books, PARENT, {"via": ["else.where"]}, "!elsewhere")
    place.changes_levels(ANA, books, notifications={"room": 90})
    place.gives_level(ANA, books, GUS, -1)
    place.becomes(books, Membership.BANNED, STRANGER, by=CY)
    place.settle()
    _, after = upgraded(place, "Books", new)
    assert {kind: after.content(kind) for kind in carried} == carried
    assert after.content(GROUP)["colour"] == "green"
    assert after.content(PARENT, "!elsewhere") == {"via": ["else.where"]}
    assert after.content(PARENT, place.space)["canonical"] is True
    assert after.power.extra["notifications"] == {"room": 90}
    assert after.power.users[GUS] == -1
    assert after.members[STRANGER] is Membership.BANNED
    assert after.expulsions[STRANGER].reason == "by hand"


def test_what_belongs_to_a_person_or_to_the_old_room_stays_behind() -> None:
    place = village(version=RoomVersion("11"))
    books = place.room("Books").id
    place.says(EVA, books, "org.matrix.msc3401.call.member", {"calls": []}, EVA)
    place.says(BO, books, "m.room.canonical_alias", {"alias": "#books:home.org"})
    place.says(BO, books, "m.bridge", {"bridgebot": STRANGER}, "other")
    _, after = upgraded(place, "Books", "12")
    left = {("org.matrix.msc3401.call.member", EVA), ("m.room.canonical_alias", ""), ("m.bridge", "other")}
    assert not left & after.state.keys()


def test_the_place_in_the_list_is_taken_over_and_the_old_room_comes_last() -> None:
    place = village(version=RoomVersion("11"))
    books = place.room("Books").id
    order = place.hall.content(CHILD, books)["order"]
    _, after = upgraded(place, "Books", "12")
    assert place.hall.content(CHILD, after.id)["order"] == order
    assert place.hall.content(CHILD, books) == {"via": ["home.org"], "order": "~", "suggested": False}
    _, newest = upgraded(place, Kind.GENERAL, "12")
    assert place.hall.content(CHILD, newest.id)["suggested"] is True


def test_a_hidden_group_and_what_it_was_are_not_in_the_list() -> None:
    place = village(version=RoomVersion("11"))
    books = place.room("Books").id
    place.settle(lambda now: _hidden(now, books))
    old, after = upgraded(place, "Books", "12")
    assert not place.hall.content(CHILD, old.id)
    assert not place.hall.content(CHILD, after.id)
    allow = [{"type": "m.room_membership", "room_id": old.id}]
    assert after.content("m.room.join_rules") == {"join_rule": "restricted", "allow": allow}


def _hidden(community: Community, room: RoomId) -> Community:
    group = community.group(room)
    assert group is not None
    return community.with_group(replace(group, visibility=Visibility.HIDDEN))


def test_a_link_goes_along_and_the_old_room_stays_open_until_the_bridge_has_followed() -> None:
    place = village(version=RoomVersion("11"))
    books = place.room("Books").id
    link = {"version": 1, "network": "irc", "chat": "#books", "by": ANA, "proven": True}
    place.says(BO, books, LINK, link, "irc:#books")
    place.settle()
    old, after = upgraded(place, "Books", "12")
    assert after.content(LINK, "irc:#books") == link
    assert old.power.users_default == 0
    place.says(BOT, books, LINK, {}, "irc:#books")
    place.settle()
    assert place.world[books].power.users_default < 0


def test_nobody_but_admins_speaks_in_an_old_room() -> None:
    place = village(version=RoomVersion("11"))
    for where in (Kind.ANNOUNCEMENTS, Kind.GENERAL):
        old, _ = upgraded(place, where, "12")
        speak = old.power.for_message("m.room.message")
        assert [old.power_of(user) >= speak for user in (ANA, BO, CY, EVA)] == [True, True, False, False]


def test_a_long_list_follows_after_the_making() -> None:
    place = village(version=RoomVersion("11"))
    for number in range(120):
        place.says(BO, place.space, CHILD, {"via": ["else.where"]}, f"!elsewhere{number:03d}")
    before = [event.key for event in place.hall.keyed(CHILD)]
    (made,) = next_steps(upgrade_of(place, "space", "12"), place.world, place.actors)
    assert isinstance(made, CreateRoom)
    assert sum(event.type == CHILD for event in made.new.state) == 100
    _, after = upgraded(place, "space", "12")
    assert [event.key for event in after.keyed(CHILD) if event.content] == before


def test_mutes_follow_into_the_new_room() -> None:
    place = village(version=RoomVersion("11"))
    books = place.room("Books").id
    place.settle(lambda now: now.with_mute(EVA, Mute(rooms=frozenset({books}))))
    _, after = upgraded(place, "Books", "12")
    assert place.community.muted[EVA].rooms == {after.id}
    assert after.power.users[EVA] == -2


def test_who_has_not_come_over_yet_is_a_member_all_the_same() -> None:
    place = village(version=RoomVersion("11"))
    old, after = upgraded(place, "space", "12")
    everybody = old.with_membership(Membership.JOINED)
    assert members(place.world, place.community) == everybody
    assert left_behind(place.community, None, place.world) == everybody - {BOT, ANA}
    place.becomes(after.id, Membership.LEFT, EVA)
    assert not is_member(place.world, place.community, EVA)
    assert members(place.world, place.community) == everybody - {EVA}


def test_who_leaves_the_old_space_or_is_put_out_of_it_is_gone_and_stays_so() -> None:
    place = village(version=RoomVersion("11"))
    place.becomes(place.space, Membership.REMOVED, GUS)
    place.settle()
    old, _ = upgraded(place, "space", "12")
    place.becomes(old.id, Membership.LEFT, EVA)
    place.becomes(old.id, Membership.BANNED, FIL)
    place.settle()
    assert (set(place.community.left), set(place.community.banned)) == ({EVA}, {FIL})
    assert set(place.community.removed) == {GUS}
    assert place.hall.members[FIL] is Membership.BANNED
    books = place.room("Books").members
    assert {books[user] for user in (EVA, GUS)} == {Membership.REMOVED}
    assert books[FIL] is Membership.BANNED


def test_who_is_banned_in_the_new_space_is_put_out_of_the_old_one() -> None:
    place = village(version=RoomVersion("11"))
    old, _ = upgraded(place, "space", "12")
    place.settle(lambda now: now.with_ban(EVA, "spam"))
    assert place.world[old.id].members[EVA] is Membership.BANNED
    assert not is_member(place.world, place.community, EVA)


def test_an_open_room_is_entered_through_the_old_space_the_new_one_and_the_old_room() -> None:
    place = village(version=RoomVersion("10"))
    spaces = [room.id for room in reversed(upgraded(place, "space", "11"))]
    old, after = upgraded(place, "Books", "12")
    rules = after.content("m.room.join_rules")
    allow = rules["allow"]
    assert isinstance(allow, list)
    assert [rule["room_id"] for rule in allow] == [*spaces, old.id]


def test_when_its_time_is_over_nothing_speaks_of_the_old_room_any_more() -> None:
    place = village(version=RoomVersion("11"))
    spaces, books = upgraded(place, "space", "12"), upgraded(place, "Books", "12")
    place.becomes(place.space, Membership.JOINED, *members(place.world, place.community))
    place.settle(lambda now: now.at(UNTIL))
    for _ in range(4):
        plan = plan_for(place.community.at(UNTIL), place.world, place.actors)
        place.carry_out(plan)
    assert not plan_for(place.community.at(UNTIL), place.world, place.actors)
    assert place.community.all_former == ()
    assert not place.world[books[0].id].content(GROUP)
    assert not place.hall.content(CHILD, books[0].id)
    said = str([room.state for room in place.world.values() if room.id not in {spaces[0].id, books[0].id}])
    allowed = [str(room.content("m.room.join_rules")) for room in place.world.values()]
    assert spaces[0].id not in "".join(allowed)
    assert spaces[0].id in said


def test_somebody_who_was_not_asked_over_keeps_the_old_room_for_a_while_longer() -> None:
    former = Former(RoomId("!old"), UNTIL)
    assert (former.at(UNTIL - 1).over, former.at(UNTIL).over) == (False, True)
    assert not former.at(UNTIL).overdue
    assert former.at(UNTIL + 23 * 24 * 3_600_000).overdue


KNOWN = frozenset({RoomVersion(each) for each in ("1", "9", "10", "11", "12", "org.matrix.msc3757.10")})


@pytest.mark.parametrize(
    ("version", "key"),
    [
        ("12", ""),
        (" 12 ", ""),
        ("11", "upgrade_not_newer"),
        ("10", "upgrade_not_newer"),
        ("9", "upgrade_unknown"),
        ("13", "upgrade_unknown"),
        ("", "upgrade_unknown"),
        ("org.matrix.msc3757.10", "upgrade_unknown"),
        ("٣", "upgrade_unknown"),
    ],
)
def test_versions(version: str, key: str) -> None:
    room = village(version=RoomVersion("11")).room("Books")
    if not key:
        assert checked_version(version, room, KNOWN) == "12"
        return
    with pytest.raises(Invalid) as refused:
        checked_version(version, room, KNOWN)
    assert refused.value.key == key


def test_the_power_that_is_missing_is_named() -> None:
    place = village(version=RoomVersion("11"))
    books = place.room("Books").id
    assert missing_power(place.world[books], BOT) is None
    place.changes_levels(ANA, books, events={TOMBSTONE: 150})
    lack = missing_power(place.world[books], BOT)
    assert lack is not None
    assert (lack.need, lack.have) == (150, 100)


def test_two_rooms_made_for_one_upgrade_end_as_one() -> None:
    place = village(version=RoomVersion("11"))
    upgrade = upgrade_of(place, "Books", "12")
    (step,) = next_steps(upgrade, place.world, place.actors)
    assert isinstance(step, CreateRoom)
    for _ in range(2):
        place.world = carried_out(Plan(place.space, (step,)), place.world, BOT)
    elder = prepared(upgrade, place.world, BOT)
    _, after = upgraded(place, "Books", "12")
    assert elder is not None
    assert after.id == elder.id
    twins = [room for room in place.world.values() if room.content("m.room.create").get(SLOT) == upgrade.slot]
    assert [predecessor(room) for room in twins] == [upgrade.old.id]


@settings(max_examples=25)
@given(data=st.data())
def test_whatever_a_community_is_it_stays_so(data: st.DataObject) -> None:
    old, new = data.draw(st.sampled_from(STEPS))
    place = village(version=RoomVersion(old))
    books = place.room("Books")
    group = place.community.group(books.id)
    assert group is not None
    changed = replace(
        group,
        visibility=data.draw(visibilities),
        archived=data.draw(st.booleans()),
        exceptions={data.draw(people.filter(lambda user: user != ANA)): Role.GROUP_ADMIN},
    )
    locked = Lockdown(ANA, 5, "why") if data.draw(st.booleans()) else None
    place.settle(lambda now: replace(now, lockdown=locked).with_group(changed).with_mute(FIL, Mute(9_000)))
    somebody, role = data.draw(people.filter(lambda user: user != ANA)), data.draw(roles)
    place.settle(lambda now: now.with_role(somebody, role))
    place.says(BO, books.id, COLOUR, data.draw(st.dictionaries(st.text(max_size=5), json_values, min_size=1)))
    before, colour = meant(place.community), place.world[books.id].content(COLOUR)
    for where in data.draw(st.permutations(["space", "Books", Kind.ANNOUNCEMENTS])):
        upgraded(place, where, new)
        assert meant(place.community) == before
        assert not place.plan()
    assert place.room("Books").content(COLOUR) == colour
    assert KEPT_FOR > 0

"""What ban lists mean to a community: who is to be banned, who is left to the admins, whose ban is lifted."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haven.banlists import (
    BANLISTS,
    LISTS_LIMIT,
    BanLists,
    Findings,
    Watched,
    banlists_content,
    findings,
    law_of,
    marked,
    own_list,
    plain_reason,
    read_banlists,
)
from haven.errors import Invalid
from haven.ids import EventId, RoomId, UserId
from haven.policies import PATTERNS_LIMIT, Rule, Subject
from haven.ports import Content, StateEvent
from haven.snapshot import Expulsion, Membership
from tests.haven.worlds import (
    ANA,
    BO,
    BOT,
    DORA,
    EVA,
    FIL,
    GUS,
    STRANGER,
    Village,
    json_values,
    stranger_room,
    village,
)

LIST, OTHER = RoomId("!list"), RoomId("!other")


def listing(place: Village, *entities: str, room: RoomId = LIST, kind: str = "user") -> None:
    """A list comes to be that holds these, and the bot is in it."""
    events = [
        StateEvent(
            f"m.policy.rule.{kind}",
            entity,
            STRANGER,
            {"entity": entity, "recommendation": "m.ban", "reason": "spam"},
            EventId(f"$r{entity}"),
            7,
        )
        for entity in entities
    ]
    named = StateEvent("m.room.name", "", STRANGER, {"name": "Bad people"}, EventId("$n"), 6)
    place.world[room] = stranger_room(room, named, *events)


def found(place: Village, *watched: RoomId, spared: tuple[UserId, ...] = ()) -> Findings:
    lists = BanLists(tuple(Watched(room, ANA) for room in watched), frozenset(spared))
    law = law_of(lists, place.world, place.actors)
    return findings(place.community, law, place.world, place.actors)


def banned(place: Village, who: UserId, reason: str, by: UserId = BOT) -> None:
    """Somebody has been banned from the space."""
    hall = place.hall
    place.world[place.space] = replace(
        hall,
        members={**hall.members, who: Membership.BANNED},
        expulsions={**hall.expulsions, who: Expulsion(by, reason)},
    )


def reason(place: Village, room: RoomId = LIST) -> str:
    law = law_of(BanLists((Watched(room, ANA),)), place.world, place.actors)
    return law.reason(Rule(room, Subject.USER, EVA, "spam"))


def test_who_is_named_is_found_wherever_they_are() -> None:
    place = village()
    listing(place, EVA, GUS, "@nobody:far.away")
    assert set(found(place, LIST).banned) == {EVA, GUS}
    assert found(place) == Findings()


@pytest.mark.parametrize("membership", [Membership.KNOCKING, Membership.INVITED, Membership.JOINED])
def test_who_comes_is_found(membership: Membership) -> None:
    place = village()
    listing(place, STRANGER)
    assert not found(place, LIST).banned
    place.becomes(place.space, membership, STRANGER)
    assert set(found(place, LIST).banned) == {STRANGER}


def test_a_server_and_all_who_are_there() -> None:
    place = village()
    listing(place, "*.where", kind="server")
    assert set(found(place, LIST).banned) == {GUS}


def test_people_with_a_role_are_left_to_the_admins() -> None:
    place = village()
    listing(place, ANA, BO, DORA, EVA)
    result = found(place, LIST)
    assert set(result.banned) == {EVA}
    assert set(result.staff) == {ANA, BO, DORA}


@pytest.mark.parametrize(
    ("entity", "kind"), [("home.org", "server"), ("*", "user"), ("*", "server"), (BOT, "user")]
)
def test_a_rule_that_names_the_bot_never_counts_at_home(entity: str, kind: str) -> None:
    place = village()
    listing(place, entity, kind=kind)
    law = law_of(BanLists((Watched(LIST, ANA),)), place.world, place.actors)
    assert [rule.entity for rule in law.too_wide] == [entity]
    assert FIL not in found(place, LIST).banned
    assert not {BOT, ANA, BO} & found(place, LIST).banned.keys()


def test_somebody_at_home_can_be_named_by_themselves() -> None:
    place = village()
    listing(place, FIL)
    assert set(found(place, LIST).banned) == {FIL}


def test_who_is_spared_is_left_alone() -> None:
    place = village()
    listing(place, EVA)
    assert found(place, LIST, spared=(EVA,)) == Findings()


def test_a_ban_is_lifted_when_no_list_asks_for_it_any_more() -> None:
    place = village()
    listing(place, EVA)
    banned(place, EVA, reason(place))
    assert found(place, LIST) == Findings()
    assert found(place, LIST, spared=(EVA,)).lifted == {EVA}
    listing(place)
    assert found(place, LIST).lifted == {EVA}
    assert found(place).lifted == {EVA}


def test_another_list_that_names_them_keeps_the_ban() -> None:
    place = village()
    listing(place, EVA)
    listing(place, EVA, room=OTHER)
    banned(place, EVA, reason(place))
    assert found(place, OTHER) == Findings()


def test_a_list_that_is_out_of_sight_lifts_nothing() -> None:
    place = village()
    listing(place, EVA)
    banned(place, EVA, reason(place))
    del place.world[LIST]
    assert found(place, LIST) == Findings()
    assert found(place).lifted == {EVA}


@pytest.mark.parametrize("why", ["", "spam", "📜", "📜 spam", "📜xyz Bad people"])
def test_a_ban_by_the_admins_is_never_lifted(why: str) -> None:
    place = village()
    listing(place)
    banned(place, EVA, why)
    assert found(place, LIST) == Findings()


def test_a_ban_that_only_looks_like_one_of_a_list_is_never_lifted() -> None:
    place = village()
    listing(place, EVA)
    banned(place, EVA, reason(place), by=ANA)
    assert found(place) == Findings()


def test_a_reason_tells_the_list_and_why() -> None:
    place = village()
    listing(place)
    assert marked(reason(place))
    assert plain_reason(reason(place)) == "Bad people: spam"
    assert plain_reason("rude") == "rude"


records = st.builds(
    BanLists,
    st.lists(
        st.builds(
            Watched,
            st.sampled_from([LIST, OTHER]),
            st.just(ANA),
            st.sampled_from([(), ("home.org", "away.net")]),
        ),
        unique_by=lambda each: each.room,
    ).map(lambda all_of_them: tuple(sorted(all_of_them, key=lambda each: each.room))),
    st.frozensets(st.sampled_from([EVA, FIL, GUS])),
    st.sampled_from([None, RoomId("!own")]),
    st.booleans(),
)


@given(records, st.dictionaries(st.sampled_from(["x", "y"]), json_values))
def test_what_is_written_is_read_again_and_the_rest_stays(
    record: BanLists, unknown: Mapping[str, object]
) -> None:
    content = banlists_content(record, unknown)
    assert read_banlists(content) == record
    assert unknown.items() <= content.items()
    assert banlists_content(record, content) == content


def test_unknown_words_about_a_list_stay() -> None:
    before: Content = {"version": 1, "watched": {LIST: {"colour": "red"}}, "own": "!old"}
    after = banlists_content(read_banlists(before), before)
    assert after["watched"] == {LIST: {"colour": "red", "by": "", "via": []}}


@pytest.mark.parametrize(
    "content", [{"version": 2}, {"version": 1, "watched": 5}, {"watched": {}}, {"version": "1"}]
)
def test_what_is_damaged_is_said_to_be(content: Content) -> None:
    with pytest.raises(Invalid):
        read_banlists(content)


@given(st.dictionaries(st.sampled_from(["version", "watched", "spared", "own", "publishes"]), json_values))
def test_whatever_stands_there_is_survived(content: Content) -> None:
    with suppress(Invalid):
        read = read_banlists(content)
        assert read_banlists(banlists_content(read, content)) == read


def test_its_name() -> None:
    assert BANLISTS == "chat.haven.banlists"


def test_a_room_that_is_no_list_is_not_read_nor_named() -> None:
    """Every admin can write by hand what is watched: the bot is in rooms of others as well, whose names are none of their affair."""
    place = village()
    hidden = place.community.groups[-1].room
    law = law_of(BanLists((Watched(hidden, ANA),)), place.world, place.actors)
    assert law.readable == {}


def test_a_list_with_more_patterns_than_are_tried_is_told_of() -> None:
    place = village()
    listing(place, *(f"@wide{n}*:away.net" for n in range(PATTERNS_LIMIT + 1)))
    listing(place, "@wide*:away.net", room=OTHER)
    law = law_of(BanLists((Watched(LIST, ANA), Watched(OTHER, ANA))), place.world, place.actors)
    assert law.crowded == (LIST,)


def test_by_hand_no_more_lists_are_watched_than_by_command() -> None:
    """Each would be entered: the homeserver would let others wait who come into rooms."""
    content: Content = {"version": 1, "watched": {f"!{number}": {} for number in range(1_000)}}
    assert len(read_banlists(content).watched) == LISTS_LIMIT


@pytest.mark.parametrize(
    ("maker", "slot", "ours"),
    [
        (BOT, "{space}/banlist", True),
        (STRANGER, "{space}/banlist", False),
        (BOT, "{space}", False),
        (BOT, "!first/banlist", False),
        (BOT, "!gone/banlist", True),
    ],
    ids=str,
)
def test_which_room_the_bans_are_published_in(maker: UserId, slot: str, ours: bool) -> None:
    """`!first` is another community's space; `!gone` one that we have left since, as after an upgrade."""
    place = village()
    made = {"room_version": "12", "chat.haven.slot": slot.format(space=place.space)}
    create = StateEvent("m.room.create", "", maker, made, EventId("$c"), 5)
    place.world[LIST] = replace(stranger_room(LIST), state={("m.room.create", ""): create})
    place.world[RoomId("!first")] = stranger_room(RoomId("!first"))
    found = own_list(BanLists(own=LIST), place.space, place.world, BOT)
    assert (found is not None) is ours

"""What may be wished for, and what the wish becomes."""

import pytest

from haven.desired import is_placeholder
from haven.errors import Invalid
from haven.founding import Founding, Titles, WishedGroup, founded, with_added_group
from haven.model import Kind, Settings, Visibility
from tests.haven.worlds import ANA, EVA, TITLES, village, wish


def test_a_wish_becomes_a_community_of_placeholders() -> None:
    community = founded(wish(WishedGroup("Books", Visibility.HIDDEN)))
    assert all(
        is_placeholder(room) for room in (community.space, *(group.room for group in community.groups))
    )
    assert [group.kind for group in community.groups] == [
        Kind.ANNOUNCEMENTS,
        Kind.GENERAL,
        Kind.GROUP,
        Kind.ADMINS,
    ]
    slots = [community.slot, *(group.slot for group in community.groups)]
    assert len(set(slots)) == 5
    assert all(slot.startswith("wish/") for slot in slots)
    assert community.groups[2].made_for == community.owner == ANA


def test_two_wishes_share_no_slot() -> None:
    one, other = founded(wish("Books")), founded(wish("Books", identity="other"))
    assert {group.slot for group in one.groups}.isdisjoint(group.slot for group in other.groups)


@pytest.mark.parametrize(
    ("groups", "key"),
    [
        (["Books", "books"], "group_name_taken"),
        (["Books", " BOOKS "], "group_name_taken"),
        (["general"], "group_name_taken"),
        ([f"Group {number}" for number in range(11)], "groups_at_once"),
        ([""], "name_empty"),
        (["x" * 101], "name_too_long"),
    ],
)
def test_a_wish_may_not_have_groups(groups: list[str], key: str) -> None:
    with pytest.raises(Invalid) as refused:
        wish(*groups)
    assert refused.value.key == key


def test_a_wish_may_not_have_a_name_or_description_that_breaks_the_rules() -> None:
    for name, description, key in (
        ("", "", "name_empty"),
        ("a\x00", "", "name_control"),
        ("a", "x" * 2_049, "description_too_long"),
    ):
        with pytest.raises(Invalid) as refused:
            Founding("w", name, ANA, TITLES, description)
        assert refused.value.key == key


def test_titles_come_in_any_language() -> None:
    titles = Titles("Oznámení", "Pokec", "Správci")
    assert [group.name for group in founded(Founding("w", "Otcové", ANA, titles)).groups] == list(titles.all)


def test_a_group_is_added_once() -> None:
    place = village()
    wished = WishedGroup("Chess", suggested=True)
    place.settle(lambda community: with_added_group(community, "add/1", wished, EVA))
    before = place.community
    assert with_added_group(before, "add/1", wished, EVA) == before
    assert place.hall.content("m.space.child", place.room("Chess").id)["suggested"] is True


@pytest.mark.parametrize("name", ["Books", "BOOKS", "general"])
def test_a_group_is_not_added_under_a_name_that_is_taken(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        with_added_group(village().community, "add/1", WishedGroup(name), EVA)
    assert refused.value.key == "group_name_taken"


def test_a_hidden_group_is_not_given_away_by_its_name() -> None:
    place = village()
    place.settle(lambda c: with_added_group(c, "add/1", WishedGroup("Secret", Visibility.HIDDEN), ANA))
    assert with_added_group(place.community, "add/2", WishedGroup("secret"), EVA).groups[-1].name == "secret"
    with pytest.raises(Invalid) as refused:
        with_added_group(place.community, "add/2", WishedGroup("secret"), ANA)
    assert refused.value.key == "group_name_taken"


def test_a_hidden_group_leaves_no_gap_in_the_order_of_the_others() -> None:
    place = village(wish("Books", WishedGroup("Secret", Visibility.HIDDEN), "Walks"))
    place.settle(lambda c: with_added_group(c, "add/1", WishedGroup("Whispers", Visibility.HIDDEN), ANA))
    place.settle(lambda c: with_added_group(c, "add/2", WishedGroup("Chess"), ANA))
    orders = sorted(str(event.content["order"]) for event in place.hall.keyed("m.space.child"))
    assert orders == [f"{number:04d}" for number in range(6)]


def test_there_are_no_more_groups_than_there_may_be() -> None:
    community = founded(wish("Books", settings=Settings(group_limit=1)))
    with pytest.raises(Invalid) as refused:
        with_added_group(community, "add/1", WishedGroup("Walks"), EVA)
    assert refused.value.key == "group_limit"


def test_a_hidden_group_is_made_for_who_wished_for_it() -> None:
    place = village()
    wished = WishedGroup("Secret", Visibility.HIDDEN)
    place.settle(lambda community: with_added_group(community, "add/1", wished, EVA))
    assert place.room("Secret").members[EVA] == "invite"
    assert place.hall.content("m.space.child", place.room("Secret").id) == {}

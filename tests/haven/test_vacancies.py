"""Names that are taken, and places that are."""

from dataclasses import replace

import pytest

from haven.errors import Invalid
from haven.ids import RoomId, UserId
from haven.model import Community, Group, Kind, Role, Settings, Visibility
from haven.vacancies import refuse_full, refuse_taken

OWNER, ADMIN, MEMBER = UserId("@o:home.org"), UserId("@a:home.org"), UserId("@m:home.org")
HIDDEN = Group(RoomId("!h"), Kind.GROUP, "Quiet", visibility=Visibility.HIDDEN)
COMMUNITY = Community(
    RoomId("!space"),
    "Fathers",
    OWNER,
    roles={ADMIN: Role.ADMIN},
    groups=(Group(RoomId("!g"), Kind.GENERAL, "General"), Group(RoomId("!b"), Kind.GROUP, "Books"), HIDDEN),
)


def is_taken(name: str, by: UserId, but: RoomId | None = None) -> bool:
    try:
        refuse_taken(COMMUNITY, name, by, but)
    except Invalid as refused:
        return refused.key == "group_name_taken"
    return False


@pytest.mark.parametrize("by", [OWNER, ADMIN, MEMBER])
def test_a_name_is_taken_whatever_its_capitals(by: UserId) -> None:
    assert is_taken("BOOKS", by)
    assert is_taken("general", by)
    assert not is_taken("Walks", by)
    assert not is_taken("books", by, but=RoomId("!b"))


def test_the_name_of_a_hidden_group_is_taken_for_those_who_may_know_of_it() -> None:
    assert [is_taken("quiet", by) for by in (OWNER, ADMIN, MEMBER)] == [True, True, False]


def test_there_is_one_place_less_for_each_group_hidden_ones_counted() -> None:
    refuse_full(replace(COMMUNITY, settings=Settings(group_limit=3)))
    with pytest.raises(Invalid) as refused:
        refuse_full(replace(COMMUNITY, settings=Settings(group_limit=2)))
    assert refused.value.key == "group_limit"

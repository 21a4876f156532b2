"""Roles that people of other networks have in a room because of the chat it is linked to: only theirs, only by the bridge's word."""

from dataclasses import replace

import pytest

from haven.ids import UserId
from haven.lent import MOST, ROLES, lent_roles, read_roles, roles_content
from haven.model import Kind, Role
from haven.permissions import role_in
from haven.ports import Content, StateEvent
from haven.snapshot import Membership
from haven.stateevents import GROUP, LINK
from plugin.service.roles import Grant
from tests.haven.worlds import ANA, BO, BRIDGE, Village, village

ADA, BEN = UserId("@_haven_irc_ada:home.org"), UserId("@_haven_irc_ben:home.org")
KEY = "irc:#c"
LINKED: Content = {"version": 1, "network": "irc", "chat": "#c", "by": BO, "proven": True}


def said(content: Content, sender: UserId = BRIDGE, key: str = KEY) -> StateEvent:
    return StateEvent(ROLES, key, sender, content)


def test_what_is_written_is_read() -> None:
    roles = {ADA: Role.GROUP_ADMIN, BEN: Role.GROUP_ADMIN}
    assert read_roles(roles_content(roles)) == roles
    assert roles_content({}) == {}
    assert (
        len(
            read_roles(
                roles_content({UserId(f"@_haven_irc_{n}:h.t"): Role.ANNOUNCER for n in range(MOST + 9)})
            )
        )
        == MOST
    )


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"version": 1},
        {"version": 2, "roles": {ADA: "group-admin"}},
        {"version": 1, "roles": [ADA]},
        {"version": 1, "roles": {ADA: "admin"}},
        {"version": 1, "roles": {ADA: "owner"}},
        {"version": 1, "roles": {ADA: 60}},
        {"version": 1, "roles": {ANA: "group-admin"}},
        {"version": 1, "roles": {"_haven_": "group-admin", "": "group-admin"}},
    ],
)
def test_what_gives_nobody_anything(content: Content) -> None:
    assert read_roles(content) == {}


def test_only_the_bridges_word_on_a_linked_chat_counts_and_only_what_fits_the_room() -> None:
    content = roles_content({ADA: Role.GROUP_ADMIN})
    assert lent_roles([said(content)], BRIDGE, [KEY], Kind.GROUP) == {ADA: Role.GROUP_ADMIN}
    assert lent_roles([said(content)], BRIDGE, [], Kind.GROUP) == {}
    assert lent_roles([said(content)], None, [KEY], Kind.GROUP) == {}
    assert lent_roles([said(content, ANA)], BRIDGE, [KEY], Kind.GROUP) == {}
    for kind in (Kind.ANNOUNCEMENTS, Kind.GENERAL, Kind.ADMINS):
        assert lent_roles([said(content)], BRIDGE, [KEY], kind) == {}


@pytest.fixture
def place() -> Village:
    """The books are linked to a chat in which Ada has a say."""
    place = village()
    place.actors = replace(place.actors, bridge=BRIDGE)
    room = place.room("Books").id
    place.says(BO, room, LINK, LINKED, KEY)
    place.becomes(room, Membership.JOINED, BRIDGE, ADA)
    place.settle()
    place.says(BRIDGE, room, ROLES, roles_content({ADA: Role.GROUP_ADMIN}), KEY)
    place.settle()
    return place


def level(place: Village, room: str) -> float:
    return place.room(room).power.of(ADA)


def test_who_has_a_say_in_the_chat_has_the_level_in_its_room_alone(place: Village) -> None:
    assert (level(place, "Books"), level(place, "Walks"), place.hall.power.of(ADA)) == (60, 0, 0)
    assert place.room("Books").content(GROUP)["exceptions"] == {}, "it stands in no record of ours"
    assert not place.plan()


def test_it_ends_with_the_word_and_with_the_link(place: Village) -> None:
    room = place.room("Books").id
    place.says(BRIDGE, room, ROLES, roles_content({}), KEY)
    place.settle()
    assert level(place, "Books") == 0
    place.says(BRIDGE, room, ROLES, roles_content({ADA: Role.GROUP_ADMIN}), KEY)
    place.says(BO, room, LINK, {}, KEY)
    place.settle()
    assert level(place, "Books") == 0


def test_a_level_set_by_hand_is_drift_and_put_back(place: Village) -> None:
    place.gives_level(BO, place.room("Books").id, ADA, 0)
    place.settle()
    assert level(place, "Books") == 60


def test_what_an_admin_says_of_the_room_counts_for_more_and_taking_is_saying(place: Village) -> None:
    room = place.room("Books").id
    grant = Grant(ADA, Role.GROUP_ADMIN, room, taken=True)
    assert grant.held(place.community)
    place.settle(grant.carried_out)
    assert level(place, "Books") == 0
    assert not Grant(ADA, Role.GROUP_ADMIN, room, taken=True).held(place.community)
    again = Grant(ADA, Role.GROUP_ADMIN, room)
    assert not again.held(place.community)
    place.settle(again.carried_out)
    assert level(place, "Books") == 60
    place.says(BRIDGE, room, ROLES, roles_content({}), KEY)
    place.settle()
    assert level(place, "Books") == 60, "the community's own word does not end with the network's"


def test_a_lent_role_only_adds(place: Village) -> None:
    higher = place.community.with_role(ADA, Role.ADMIN)
    group = next(group for group in higher.groups if group.name == "Books")
    assert role_in(higher, group, ADA) is Role.ADMIN
    assert role_in(place.community, group, ADA) is Role.GROUP_ADMIN

"""Which names and descriptions people may give, and how a community is changed."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haven.errors import Invalid
from haven.ids import RoomId
from haven.model import Community, Group, JoinPolicy, Kind, Role, Settings, setting_choices, with_setting
from haven.texts import checked_description, checked_name, readable_description
from tests.haven.worlds import ANA, BO, EVA

ALLOWED = {
    "plain": "Fathers of Brno",
    "100 characters": "x" * 100,
    "family with joiners": "👨‍👩‍👧‍👦 at home",
    "flag": "🇨🇿🇪🇸",
    "flag of tags": "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "heart with selector": "❤️",
    "skin tone": "👍🏽",
    "keycap": "1️⃣",
    "an emoji younger than our tables": "\U0001fae9",
    "arabic": "آباء",
    "hebrew with a mark": "אבות\u200f (א)",
    "hindi": "पिता",
    "emoji alone": "⚽",
    "begins like a placeholder": "new:ideas",
}

REFUSED = {
    "empty": ("", "name_empty"),
    "spaces": (" \u00a0\u3000 ", "name_empty"),
    "zero width": ("\u200b\u200d\ufeff", "name_empty"),
    "hangul filler": ("\u3164", "name_empty"),
    "braille blank": ("\u2800\u2800", "name_empty"),
    "a mark alone": ("\u0301", "name_empty"),
    "101 characters": ("x" * 101, "name_too_long"),
    "line": ("two\nlines", "name_control"),
    "tab": ("a\tb", "name_control"),
    "null": ("a\x00b", "name_control"),
    "escape": ("\x1b[31mred", "name_control"),
    "c1": ("a\x9bb", "name_control"),
    "override": ("safe\u202egpj.exe", "name_control"),
    "isolate": ("a\u2066b", "name_control"),
    "line separator": ("a\u2028b", "name_control"),
    "surrogate": ("a\ud800", "name_control"),
    "noncharacter": ("a\uffff", "name_control"),
    "private use": ("a\ue000", "name_control"),
}


@pytest.mark.parametrize("name", ALLOWED.values(), ids=ALLOWED.keys())
def test_a_name_may_be(name: str) -> None:
    assert checked_name(f"  {name} ") == name


@pytest.mark.parametrize(("name", "key"), REFUSED.values(), ids=REFUSED.keys())
def test_a_name_may_not_be(name: str, key: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked_name(name)
    assert refused.value.key == key


def test_equal_names_are_equal() -> None:
    assert checked_name("Cafe\u0301") == "Caf\u00e9"
    assert len(checked_name("e\u0301" * 100)) == 100


@given(st.text())
def test_a_checked_name_stays_as_it_is(text: str) -> None:
    try:
        name = checked_name(text)
    except Invalid:
        return
    assert checked_name(name) == name == unicodedata.normalize("NFC", name)
    assert 1 <= len(name) <= 100


@given(st.text() | st.text(min_size=2_000, max_size=2_100))
def test_what_is_readable_of_any_text_is_a_description(text: str) -> None:
    readable = readable_description(text)
    assert checked_description(readable) == readable == readable_description(readable)


@given(st.text())
def test_a_description_is_read_as_it_was_checked(text: str) -> None:
    try:
        description = checked_description(text)
    except Invalid:
        return
    assert readable_description(description) == description


@pytest.mark.parametrize(
    ("text", "key"), [("x" * 2_049, "description_too_long"), ("bell\x07", "description_control")]
)
def test_a_description_may_not_be(text: str, key: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked_description(text)
    assert refused.value.key == key


def test_a_description_has_lines() -> None:
    assert checked_description(" one\n\ttwo 👨‍👩‍👧\n") == "one\n\ttwo 👨‍👩‍👧"


def test_settings_are_changed_in_words() -> None:
    settings = with_setting(Settings(), "join", " Open ")
    assert settings.join is JoinPolicy.OPEN
    assert with_setting(settings, "group_limit", "7").group_limit == 7
    assert setting_choices("replies") == ("off", "threads", "open")
    assert setting_choices("admin_limit") == ()


@pytest.mark.parametrize(
    ("name", "text", "key"),
    [
        ("colour", "red", "setting_unknown"),
        ("join", "maybe", "setting_value"),
        ("group_limit", "many", "setting_range"),
        ("group_limit", "0", "setting_range"),
        ("admin_limit", "1001", "setting_range"),
    ],
)
def test_a_setting_may_not_be(name: str, text: str, key: str) -> None:
    with pytest.raises(Invalid) as refused:
        with_setting(Settings(), name, text)
    assert refused.value.key == key


def test_roles_are_given_and_taken() -> None:
    community = Community(RoomId("!space"), "Fathers", ANA)
    assert community.role_of(ANA) is Role.OWNER
    assert community.with_role(BO, Role.ADMIN).role_of(BO) is Role.ADMIN
    assert community.with_role(BO, Role.ADMIN).with_role(BO, Role.MEMBER) == community
    assert community.with_role(ANA, Role.MEMBER).role_of(ANA) is Role.OWNER
    assert community.role_of(EVA) is Role.MEMBER


def test_a_group_is_added_or_replaced_in_its_place() -> None:
    books, walks = Group(RoomId("!b"), Kind.GROUP, "Books"), Group(RoomId("!w"), Kind.GROUP, "Walks")
    community = Community(RoomId("!space"), "Fathers", ANA).with_group(books).with_group(walks)
    renamed = community.with_group(Group(RoomId("!b"), Kind.GROUP, "Novels"))
    assert [group.name for group in renamed.groups] == ["Novels", "Walks"]
    assert renamed.group(RoomId("!w")) == walks
    assert renamed.only(Kind.ADMINS) is None

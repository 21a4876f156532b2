"""Whom and which room a word means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haven.ids import RoomId, UserId
from plugin.addresses import alias_in, pills_in, room_in, room_link, user_in, user_link

ANA = UserId("@ana:haven.test")


@pytest.mark.parametrize(
    "word",
    [
        "@ana:haven.test",
        "https://matrix.to/#/@ana:haven.test",
        "https://matrix.to/#/%40ana%3Ahaven.test",
        "https://matrix.to/#/@ana:haven.test?via=haven.test&via=other.test",
        "<https://matrix.to/#/@ana:haven.test>",
        "http://www.matrix.to/#/@ana:haven.test",
        "matrix:u/ana:haven.test",
        "matrix:u/ana:haven.test?action=chat",
    ],
)
def test_people_in_every_spelling(word: str) -> None:
    assert user_in(word) == ANA


@pytest.mark.parametrize(
    "word",
    [
        "ana",
        "@ana",
        "@ana:",
        "ana:haven.test",
        "@ana:haven.test/x",
        "#ana:haven.test",
        "",
        "@a:b c",
        "@" + "a" * 250 + ":haven.test",
    ],
)
def test_what_is_nobody(word: str) -> None:
    assert user_in(word) is None


@pytest.mark.parametrize(
    ("word", "room"),
    [
        ("!abc:haven.test", "!abc:haven.test"),
        ("!OAqbXNversion12", "!OAqbXNversion12"),
        ("https://matrix.to/#/!OAqbXNversion12?via=haven.test", "!OAqbXNversion12"),
        ("https://matrix.to/#/%21abc%3Ahaven.test/$event?via=haven.test", "!abc:haven.test"),
        ("matrix:roomid/abc:haven.test", "!abc:haven.test"),
    ],
)
def test_rooms_in_every_spelling(word: str, room: str) -> None:
    assert room_in(word) == room
    assert user_in(word) is None


@pytest.mark.parametrize(
    "word", ["#padres:haven.test", "https://matrix.to/#/%23padres:haven.test", "matrix:r/padres:haven.test"]
)
def test_aliases_in_every_spelling(word: str) -> None:
    assert alias_in(word) == "#padres:haven.test"
    assert room_in(word) is None


@given(st.from_regex(r"@[a-z0-9._=/+-]{1,20}:haven\.test", fullmatch=True))
def test_our_own_links_lead_back(user: str) -> None:
    assert user_in(user_link(UserId(user))) == user


@given(st.from_regex(r"![A-Za-z0-9_-]{1,43}(:haven\.test)?", fullmatch=True))
def test_links_to_rooms_lead_back(room: str) -> None:
    assert room_in(room_link(RoomId(room), ("haven.test", "[::1]:8448"))) == room
    assert room_in(room_link(RoomId(room), (), "$event")) == room


@given(st.text())
def test_no_text_is_too_strange(text: str) -> None:
    found = (user_in(text), room_in(text), alias_in(text) or None)
    assert all(one is None or one[0] == sigil for one, sigil in zip(found, "@!#", strict=True))
    assert all(0 <= pill.start < pill.end <= len(text) for pill in pills_in(text, text))

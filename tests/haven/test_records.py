"""What a room keeps of what is said: history for newcomers, for how long, and encryption, which nobody takes back."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haven.ids import RoomVersion
from haven.model import RETENTIONS, Group, History
from haven.ports import Content
from haven.stateevents import (
    ENCRYPTION,
    HISTORY,
    RETENTION,
    encryption_content,
    history_content,
    is_encrypted,
    read_history,
    read_retention,
    retention_content,
)
from tests.haven.worlds import BO, VERSIONS, Edit, Village, json_values, village

each_version = pytest.mark.parametrize("version", VERSIONS)
DAY = 24 * 3_600_000
contents = st.dictionaries(
    st.sampled_from(["history_visibility", "max_lifetime", "min_lifetime", "algorithm", "x"]),
    json_values
    | st.sampled_from(["joined", "invited", "shared", "world_readable", DAY, "m.megolm.v1.aes-sha2"]),
)


def _books(place: Village) -> Group:
    return next(group for group in place.community.groups if group.name == "Books")


def _set(place: Village, **fields: object) -> Edit:
    return lambda c: c.with_group(replace(_books(place), **fields))  # type: ignore[arg-type]  # fields of a group


@each_version
def test_history_is_from_joining_on_unless_it_is_shared(version: RoomVersion) -> None:
    place = village(version=version)
    assert {group.history for group in place.community.groups} == {History.JOINED}
    for history in (History.SHARED, History.JOINED):
        place.settle(_set(place, history=history))
        assert _books(place).history is history
        assert place.room("Books").content(HISTORY) == {"history_visibility": str(history)}


@pytest.mark.parametrize(
    ("by_hand", "after"),
    [("invited", "invited"), ("shared", "shared"), ("world_readable", "shared"), ("nonsense", "joined")],
)
def test_history_set_by_hand_is_kept_but_never_for_the_world(by_hand: str, after: str) -> None:
    place = village()
    place.says(BO, place.room("Books").id, HISTORY, {"history_visibility": by_hand})
    place.settle()
    assert place.room("Books").content(HISTORY) == {"history_visibility": after}


@pytest.mark.parametrize("name", list(RETENTIONS))
def test_messages_disappear_after_what_is_set(name: str) -> None:
    place = village()
    books = place.room("Books").id
    place.says(BO, books, RETENTION, {"max_lifetime": 5, "min_lifetime": 1})
    assert _books(place).retention == 5
    place.settle(_set(place, retention=RETENTIONS[name]))
    lifetime = {} if name == "off" else {"max_lifetime": RETENTIONS[name]}
    assert place.room("Books").content(RETENTION) == {"min_lifetime": 1, **lifetime}
    assert _books(place).retention == RETENTIONS[name]


def test_nothing_is_written_about_what_nobody_asked_for() -> None:
    place = village()
    assert not any(
        (kind, "") in room.state for room in place.world.values() for kind in (RETENTION, ENCRYPTION)
    )


def test_encryption_is_switched_on_and_never_off() -> None:
    place = village()
    place.settle(_set(place, encrypted=True))
    assert _books(place).encrypted
    assert not place.plan(_set(place, encrypted=False)).changes


@given(contents, st.sampled_from(list(History)), st.none() | st.integers(1, 2**40), st.booleans())
def test_what_is_written_is_read_back_and_written_once(
    before: Content, history: History, retention: int | None, encrypted: bool
) -> None:
    shown = history_content(history, before)
    assert read_history(shown) is history
    assert shown.get("history_visibility") != "world_readable"
    assert history_content(history, shown) == shown
    kept = retention_content(retention, before)
    assert read_retention(kept) == retention
    assert retention_content(retention, kept) == kept
    sealed = encryption_content(encrypted, before)
    assert is_encrypted(sealed) is (encrypted or is_encrypted(before))
    assert encryption_content(encrypted, sealed) == sealed

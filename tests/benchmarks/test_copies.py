"""Tests of how a community is copied."""

from benchmarks.copies import renamed


def test_names_are_replaced_wherever_they_stand() -> None:
    content = {"allow": [{"room_id": "!a"}], "!a": {"slot": "wish/3"}}
    assert renamed(content, {"!a": "!b", "wish": "wish-1"}) == {
        "allow": [{"room_id": "!b"}],
        "!b": {"slot": "wish-1/3"},
    }

"""Rules of ban lists: read in every spelling, and matched as the specification says."""

import base64
import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haven.ids import EventId, RoomId, UserId
from haven.policies import PATTERNS_LIMIT, Rule, Subject, fits, is_list, rulebook, rules_of
from haven.ports import Content, StateEvent
from haven.snapshot import Room
from tests.haven.worlds import STRANGER, json_values, stranger_room

LIST = RoomId("!list")
EVA = UserId("@eva:away.net")


def said(kind: str, key: str, content: Content) -> StateEvent:
    return StateEvent(kind, key, STRANGER, content, EventId(f"${kind}{key}"), 1)


def user_rule(entity: str, **more: object) -> Content:
    return {"entity": entity, "recommendation": "m.ban", "reason": "spam", **more}


def a_list(*events: StateEvent) -> Room:
    return stranger_room(LIST, *events)


letters = st.text(st.sampled_from("ab*?.@:é"), max_size=12)


def reference(pattern: str, text: str) -> bool:
    """The same by regular expressions: slow for many stars, and plain."""
    parts = {"*": ".*", "?": "."}
    return re.fullmatch("".join(parts.get(c, re.escape(c)) for c in pattern), text, re.DOTALL) is not None


@given(letters, letters)
def test_patterns_mean_what_the_specification_says(pattern: str, text: str) -> None:
    assert fits(pattern, text) == reference(pattern, text)


@given(st.text(max_size=30), st.data())
def test_a_text_with_parts_replaced_by_stars_still_fits(text: str, data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(begin, len(text)))
    if "*" not in text and "?" not in text:
        assert fits(f"{text[:begin]}*{text[end:]}", text)
        assert fits("".join("?" if data.draw(st.booleans()) else c for c in text), text)


def test_a_malicious_pattern_is_judged_in_no_time() -> None:
    """By backtracking this would take longer than anybody lives."""
    assert not fits("*a" * 200 + "b", "a" * 250)


@pytest.mark.parametrize("kind", ["m.policy.rule.user", "m.room.rule.user", "org.matrix.mjolnir.rule.user"])
@pytest.mark.parametrize("asked", ["m.ban", "org.matrix.mjolnir.ban", "m.takedown"])
def test_every_spelling_of_a_ban_is_read(kind: str, asked: str) -> None:
    (rule,) = rules_of(a_list(said(kind, "k", user_rule(EVA, recommendation=asked))))
    assert rule == Rule(LIST, Subject.USER, EVA, "spam")


DAMAGED: list[Content] = [
    {},
    {"entity": EVA},
    {"entity": EVA, "recommendation": "m.applaud"},
    {"entity": 5, "recommendation": "m.ban"},
    {"entity": "", "recommendation": "m.ban"},
    {"entity": "x" * 600, "recommendation": "m.ban"},
    {"recommendation": "m.ban", "hashes": {"sha256": "?"}},
    {"recommendation": "m.ban", "hashes": {"sha256": "YWJj"}},
    {"recommendation": ["m.ban"], "entity": EVA},
]


@pytest.mark.parametrize("content", DAMAGED, ids=str)
def test_what_is_damaged_or_asks_for_something_else_is_no_rule(content: Content) -> None:
    assert rules_of(a_list(said("m.policy.rule.user", "k", content))) == ()


@given(json_values, json_values, json_values)
def test_whatever_an_event_holds_is_survived(entity: object, asked: object, hashes: object) -> None:
    content = {"entity": entity, "recommendation": asked, "hashes": hashes, "reason": asked}
    assert len(rules_of(a_list(said("m.policy.rule.server", "k", content)))) <= 1


def test_of_two_spellings_under_one_key_todays_counts_also_taken_back() -> None:
    old = said("org.matrix.mjolnir.rule.user", "k", user_rule(EVA))
    assert rules_of(a_list(old, said("m.policy.rule.user", "k", {}))) == ()
    assert len(rules_of(a_list(old, said("m.policy.rule.user", "other", {})))) == 1


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_an_entity_given_by_its_hash(encode: object) -> None:
    digest = hashlib.sha256(EVA.encode()).digest()
    for text in (encode(digest).decode(), encode(digest).decode().rstrip("=")):  # type: ignore[operator]  # either encoder
        content = {"recommendation": "m.takedown", "org.matrix.msc4205.hashes": {"sha256": text}}
        book = rulebook(rules_of(a_list(said("m.policy.rule.user", "k", content))))
        assert book.on(EVA) is not None
        assert book.on(UserId("@fil:away.net")) is None


def rule(subject: Subject, entity: str) -> Rule:
    return Rule(LIST, subject, entity)


MATCHES = [
    (Subject.USER, "@eva:away.net", True),
    (Subject.USER, "@eva*:away.net", True),
    (Subject.USER, "@*:away.net", True),
    (Subject.USER, "@ev?:away.net", True),
    (Subject.USER, "@EVA:away.net", False),
    (Subject.USER, "away.net", False),
    (Subject.USER, "*", True),
    (Subject.SERVER, "away.net", True),
    (Subject.SERVER, "AWAY.net", True),
    (Subject.SERVER, "*.net", True),
    (Subject.SERVER, "*.away.net", False),
    (Subject.SERVER, "@eva:away.net", False),
    (Subject.ROOM, "@eva:away.net", False),
    (Subject.ROOM, "*", False),
]


@pytest.mark.parametrize(("subject", "entity", "named"), MATCHES, ids=str)
def test_whom_a_rule_names(subject: Subject, entity: str, named: bool) -> None:
    assert (rulebook([rule(subject, entity)]).on(EVA) is not None) is named


def test_a_server_is_named_with_or_without_its_port() -> None:
    for entity in ("away.net", "away.net:8448", "away.net:*"):
        assert rulebook([rule(Subject.SERVER, entity)]).on(UserId("@eva:away.net:8448"))
    assert rulebook([rule(Subject.SERVER, "2001:db8:")]).on(UserId("@eva:[2001:db8::1]")) is None


def test_some_rules_can_be_left_out() -> None:
    wide, narrow = rule(Subject.USER, "*"), rule(Subject.USER, EVA)
    book = rulebook([wide, narrow])
    assert set(book.all_on([EVA])) == {wide, narrow}
    assert book.without([wide]).on(UserId("@fil:home.org")) is None
    assert book.without([wide]).on(EVA) == narrow


def test_what_a_list_is() -> None:
    assert not is_list(a_list())
    assert is_list(a_list(said("m.policy.rule.room", "k", {})))
    assert is_list(a_list(said("org.matrix.mjolnir.shortcode", "", {"shortcode": "x"})))


def test_of_patterns_no_more_are_tried_than_nobody_waits_for() -> None:
    """A hostile list could keep us busy for ever; who is named in full is named however many there are."""
    wide = [rule(Subject.USER, f"@wide{n}.*:away.net") for n in range(PATTERNS_LIMIT + 1)]
    full = [rule(Subject.USER, f"@full{n}:away.net") for n in range(PATTERNS_LIMIT + 1)]
    other = Rule(RoomId("!other"), Subject.USER, "@eva*:away.net")
    book = rulebook([*wide, *full, other])
    assert book.on(UserId(f"@wide{PATTERNS_LIMIT - 1}.x:away.net"))
    assert book.on(UserId(f"@wide{PATTERNS_LIMIT}.x:away.net")) is None
    assert book.on(UserId(f"@full{PATTERNS_LIMIT}:away.net"))
    assert book.on(EVA) == other

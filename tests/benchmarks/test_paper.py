"""Tests of rooms on paper: copies differ in every id and in nothing else."""

import json
from urllib.parse import quote

from benchmarks.paper import Paper, renumbered
from embedded.matrix import Json
from embedded.proxy import Answered, Asked

SPACE, ROOM, EVENT = "!" + "a" * 43, "!" + "b" * 43, "$" + "c" * 43
CONTENT = {"room": ROOM, "slot": "group/" + "d" * 43, "n": 5}
STATE = [{"type": "m.space.parent", "state_key": SPACE, "event_id": EVENT, "content": CONTENT}]


def paper(copies: int = 0, members: int = 0) -> Paper:
    """With copies there, nothing else can be seen."""
    return Paper({SPACE: "[]", ROOM: json.dumps(STATE)}, copies, members, bool(copies), "haven.test")


def asked(room: str) -> Asked:
    return Asked(1, "GET", f"/_matrix/client/v3/rooms/{quote(room, safe='')}/state", {}, b"")


def told(answer: Answered | None) -> Json:
    assert answer is not None
    return {"answer": json.loads(answer.body)}


def test_a_copy_has_other_ids_and_the_same_rest() -> None:
    (event,) = json.loads(renumbered(json.dumps(STATE), 7))
    assert event["state_key"] == "!" + "a" * 38 + "00007"
    assert event["content"] == {"room": renumbered(ROOM, 7), "slot": "group/" + "d" * 38 + "00007", "n": 5}
    assert event["event_id"] not in (EVENT, event["state_key"])


def test_copies_are_all_that_can_be_seen() -> None:
    rooms = told(paper(copies=2).before(Asked(1, "GET", "/_matrix/client/v3/joined_rooms", {}, b"")))
    assert rooms == {"answer": {"joined_rooms": [renumbered(r, n) for n in (0, 1) for r in (SPACE, ROOM)]}}


def test_the_state_of_a_copy_is_that_of_the_original_and_its_members() -> None:
    here = paper(copies=2, members=2)
    events = told(here.before(asked(renumbered(ROOM, 1))))["answer"]
    assert events[0] == json.loads(renumbered(json.dumps(STATE), 1))[0]
    assert [event["state_key"] for event in events[1:]] == ["@somebody0:haven.test", "@somebody1:haven.test"]
    assert here.before(asked(ROOM)) is None


def test_real_rooms_are_the_homeservers_affair_but_for_the_members() -> None:
    here = paper(members=1)
    assert here.before(asked(ROOM)) is None
    events = told(here.after(asked(ROOM), Answered(200, b"[]")))["answer"]
    assert [event["state_key"] for event in events] == ["@somebody0:haven.test"]
    assert paper().after(asked(ROOM), Answered(200, b"[]")) is None

"""What is taken for what by a reader, and that no ghost is shown like somebody who is at home in the room."""

import tomllib
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.convert.likeness import likeness
from bridge.convert.names import safe_name
from bridge.faces import Faces
from bridge.rooms import Face, RoomView
from bridge.store import Known
from haven.ids import Network, RemoteUserId, UserId

CORPUS = tomllib.loads(files("tests.bridge").joinpath("corpus", "likeness.toml").read_text(encoding="utf-8"))
GHOST = UserId("@_haven_irc_abcdefgh:haven.test")


def known(name: str) -> Known:
    return Known(GHOST, Network("irc"), RemoteUserId("nick:x"), name)


def room_of(*names: str) -> RoomView:
    view = RoomView()
    for number, name in enumerate(names):
        view.member(UserId(f"@u{number}:haven.test"), {"membership": "join", "displayname": name})
    return view


@pytest.mark.parametrize("case", CORPUS["alike"], ids=lambda case: case["other"])
def test_names_that_a_reader_takes_for_one_another(case: dict[str, str]) -> None:
    assert likeness(case["one"]) == likeness(case["other"])
    shown = Faces("{name}").of(known(case["other"]), room_of(case["one"])).name
    assert likeness(shown) != likeness(case["one"])
    assert shown.endswith("(irc)")


@pytest.mark.parametrize("case", CORPUS["apart"], ids=lambda case: case["other"])
def test_names_that_nobody_confuses(case: dict[str, str]) -> None:
    assert likeness(case["one"]) != likeness(case["other"])
    face = Faces("{name}").of(known(case["other"]), room_of(case["one"]))
    assert face == Face(case["other"])


def test_who_goes_or_takes_another_name_frees_theirs() -> None:
    view, alice = room_of("Alice", "Alice"), UserId("@u1:haven.test")
    view.member(alice, {"membership": "join", "displayname": "Eva"})
    assert Faces("{name}").of(known("ALICE"), view).name == "ALICE (irc)"
    view.member(UserId("@u0:haven.test"), {"membership": "leave"})
    assert Faces("{name}").of(known("ALICE"), view).name == "ALICE"
    assert Faces("{name}").of(known("EVA"), view).name == "EVA (irc)"


def test_a_ghost_is_not_like_somebody_for_other_ghosts() -> None:
    view = RoomView()
    view.member(GHOST, {"membership": "join", "displayname": "Bob"})
    assert Faces("{name}").of(known("bob"), view).name == "bob"


@given(
    st.lists(st.text(max_size=20), max_size=4),
    st.text(max_size=80),
    st.sampled_from(["{name}", "{name} ({network})"]),
)
def test_no_face_is_ever_like_somebodys(names: list[str], name: str, template: str) -> None:
    view = room_of(*names, name, safe_name(name, "?"), f"{name} (irc)")
    face = Faces(template).of(known(name), view)
    assert not view.is_like_somebody(face.name)
    assert face.name == safe_name(face.name, "")


def test_a_name_as_long_as_can_be_keeps_what_sets_it_apart() -> None:
    name = "a" * 64
    shown = Faces("{name}").of(known(name), room_of(name)).name
    assert shown.endswith("(irc)")
    assert not room_of(name).is_like_somebody(shown)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("+49 170 1555123", "… (irc)"),
        ("Ada 491701555123", "Ada … (irc)"),
        ("ada@example.org", "… (irc)"),
        ("Ada 2001", "Ada 2001 (irc)"),
    ],
)
def test_nobody_is_shown_by_number_or_address(name: str, shown: str) -> None:
    assert Faces("{name} ({network})").of(known(name), room_of()).name == shown

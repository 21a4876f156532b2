"""The code that proves a link."""

from dataclasses import replace

import pytest

from bridge.links import Linked
from bridge.proof import LENGTH, LETTERS, code_for, says_code
from bridge.to_matrix import transaction_id
from haven.ids import ChatId, EventId, Network, RoomId, UserId

KEY = b"0123456789abcdef"
LINK = Linked(RoomId("!r"), Network("irc"), ChatId("#c"), UserId("@a:b"), EventId("$1"))


def other(**values: object) -> Linked:
    return replace(LINK, **values)  # type: ignore[arg-type]  # fields of a link, by name


def test_each_request_and_each_bridge_has_its_own_code() -> None:
    links = [LINK, other(room=RoomId("!s")), other(chat=ChatId("#d")), other(event=EventId("$2"))]
    codes = {code_for(KEY, link) for link in links} | {code_for(b"another key 1234", LINK)}
    assert len(codes) == 5
    assert all(len(code) == LENGTH and set(code) <= set(LETTERS) for code in codes)
    assert code_for(KEY, LINK) == code_for(KEY, other())


@pytest.mark.parametrize(
    "text", ["ACDEFG", "acdefg", " AcDeFg ", "haven ACDEFG", "!haven acdefg", "Haven: ACDEFG"]
)
def test_the_code_is_heard(text: str) -> None:
    assert says_code(text, "ACDEFG")


@pytest.mark.parametrize(
    "text", ["", "ACDEF", "ACDEFGH", "the code is ACDEFG", "ACDEFG ACDEFG", "haven", "heaven ACDEFG"]
)
def test_other_words_are_not(text: str) -> None:
    assert not says_code(text, "ACDEFG")


def test_transaction_ids_differ_by_ghost_message_part_and_link() -> None:
    ids = {
        transaction_id(link, UserId(f"@g{ghost}:b"), f"m{message}", part)
        for link in (LINK, other(room=RoomId("!s")))
        for ghost in range(20)
        for message in range(1000)
        for part in range(3)
    }
    assert len(ids) == 2 * 20 * 1000 * 3

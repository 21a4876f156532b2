"""Which names in a text are somebody, and which are not."""

import pytest

from bridge.convert.mentions import addressed, marked
from bridge.message import Mention, Span, Style, Text, plain, spans
from haven.ids import UserId

ADA, ANA, BEN, BEN_TOO, ADA_LONG = (
    UserId(f"@{name}:example.org") for name in ("ada", "ana", "ben", "ben2", "adalong")
)
MEMBERS = ((ADA, "Ada"), (ANA, "Ana, la de Cuba"), (BEN, "Ben"), (BEN_TOO, "Ben"), (ADA_LONG, "Ada Lovelace"))
CODE = frozenset({Style.CODE})


def meant(text: Text) -> list[tuple[str, UserId]]:
    """The words that mention somebody, and whom."""
    found = addressed(text, MEMBERS, lambda user: user != "@bot:example.org")
    assert plain(found) == plain(text)
    return [
        (span.text, span.mention.user) for span in found if span.mention is not None and span.mention.user
    ]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Ada: hello", [("Ada", ADA)]),
        ("Ada, hello", [("Ada", ADA)]),
        ("Ada Lovelace: hello", [("Ada Lovelace", ADA_LONG)]),
        ("Ana, la de Cuba: hello", [("Ana, la de Cuba", ANA)]),
        ("hello @Ada", [("@Ada", ADA)]),
        ("hello @Ada and @Ana, la de Cuba!", [("@Ada", ADA), ("@Ana, la de Cuba", ANA)]),
        ("@Ada Lovelace", [("@Ada Lovelace", ADA_LONG)]),
        ("Ada hello", []),
        ("hello Ada: you", []),
        ("Adam: hello", []),
        ("hello @Adam", []),
        ("mail@Ada", []),
        ("Ben: which one?", []),
        ("@Ben which one?", []),
        ("nobody: hello", []),
        ("", []),
    ],
)
def test_names_call_who_is_called_so(words: str, expected: list[tuple[str, UserId]]) -> None:
    assert meant(spans(words)) == expected


def test_code_and_links_call_nobody() -> None:
    assert meant((Span("Ada: hello", CODE), Span(" @Ada", link="https://example.org"))) == []


def test_who_may_not_be_called_is_not() -> None:
    assert addressed(spans("Ada: hello"), MEMBERS, lambda user: user != ADA) == spans("Ada: hello")


def test_only_the_first_place_where_words_stand_alone_is_marked() -> None:
    everybody = Mention()
    assert marked(spans("rooms@rooms @room @room"), "@room", everybody) == (
        Span("rooms@rooms "),
        Span("@room", mention=everybody),
        Span(" @room"),
    )

"""XEP-0393 both ways: what its signs mean, and which are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.message import Span, Style, plain
from bridge.networks.xmpp_styling import read_styling, write_styling

B, I, S, C, P, Q = (  # noqa: E741 - the letter of its sign
    frozenset({style})
    for style in (Style.BOLD, Style.ITALIC, Style.STRIKE, Style.CODE, Style.PRE, Style.QUOTE)
)


@pytest.mark.parametrize(
    ("body", "spans"),
    [
        ("plain words", [Span("plain words")]),
        ("", []),
        ("*strong*", [Span("strong", B)]),
        ("so *very strong* here", [Span("so "), Span("very strong", B), Span(" here")]),
        ("_a_ ~b~ `c`", [Span("a", I), Span(" "), Span("b", S), Span(" "), Span("c", C)]),
        ("*_both_*", [Span("both", B | I)]),
        ("`*code*`", [Span("*code*", C)]),
        ("2*3*4", [Span("2*3*4")]),
        ("* not strong*", [Span("* not strong*")]),
        ("*not strong *", [Span("*not strong *")]),
        ("snake_case_name", [Span("snake_case_name")]),
        ("*over\nlines*", [Span("*over\n"), Span("lines*")]),
        ("> quoted *so*\nand not", [Span("quoted ", Q), Span("so", Q | B), Span("\n", Q), Span("and not")]),
        ("```\nx = *y*\n```\nafter", [Span("x = *y*\n", P), Span("after")]),
        ("```\nno end", [Span("no end", P)]),
        ("**", [Span("**")]),
        ("https://x.example/a_b_c", [Span("https://x.example/a_b_c")]),
    ],
)
def test_signs_are_read_as_the_xep_says(body: str, spans: list[Span]) -> None:
    assert list(read_styling(body)) == spans


def test_who_says_that_no_signs_are_meant_is_believed() -> None:
    assert read_styling("*a*", plain=True) == (Span("*a*"),)


@pytest.mark.parametrize(
    ("spans", "body"),
    [
        ([Span("a "), Span("b", B), Span(" c")], "a *b* c"),
        ([Span(" spaced ", I)], " _spaced_ "),
        ([Span("two\nlines", B)], "*two*\n*lines*"),
        ([Span("x\n", P)], "```\nx\n```\n"),
        ([Span("before"), Span("x", P)], "before\n```\nx\n```\n"),
        ([Span("said\n", Q), Span("answer")], "> said\nanswer"),
        ([Span("more "), Span("quoted\n", Q)], "more quoted\n"),
        ([Span("here", link="https://x.example/")], "here (https://x.example/)"),
        ([Span("https://x.example/", link="https://x.example/")], "https://x.example/"),
        ([Span("a*b", B)], "a*b"),
        ([Span("x", B | I)], "_*x*_"),
    ],
)
def test_signs_are_written_where_they_will_be_read(spans: list[Span], body: str) -> None:
    assert write_styling(tuple(spans)) == body


@given(st.text())
def test_reading_never_fails_and_invents_nothing(body: str) -> None:
    said = plain(read_styling(body))
    assert set(said) <= set(body) | {"\n"}


@given(st.text(alphabet="ab *_~`>\n"), st.sampled_from([B, I, S, C, frozenset[Style]()]))
def test_writing_keeps_every_word(text: str, styles: frozenset[Style]) -> None:
    written = write_styling((Span(text, styles),))
    letters = [char for char in written if char in "ab"]
    assert letters == [char for char in text if char in "ab"]

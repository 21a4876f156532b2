"""Text on its way to IRC and back: formatting survives, lines stay short, nothing gets in that is no text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.message import Attachment, Kind, Message, Span, Style, Text, plain
from bridge.networks.irc_format import read
from bridge.networks.irc_lines import LEAST_BUDGET, clusters, cut_bytes, lines
from bridge.networks.irc_palette import colour_of, number_of
from bridge.networks.irc_settings import IrcSettings
from bridge.networks.irc_wording import budget, wire_lines
from haven.ids import ChatId

SETTINGS = IrcSettings(
    host="irc.example.org",
    port=6667,
    tls=False,
    tls_verify=True,
    nick="haven",
    user="haven",
    realname="",
    account="",
    password="",
)
CHAT = ChatId("#fathers")
STYLES = frozenset({Style.BOLD, Style.ITALIC, Style.UNDERLINE, Style.STRIKE, Style.CODE})
COLOURS = st.sampled_from([None, *(colour_of(number) for number in range(16))])
WORDS = st.text(st.characters(blacklist_categories=("C", "Zl", "Zp")), min_size=1)
LOOKS = st.builds(
    Span,
    text=WORDS,
    styles=st.frozensets(st.sampled_from(sorted(STYLES))),
    colour=COLOURS,
    background=COLOURS,
)
ANYTHING = st.text(st.characters())
ANY_SPANS = st.lists(
    st.builds(
        Span,
        text=ANYTHING,
        styles=st.frozensets(st.sampled_from(Style)),
        colour=COLOURS,
        link=st.none() | ANYTHING,
    ),
    max_size=5,
).map(tuple)
CODES = re.compile(r"\x03(\d\d(,\d\d)?)?|[\x02\x11\x1d\x1e\x1f]")


def looks(text: Text) -> list[Span]:
    """One span a character, so that texts compare whatever their spans."""
    return [Span(char, span.styles, span.colour, span.background) for span in text for char in span.text]


@given(st.lists(LOOKS, max_size=6).map(tuple))
def test_formatting_comes_back_as_it_went(text: Text) -> None:
    written = lines(text, 100_000, 1)
    if plain(text).strip():
        assert looks(read(written[0])) == looks(text)
    else:
        assert written == ()


@given(ANYTHING)
def test_any_line_is_read_without_control_characters(line: str) -> None:
    assert all(char.isprintable() or ord(char) > 159 for char in plain(read(line)))


@given(ANY_SPANS, st.integers(LEAST_BUDGET, 400), st.integers(1, 20))
def test_lines_are_short_whole_and_few(text: Text, size: int, most: int) -> None:
    written = lines(text, size, most)
    assert len(written) <= most
    for line in written:
        assert len(line.encode()) <= size
        assert not set("\r\n\0\x01\x0f\x16\x04") & set(line)


@given(st.lists(LOOKS, max_size=6).map(tuple), st.integers(LEAST_BUDGET, 200))
def test_breaking_loses_nothing_but_blanks(text: Text, size: int) -> None:
    written = "".join(plain(read(line)) for line in lines(text, size, 10_000))
    assert written.replace(" ", "") == plain(text).replace(" ", "")


@given(
    st.lists(st.builds(Span, text=ANYTHING), max_size=3).map(tuple),
    st.sampled_from(Kind),
    st.text(max_size=20),
)
def test_what_goes_on_the_wire_is_one_command_a_line_within_512_bytes(
    text: Text, kind: Kind, nick: str
) -> None:
    message = Message(text, kind, attachments=(Attachment(nick or "a", "https://example.org/x"),))
    prefix = f":{SETTINGS.nick}_99!~{SETTINGS.user}@{'h' * 63} "
    for line in wire_lines(SETTINGS, CHAT, message):
        assert len(f"{prefix}{line}\r\n".encode()) <= 512
        assert not set("\r\n\0") & set(line)
        assert line.startswith(("PRIVMSG #fathers :", "NOTICE #fathers :"))


def test_long_lines_break_between_words() -> None:
    words = " ".join(f"word{number}" for number in range(60))
    written = lines((Span(words),), 100, 100)
    assert " ".join(written) == words
    assert all(len(line) <= 100 for line in written)
    assert not [line for line in written if not re.fullmatch(r"(word\d+ ?)+", line)]


def test_formatting_goes_on_in_the_next_line() -> None:
    written = lines((Span("strong " * 30, frozenset({Style.BOLD})), Span("red", colour="#ff0000")), 90, 100)
    assert len(written) > 2
    assert all(line.startswith("\x02") for line in written)
    assert written[-1].endswith("\x0304\x02red")


@pytest.mark.parametrize(
    "character",
    ["é", "n\u0303", "👩\u200d👩\u200d👧", "🇪🇸", "👍🏽", "नि", "✌️"],
    ids=lambda char: f"{len(char)} code points",
)
def test_characters_are_never_split(character: str) -> None:
    assert list(clusters(character * 3)) == [character] * 3
    for line in lines((Span(character * 100),), LEAST_BUDGET, 1000):
        assert line.replace(character, "") == ""
    assert cut_bytes(character * 3, len(character.encode()) * 2 + 1) == character * 2


def test_a_heap_of_marks_is_broken_all_the_same() -> None:
    assert all(len(line.encode()) <= 100 for line in lines((Span("a" + "\u0301" * 1000),), 100, 1000))


def test_what_is_too_long_says_how_much_is_missing() -> None:
    assert lines((Span("\n".join("abcdefgh")),), 100, 4) == ("a", "b", "c", "… (+5)")


def test_a_quote_a_link_and_a_spoiler_are_readable() -> None:
    text = (
        Span("Ada: hi\nthere\n", frozenset({Style.QUOTE})),
        Span("see "),
        Span("this", link="https://example.org/"),
    )
    assert lines(text, 100, 10) == ("> Ada: hi", "> there", "see this (https://example.org/)")
    assert lines((Span("dies", frozenset({Style.SPOILER})),), 100, 10) == ("\x0301,01dies",)


def test_actions_and_notices_have_their_commands() -> None:
    assert list(wire_lines(SETTINGS, CHAT, Message((Span("waves"),), Kind.ACTION))) == [
        "PRIVMSG #fathers :\x01ACTION waves\x01"
    ]
    assert list(wire_lines(SETTINGS, CHAT, Message((Span("beep"),), Kind.NOTICE))) == [
        "NOTICE #fathers :beep"
    ]
    assert budget(SETTINGS, CHAT, Kind.TEXT) - budget(SETTINGS, CHAT, Kind.ACTION) == 9


def test_colours_are_the_nearest_that_all_know() -> None:
    assert [
        number_of(colour) for colour in ("#ffffff", "#FF0000", "#fe0101", "#470000", "red", "#12345")
    ] == [0, 4, 4, 16, 99, 99]

"""What people try with Matrix's HTML, and with the words of a network: nothing but what the specification allows comes out, nothing breaks a line of
IRC.
"""

import re
import tomllib
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from bridge.convert.characters import clean
from bridge.convert.from_html import spans_of
from bridge.convert.from_matrix import read_content
from bridge.convert.plainer import body_of, named
from bridge.convert.to_html import html_of
from bridge.convert.to_matrix import drafts_of
from bridge.i18n import Voice
from bridge.message import Mention, Message, Span, Style, Text, spans
from bridge.networks.irc_lines import lines
from haven.ids import UserId

Case = tuple[str, str, str | None]
ALLOWED = {
    **dict.fromkeys(("strong", "em", "u", "del", "code", "pre", "blockquote", "br"), frozenset[str]()),
    "span": frozenset({"data-mx-color", "data-mx-bg-color", "data-mx-spoiler"}),
    "a": frozenset({"href"}),
}
"""What we write of what the specification lets clients show ("m.room.message msgtypes")."""


def corpus() -> list[Case]:
    table = tomllib.loads(files("tests.bridge").joinpath("corpus", "sanitiser.toml").read_text())
    return [
        (came, words, html[0] if html else None) for part in table.values() for came, words, *html in part
    ]


CASES = corpus()


class Inspector(HTMLParser):
    """Refuses every tag, attribute and value that is not allowed."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert {name for name, _ in attrs} <= ALLOWED[tag]
        for name, value in attrs:
            if name == "href":
                assert re.match(r"(?:https?|ftp)://|mailto:|magnet:", value or "")
            elif name != "data-mx-spoiler":
                assert re.fullmatch(r"#[0-9a-f]{6}", value or "")

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)


def say(key: str, **values: str) -> str:
    return Voice("en").say(f"said.{key}", **values)


def inspected(text: Text) -> str | None:
    """The HTML of ``text``, looked through."""
    html = html_of(text)
    inspector = Inspector()
    inspector.feed(html or "")
    inspector.close()
    return html


def test_the_corpus_is_large_enough() -> None:
    assert len({came for came, _, _ in CASES}) >= 200


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0][:40])
def test_what_comes_as_html_is_left_with_words_and_allowed_looks(case: Case) -> None:
    came, words, html = case
    text = spans_of(clean(came))
    assert body_of(text) == words
    assert inspected(text) == html
    content = {"msgtype": "m.text", "body": "x", "format": "org.matrix.custom.html", "formatted_body": came}
    said = read_content("m.room.message", content)
    assert said is not None
    assert said.message.text == (text or spans("x"))
    for line in lines(named(said.message, "Ada").text, 400, 20):
        assert not re.search(r"[\r\n\0]", line)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0][:40])
def test_what_a_network_says_is_words_whatever_it_looks_like(case: Case) -> None:
    came = case[0]
    (draft,) = drafts_of(Message(spans(came)), say)
    assert (draft.content["body"], "formatted_body" in draft.content) == (came, False)
    hostile = Span(
        came, frozenset({Style.BOLD}), came, came, link=came, mention=Mention(user=UserId(f"@{came}:x"))
    )
    shown = inspected((hostile, Span(came, link=came), Span(f"\n{came}", frozenset({Style.PRE}))))
    assert shown is not None

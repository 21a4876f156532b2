"""Words: plain and rich side by side, escaped, in pages."""

import tomllib
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haven.errors import Invalid, NotAllowed
from haven.ids import UserId
from haven.phrases import Phrases, flattened
from plugin.i18n import LANGUAGES
from plugin.wording import (
    FIRST_PAGE,
    Term,
    Wording,
    code,
    escaped,
    head,
    item,
    line,
    link,
    of_error,
    pages,
    person,
    strong,
)
from tests.plugin.catalogues import CATALOGUES

ALLOWED = {"p", "ul", "li", "strong", "code", "a", "br"}


PHRASES = Phrases(
    {each: flattened(tomllib.loads((CATALOGUES / f"{each}.toml").read_text())) for each in LANGUAGES}
)


@pytest.fixture
def wording() -> Wording:
    return Wording(PHRASES, "en")


class Tags(HTMLParser):
    """The tags of a text, and the targets of its links."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.targets: list[str | None] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.targets += [value for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> Tags:
    tags = Tags()
    tags.feed(html)
    tags.close()
    return tags


def test_an_error_is_its_sentence(wording: Wording) -> None:
    assert wording.text(of_error(Invalid("name_too_long", length=101, limit=100))).startswith(
        "That name has 101"
    )
    assert "`greeter`" in wording.text(of_error(NotAllowed("right_missing", role="greeter", holders="owner")))


def test_lists_and_headings(wording: Wording) -> None:
    words = wording.words(
        [
            line("help.overview"),
            head("noun.group"),
            item("group.room", name="A", kind="b"),
            line("answer.help"),
        ],
        (UserId("@a:b"),),
    )
    assert words.text == (
        "This is what you can ask me here:\n\nGroups\n• A: b\n`!c help` lists everything you can ask me."
    )
    assert words.html == (
        "<p>This is what you can ask me here:</p><p><strong>Groups</strong></p><ul><li>A: b</li></ul>"
        "<p><code>!c help</code> lists everything you can ask me.</p>"
    )
    assert words.mentions == (UserId("@a:b"),)


def test_a_list_at_the_end_is_closed(wording: Wording) -> None:
    assert wording.words([item("noun.group")]).html == "<ul><li>Groups</li></ul>"


def test_values_of_every_kind(wording: Wording) -> None:
    said = line(
        "group.room_about",
        name=link("A&B", "https://x/?a=1&b=2"),
        kind=Term("visibility.open"),
        topic=strong("<t>"),
    )
    assert wording.text(said) == "A&B (https://x/?a=1&b=2): open to every member. <t>"
    assert wording.html(said) == (
        '<a href="https://x/?a=1&amp;b=2">A&amp;B</a>: open to every member. <strong>&lt;t&gt;</strong>'
    )
    assert "https://matrix.to/#/@a:b" in wording.html(line("show.owner", who=person(UserId("@a:b"))))


@given(st.text())
def test_no_value_becomes_markup(text: str) -> None:
    wording = Wording(PHRASES, "en")
    for value in (text, code(text), strong(text), link(text, text), person(UserId(text))):
        html = wording.words(
            [item("list.community", name=value, role=text, groups=Term("list.groups", {"n": 1}))]
        ).html
        assert read(html).tags <= ALLOWED
    assert read(escaped(text)).tags <= {"br"}
    assert "`" not in escaped(text)


@pytest.mark.parametrize("language", ["en", "es", "cs"])
@pytest.mark.parametrize("n", [0, 1, 2, 4, 5, 21])
def test_numbers_are_said_in_their_form(language: str, n: int) -> None:
    said = Wording(PHRASES, language).text(line("list.groups", n=n))
    expected = {
        "en": "one group" if n == 1 else f"{n} groups",
        "es": "un grupo" if n == 1 else f"{n} grupos",
        "cs": "jedna skupina" if n == 1 else f"{n} skupiny" if n in {2, 4} else f"{n} skupin",
    }
    assert said == expected[language]


def test_what_is_short_is_one_page(wording: Wording) -> None:
    lines = [item("noun.group")] * FIRST_PAGE
    assert pages(lines, wording) == (tuple(lines),)


def test_what_is_long_goes_on_in_pages_that_lose_nothing(wording: Wording) -> None:
    lines = [item("show.description", text=f"{n} {'x' * 500}") for n in range(100)]
    first, *rest = pages([head("noun.group"), *lines], wording)
    assert len(first) == FIRST_PAGE + 2
    assert wording.text(first[-1]) == f"{100 - FIRST_PAGE} more are in the thread."
    assert [each for page in rest for each in page] == lines[FIRST_PAGE:]
    assert all(len(wording.words(page).text) < 10_000 for page in rest)


def test_what_is_endless_ends(wording: Wording) -> None:
    lines = [item("show.description", text="x" * 2_000) for _ in range(1_000)]
    _, *rest = pages(lines, wording)
    assert len(rest) == 10
    assert "more lines are left out" in wording.text(rest[-1][-1])

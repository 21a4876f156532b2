"""What holds for every text, sensible or not: nothing raises, nothing is lost, nothing dangerous comes out."""

import json
import re
import unicodedata
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.convert.from_html import spans_of
from bridge.convert.from_matrix import read_content, without_fallback
from bridge.convert.names import LONGEST, safe_name
from bridge.convert.plainer import body_of, named, quoting, with_files
from bridge.convert.to_html import html_of
from bridge.convert.to_matrix import Context, drafts_of
from bridge.i18n import Voice
from bridge.message import Attachment, Kind, Mention, Message, Poll, Reply, Span, Style, Text, plain
from haven.ids import EventId, UserId

ANYTHING = st.text(st.characters())
"""Any text, halves of surrogate pairs included."""
WORDS = st.text(
    st.characters(blacklist_categories=("C", "Zl", "Zp"), blacklist_characters="\xa0"), min_size=1
)
INLINE = frozenset({Style.BOLD, Style.ITALIC, Style.UNDERLINE, Style.STRIKE, Style.CODE, Style.SPOILER})
COLOURS = st.one_of(st.none(), st.from_regex(r"#[0-9a-f]{6}", fullmatch=True))
SPANS = st.builds(
    Span,
    text=WORDS,
    styles=st.frozensets(st.sampled_from(sorted(INLINE))),
    colour=COLOURS,
    background=COLOURS,
    link=st.sampled_from([None, None, 'https://example.org/a?b=c&d="e"', "mailto:a@example.org"]),
)
TEXTS = st.lists(SPANS, max_size=6).map(tuple)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANYTHING,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANYTHING, inner, max_size=3),
    max_leaves=8,
)
KEYS = [
    "msgtype",
    "body",
    "formatted_body",
    "format",
    "m.relates_to",
    "m.new_content",
    "m.mentions",
    "info",
    "url",
    "file",
]
VALUES = st.sampled_from(
    [
        "m.text",
        "m.image",
        "m.location",
        "org.matrix.custom.html",
        "m.replace",
        "$e",
        "> q\n\nx",
        {"event_id": "$e"},
    ]
)
CONTENTS = st.dictionaries(
    st.sampled_from([*KEYS, "rel_type", "geo_uri", "m.poll", "filename"]), JSON | VALUES
)
ALLOWED = {"strong", "em", "u", "del", "code", "pre", "blockquote", "br", "span", "a"}
ATTRIBUTES = {
    ("span", "data-mx-color"),
    ("span", "data-mx-bg-color"),
    ("span", "data-mx-spoiler"),
    ("a", "href"),
}


def say(key: str, **values: str) -> str:
    return Voice("en").say(f"said.{key}", **values)


def content_of(message: Message, context: Context | None = None) -> dict[str, object]:
    """The content of the first event that says ``message``."""
    return drafts_of(message, say, context or Context())[0].content


class Inspector(HTMLParser):
    """Notes every tag and attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {(tag, name) for name, _ in attrs}
        self.addresses += [value or "" for name, value in attrs if name == "href"]


def one_line(text: Text) -> list[tuple[str, Span]]:
    """Every character with its look, so that texts compare whatever their spans."""
    return [
        (char, Span("", span.styles, span.colour, span.background, span.link))
        for span in text
        for char in span.text
    ]


@given(TEXTS)
def test_what_is_written_as_html_is_read_as_it_was(text: Text) -> None:
    html = html_of(text)
    if html is not None:
        stripped = one_line(text)
        while stripped and stripped[-1][0] == " ":
            stripped.pop()
        assert one_line(spans_of(html)) == stripped


@given(ANYTHING)
@example("<![x")
@example("<?")
@example("<!-")
@example("&#xd800;")
def test_reading_html_never_fails_and_its_result_is_clean_html(html: str) -> None:
    text = spans_of(html)
    written = html_of(text)
    inspector = Inspector()
    inspector.feed(written or "")
    assert inspector.tags <= ALLOWED
    assert inspector.attributes <= ATTRIBUTES


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", ["<a ", "<", '<a x="', "<!--", "<script>", "&#", "<b>", "<li>"])
def test_a_body_full_of_damaged_tags_is_read_in_time(piece: str) -> None:
    assert spans_of(piece * (60000 // len(piece)) + "</b>") is not None


@given(st.text(alphabet="<>/abipre \"'=!-?&;#x[]\n", max_size=200))
def test_reading_tag_soup_never_fails(html: str) -> None:
    assert "\r" not in body_of(spans_of(html))


@given(
    st.lists(
        st.builds(Span, text=ANYTHING, link=ANYTHING, mention=st.builds(Mention, user=ANYTHING.map(UserId))),
        max_size=4,
    )
)
def test_no_link_or_mention_leaves_its_place(spans: list[Span]) -> None:
    inspector = Inspector()
    inspector.feed(html_of(tuple(spans)) or "")
    assert inspector.tags <= ALLOWED
    assert inspector.attributes <= ATTRIBUTES
    assert all(
        re.match(r"https?:|ftp:|mailto:|magnet:", address, re.IGNORECASE) for address in inspector.addresses
    )


@given(
    st.sampled_from(["m.room.message", "m.sticker", "m.poll.start", "m.room.encrypted", "m.room.topic"]),
    CONTENTS,
)
def test_content_of_any_shape_is_read(kind: str, content: dict[str, object]) -> None:
    found = read_content(kind, content)
    if found is not None:
        words = plain(found.message.text) + "".join(file.name for file in found.message.attachments)
        assert not [
            char for char in words if unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t"
        ]
        words.encode()


@given(
    st.builds(
        Message,
        text=st.lists(st.builds(Span, text=ANYTHING), max_size=4).map(tuple),
        kind=st.sampled_from(Kind),
    )
)
def test_content_is_sendable_and_mentions_nobody(message: Message) -> None:
    for content in (content_of(message), content_of(message, Context(replaces=EventId("$old")))):
        assert content["m.mentions"] == {}
        assert len(json.dumps(content, ensure_ascii=False).encode()) < 65536
        body = str(content["body"])
        assert not [
            char for char in body if unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t"
        ]


@given(TEXTS, st.sampled_from(Kind))
def test_what_goes_out_as_content_comes_back(text: Text, kind: Kind) -> None:
    found = read_content("m.room.message", content_of(Message(text, kind)))
    if found is not None:
        assert found.message.kind is kind
        assert plain(found.message.text).rstrip() == plain(text).rstrip()


@given(ANYTHING)
def test_names_are_visible_short_and_settled(name: str) -> None:
    shown = safe_name(name, "someone")
    assert shown
    assert len(shown) <= LONGEST
    assert not [char for char in shown if unicodedata.category(char)[0] == "C" or char in "<>\n\u3164"]
    assert shown[0] not in "@#!+ "
    assert safe_name(shown, "someone") == shown


@given(ANYTHING, ANYTHING, st.builds(Reply, author=ANYTHING, excerpt=ANYTHING))
def test_a_quote_is_one_line_above_the_words(words: str, name: str, reply: Reply) -> None:
    said = quoting(named(Message((Span(words),), reply=reply), name))
    if reply.excerpt:
        assert said.text[0].text.count("\n") == 1
        assert said.text[0].text.endswith("\n")
    assert plain(said.text).endswith(f"<{name}> {words}")


def test_the_name_stands_below_a_quote_and_before_everything_else() -> None:
    quote = frozenset({Style.QUOTE})
    answer = quoting(Message((Span("yes"),), reply=Reply(author="Ben", excerpt="shall we?")))
    assert body_of(named(answer, "Ada").text) == "> Ben: shall we?\n<Ada> yes"
    assert body_of(named(Message((Span("only a quote", quote),)), "Ada").text) == "<Ada> only a quote"
    waving = named(Message((Span("waves"),), Kind.ACTION), "Ada")
    assert (body_of(waving.text), waving.kind) == ("* Ada waves", Kind.TEXT)


def test_a_whole_long_event_fits_with_its_second_copy() -> None:
    message = Message((Span("ñ" * 40000, frozenset({Style.BOLD})),))
    content = content_of(message, Context(replaces=EventId("$old")))
    assert len(json.dumps(content, ensure_ascii=False).encode()) < 65536
    assert str(content["body"]).endswith("…")


def test_the_fallback_of_a_reply_goes_only_with_a_reply() -> None:
    body = "> <@b:x> old\n> words\n\nnew\n> not a fallback"
    relation = {"m.in_reply_to": {"event_id": "$parent"}}
    answer = read_content("m.room.message", {"msgtype": "m.text", "body": body, "m.relates_to": relation})
    words = read_content("m.room.message", {"msgtype": "m.text", "body": body})
    assert answer is not None
    assert words is not None
    assert (answer.answers, plain(answer.message.text)) == ("$parent", "new\n> not a fallback")
    assert (words.answers, plain(words.message.text)) == (None, body)
    assert without_fallback("no quote") == "no quote"


def test_an_edit_says_its_new_words_and_what_it_replaces() -> None:
    content = content_of(
        Message((Span("better"),)), Context(replaces=EventId("$old"), mentions=frozenset({UserId("@b:x")}))
    )
    assert content["body"] == "* better"
    assert content["m.mentions"] == {}
    found = read_content("m.room.message", content)
    assert found is not None
    assert (plain(found.message.text), found.replaces, found.mentions) == ("better", "$old", ("@b:x",))


def test_a_fallback_reply_in_a_thread_is_no_reply() -> None:
    relation = {
        "rel_type": "m.thread",
        "event_id": "$root",
        "is_falling_back": True,
        "m.in_reply_to": {"event_id": "$last"},
    }
    found = read_content("m.room.message", {"msgtype": "m.text", "body": "x", "m.relates_to": relation})
    assert found is not None
    assert (found.answers, found.thread) == (None, "$root")


def test_a_picture_is_its_name_and_its_caption_the_words() -> None:
    plain_file = {
        "msgtype": "m.image",
        "body": "a.png",
        "url": "mxc://x/y",
        "info": {"size": 5, "mimetype": "image/png"},
    }
    found = read_content("m.room.message", plain_file)
    captioned = read_content("m.room.message", {**plain_file, "filename": "a.png", "body": "look!"})
    assert found is not None
    assert captioned is not None
    assert [(file.name, file.size, file.media_type) for file in found.message.attachments] == [
        ("a.png", 5, "image/png")
    ]
    assert found.message.text == ()
    assert plain(captioned.message.text) == "look!"
    assert content_of(found.message)["info"] == plain_file["info"]
    lost = replace(found.message.attachments[0], url="https://example.org/a.png")
    assert content_of(Message((), attachments=(lost,)))["body"] == "📎 a.png (1 kB) https://example.org/a.png"


def test_a_poll_is_its_question_and_answers() -> None:
    poll = {
        "kind": "m.disclosed",
        "max_selections": 2,
        "question": {"m.text": [{"body": "When?"}]},
        "answers": [{"m.id": "a", "m.text": [{"body": "Mon"}]}, {"m.id": "b", "m.text": [{"body": "Tue"}]}],
    }
    found = read_content("m.poll.start", {"m.poll": poll})
    assert found is not None
    assert found.message.poll == Poll("When?", ("Mon", "Tue"), most=2)


def test_a_file_without_words_stands_behind_the_name_of_who_sends_it() -> None:
    photo = Attachment("photo.jpg", "mxc://example.org/x")
    said = with_files(named(Message((), attachments=(photo, photo)), "Ada"))
    assert plain(said) == "<Ada> 📎 photo.jpg\n📎 photo.jpg"
    assert (
        plain(with_files(named(Message((Span("look"),), attachments=(photo,)), "Ada")))
        == "<Ada> look\n📎 photo.jpg"
    )


def test_a_link_stands_in_the_line_of_its_words() -> None:
    room = "https://example.org/a"
    rows = spans_of(
        f'<ul><li><a href="{room}">one</a></li><li><a href="{room}">{room}</a></li><li>two</li></ul>'
    )
    assert body_of(rows).splitlines() == [f"• one ({room})", f"• {room}", "• two"]

"""Matrix's HTML as spans: what the specification allows is understood, all else is taken for its words alone.

Source: client-server API, "m.room.message msgtypes", the list of allowed tags and attributes. Nothing is ever passed through as
markup, so there is nothing to sanitise afterwards; what must not be read aloud (scripts, the fallback of a reply) is left out.
"""

import re
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

from haven.ids import UserId

from ..message import Mention, Span, Style, Text

DEEPEST = 100
"""Levels of nesting; deeper tags change nothing (the specification's own advice)."""
_SILENT = frozenset(
    {
        "script",
        "style",
        "mx-reply",
        "head",
        "title",
        "template",
        "iframe",
        "object",
        "noscript",
        "svg",
        "math",
    }
)
_VOID = frozenset(
    {"br", "hr", "img", "area", "base", "col", "embed", "input", "link", "meta", "source", "track", "wbr"}
)
_STYLES = {
    **dict.fromkeys(("b", "strong", "h1", "h2", "h3", "h4", "h5", "h6", "th"), Style.BOLD),
    **dict.fromkeys(("i", "em"), Style.ITALIC),
    **dict.fromkeys(("u", "ins"), Style.UNDERLINE),
    **dict.fromkeys(("s", "del", "strike"), Style.STRIKE),
    **dict.fromkeys(("code", "tt"), Style.CODE),
    "pre": Style.PRE,
    "blockquote": Style.QUOTE,
}
_BLOCKS = frozenset(
    {"p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "hr"}
    | {"table", "thead", "tbody", "tr", "caption", "details", "summary"}
)
_SCHEMES = frozenset({"https", "http", "ftp", "mailto", "magnet"})
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_SERVER = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")
"""Spec: appendices, "Server Name"."""
_COMMENT = re.compile(r"<!--.*?(?:-->|$)", re.DOTALL)
_NO_TAG = re.compile(r"<(?!/?[a-zA-Z][^<>]*>)")


def spans_of(html: str) -> Text:
    """The spans of ``html``. Never fails: what is not understood is dropped, its words stay.

    What does not look like a whole tag is read as words before the parser of the standard library sees it: that one raises on damaged
    declarations, and takes half a minute for a body full of tags without ends.
    """
    reader = _Reader()
    reader.feed(_NO_TAG.sub("&lt;", _COMMENT.sub("", html)))
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    """Walks through the tags; the look of the words is the sum of the tags that are open."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[tuple[str, Span]] = []
        self._too_deep = 0
        self._silent = 0
        self._lists: list[int | None] = []
        self._spans: list[Span] = []
        self._line_is_empty = True

    def text(self) -> Text:
        """All that was read, without blank lines at the end."""
        spans = self._spans
        while spans and not spans[-1].text.rstrip("\n "):
            spans.pop()
        if spans:
            spans[-1] = replace(spans[-1], text=spans[-1].text.rstrip("\n "))
        return tuple(spans)

    # --- what the parser tells ---------------------------------------------------------------------------------------

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag opens."""
        if tag in _VOID:
            self._void(tag, dict(attrs))
        elif len(self._open) >= DEEPEST:
            self._too_deep += 1
        else:
            if tag in _BLOCKS:
                self._break()
            self._open.append((tag, _look(self._look, tag, {name: value or "" for name, value in attrs})))
            self._silent += tag in _SILENT
            self._begin_item(tag, dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        """A tag closes, and with it all that were left open inside it; one that was never opened is passed over."""
        if tag in _VOID:
            return
        if self._too_deep:
            self._too_deep -= 1
            return
        if tag not in (name for name, _ in self._open):
            return
        while True:
            name, _ = self._open.pop()
            self._silent -= name in _SILENT
            if name in ("ul", "ol") and self._lists:
                self._lists.pop()
            if name in _BLOCKS:
                self._break()
            if name == tag:
                return

    def handle_data(self, data: str) -> None:
        """Words."""
        if self._silent:
            return
        if Style.PRE in self._look.styles:
            self._write(data.replace("\r\n", "\n").replace("\r", "\n"))
            return
        words = _BLANKS.sub(" ", data)
        if self._line_is_empty:
            words = words.lstrip(" ")
        elif words.startswith(" ") and self._spans[-1].text.endswith(" "):
            words = words[1:]
        self._write(words)

    # --- inside ------------------------------------------------------------------------------------------------------

    @property
    def _look(self) -> Span:
        return self._open[-1][1] if self._open else Span("")

    def _write(self, words: str) -> None:
        if not words:
            return
        words = words.replace("\xa0", " ")
        self._line_is_empty = words.endswith("\n")
        last = self._spans[-1] if self._spans else None
        if last is not None and replace(last, text="") == self._look:
            self._spans[-1] = replace(last, text=last.text + words)
        else:
            self._spans.append(replace(self._look, text=words))

    def _break(self) -> None:
        """Be at the beginning of a line."""
        if not self._line_is_empty and not self._silent:
            self._newline()

    def _newline(self) -> None:
        """End the line in the look of its last words, so that a block ends with its own line."""
        if self._spans:
            self._spans[-1] = replace(self._spans[-1], text=self._spans[-1].text.rstrip(" ") + "\n")
            self._line_is_empty = True

    def _void(self, tag: str, attributes: dict[str, str | None]) -> None:
        if self._silent:
            return
        if tag == "br":
            self._newline()
        elif tag == "hr":
            self._break()
            self._write("———\n")
        elif tag == "img":
            self._write(attributes.get("alt") or attributes.get("title") or "")

    def _begin_item(self, tag: str, attributes: dict[str, str | None]) -> None:
        """Lists are written with their bullets or numbers, tables with bars between the cells."""
        if self._silent:
            return
        if tag == "ul":
            self._lists.append(None)
        elif tag == "ol":
            start = attributes.get("start") or "1"
            self._lists.append(int(start) if start.isascii() and start.isdigit() and len(start) < 7 else 1)
        elif tag == "li":
            number = self._lists[-1] if self._lists else None
            indent = "  " * max(0, min(len(self._lists), 8) - 1)
            self._write(f"{indent}• " if number is None else f"{indent}{number}. ")
            if number is not None:
                self._lists[-1] = number + 1
        elif tag in ("td", "th") and not self._line_is_empty:
            self._write(" | ")


def _look(outer: Span, tag: str, attributes: dict[str, str]) -> Span:
    """How words look inside ``tag``, where they looked like ``outer`` outside."""
    look = outer
    style = _STYLES.get(tag)
    if style is not None and not (style is Style.CODE and Style.PRE in outer.styles):
        look = replace(look, styles=look.styles | {style})
    if tag in ("span", "font"):
        look = _coloured(look, attributes)
    elif tag == "a":
        look = _linked(look, attributes.get("href", ""))
    return look


def _coloured(look: Span, attributes: dict[str, str]) -> Span:
    colour = attributes.get("data-mx-color") or attributes.get("color") or ""
    background = attributes.get("data-mx-bg-color", "")
    if _COLOUR.fullmatch(colour):
        look = replace(look, colour=colour.lower())
    if _COLOUR.fullmatch(background):
        look = replace(look, background=background.lower())
    if "data-mx-spoiler" in attributes:
        look = replace(look, styles=look.styles | {Style.SPOILER})
    return look


def _linked(look: Span, address: str) -> Span:
    """A link to a person is a mention; other links stand only with a scheme that the specification allows."""
    user = person_in(address)
    if user is not None:
        return replace(look, mention=Mention(user=user))
    try:
        scheme = urlsplit(address).scheme.lower()
    except ValueError:
        return look
    fits = scheme in _SCHEMES and address.isprintable() and " " not in address
    return replace(look, link=address) if fits else look


def person_in(address: str) -> UserId | None:
    """The Matrix id in a link to a person, ``None`` in all others (spec: appendices, ``matrix:`` URIs and matrix.to)."""
    for start, sigil in (
        ("https://matrix.to/#/@", "@"),
        ("https://matrix.to/#/%40", "@"),
        ("matrix:u/", "@"),
    ):
        if address.startswith(start):
            user = sigil + unquote(address[len(start) :].partition("?")[0])
            localpart, _, server = user[1:].partition(":")
            fits = localpart and user.isprintable() and " " not in localpart and _SERVER.fullmatch(server)
            return UserId(user) if fits and len(user.encode()) <= 255 else None
    return None

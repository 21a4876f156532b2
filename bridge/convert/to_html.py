"""Spans as Matrix's HTML: only tags that the specification allows, every word escaped."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html import escape
from itertools import groupby
from urllib.parse import quote

from ..message import Span, Style, Text

_TAGS = (
    (Style.BOLD, "strong"),
    (Style.ITALIC, "em"),
    (Style.UNDERLINE, "u"),
    (Style.STRIKE, "del"),
    (Style.CODE, "code"),
)
_COLLAPSING = re.compile(r"(?<= ) |(?m:^ | $)")
"""Blanks that HTML would swallow: all but the first of several, and those at the ends of a line."""
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_SCHEME = re.compile(r"(?:https?|ftp)://|mailto:|magnet:", re.IGNORECASE)


def html_of(text: Text) -> str | None:
    """The ``formatted_body`` of ``text``; ``None`` where plain words say it all."""
    if all(span == Span(span.text) for span in text):
        return None
    groups = groupby(_blocks(_with_firm_blanks(text)), key=lambda part: part[0])
    blocks = [(kind, tuple(span for _, span in group)) for kind, group in groups]
    pieces: list[str] = []
    for index, (kind, words) in enumerate(blocks):
        if kind is Style.PRE:
            pieces.append(f"<pre><code>{escape(_joined(_without_last_break(words)))}</code></pre>")
        else:
            is_last = kind is None and index == len(blocks) - 1
            inner = "".join(_inline(span) for span in (words if is_last else _without_last_break(words)))
            pieces.append(f"<blockquote>{inner}</blockquote>" if kind is Style.QUOTE else inner)
    return "".join(pieces)


def _with_firm_blanks(text: Text) -> Text:
    """``text`` with the blanks that HTML would swallow made such as it keeps; in ``pre`` it keeps all."""
    whole, start, spans = _COLLAPSING.sub("\xa0", _joined(text)), 0, []
    for span in text:
        end = start + len(span.text)
        spans.append(span if Style.PRE in span.styles else replace(span, text=whole[start:end]))
        start = end
    return tuple(spans)


def _blocks(text: Text) -> Iterator[tuple[Style | None, Span]]:
    """Each span with the block it stands in."""
    for span in text:
        for kind in (Style.PRE, Style.QUOTE):
            if kind in span.styles:
                yield kind, replace(span, styles=span.styles - {kind})
                break
        else:
            yield None, span


def _joined(words: Text) -> str:
    return "".join(span.text for span in words)


def _without_last_break(words: Text) -> Text:
    """A block ends its line by itself, and so does what stands before one."""
    if words and words[-1].text.endswith("\n"):
        return (*words[:-1], replace(words[-1], text=words[-1].text[:-1]))
    return words


def _inline(span: Span) -> str:
    words = escape(span.text).replace("\n", "<br>")
    if not words:
        return ""
    for style, tag in _TAGS:
        if style in span.styles:
            words = f"<{tag}>{words}</{tag}>"
    words = _in_span(span, words)
    address = _address(span)
    return f'<a href="{escape(address)}">{words}</a>' if address else words


def _in_span(span: Span, words: str) -> str:
    """Colours and the spoiler, which are attributes of one tag."""
    attributes = ""
    if span.colour and _COLOUR.fullmatch(span.colour):
        attributes += f' data-mx-color="{span.colour}"'
    if span.background and _COLOUR.fullmatch(span.background):
        attributes += f' data-mx-bg-color="{span.background}"'
    if Style.SPOILER in span.styles:
        attributes += " data-mx-spoiler"
    return f"<span{attributes}>{words}</span>" if attributes else words


def _address(span: Span) -> str | None:
    """Where ``span`` leads: to the Matrix user it means, or to its link if that has a scheme that the specification allows."""
    if span.mention is not None and span.mention.user is not None:
        return f"https://matrix.to/#/{quote(span.mention.user, safe='@:', errors='replace')}"
    return span.link if span.link and _SCHEME.match(span.link) else None

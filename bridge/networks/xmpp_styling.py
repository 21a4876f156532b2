"""XEP-0393 (Message Styling): what its signs mean when read, and which to write.

Blocks are lines of a quote (``> ``) and fences of three backticks; within a line ``*strong*``, ``_emphasis_``, ``~strike~`` and ```` `code` ````, which
begin at the start of a line or after a blank or another sign, hold no blank inside their ends, and never cross a line.
"""

import re
from collections.abc import Iterator

from ..message import Span, Style, Text

SIGNS = {"*": Style.BOLD, "_": Style.ITALIC, "~": Style.STRIKE, "`": Style.CODE}
STYLES = frozenset((*SIGNS.values(), Style.PRE, Style.QUOTE))
_MARKED = re.compile(r"(?:^|(?<=[\s*_~]))([*_~`])(?=\S)(.+?)(?<=\S)\1(?!\w)")
_FENCE = "```"


def read_styling(words: str, *, plain: bool = False) -> Text:
    """The spans of a body. Never fails; ``plain``: the sender says that no signs are meant (section 6)."""
    if plain or not any(sign in words for sign in ("*", "_", "~", "`", ">")):
        return (Span(words),) if words else ()
    return tuple(_lines(words))


def _lines(words: str) -> Iterator[Span]:
    fenced: list[str] | None = None
    for line in words.splitlines(keepends=True):
        if fenced is not None:
            if line.rstrip() == _FENCE:
                yield Span("".join(fenced), frozenset({Style.PRE}))
                fenced = None
            else:
                fenced.append(line)
        elif line.startswith(_FENCE):
            fenced = []
        elif line.startswith(">"):
            yield from _within(line[1:].removeprefix(" "), frozenset({Style.QUOTE}))
        else:
            yield from _within(line, frozenset())
    if fenced is not None:
        yield Span("".join(fenced) or "\n", frozenset({Style.PRE}))


def _within(line: str, styles: frozenset[Style]) -> Iterator[Span]:
    """The spans of one line."""
    at = 0
    for match in _MARKED.finditer(line):
        if match.start() > at:
            yield Span(line[at : match.start()], styles)
        style, inner = SIGNS[match[1]], match[2]
        if style is Style.CODE:
            yield Span(inner, styles | {style})
        else:
            yield from _within(inner, styles | {style})
        at = match.end()
    if at < len(line):
        yield Span(line[at:], styles)


def write_styling(text: Text) -> str:
    """``text`` with signs for what XMPP can show; links stand behind their words."""
    pieces: list[str] = []
    for span in text:
        fresh = not pieces or pieces[-1].endswith("\n")
        pieces.append(_block(span, fresh=fresh) if span.text else "")
    return "".join(pieces)


def _block(span: Span, *, fresh: bool) -> str:
    if Style.PRE in span.styles:
        return f"{'' if fresh else chr(10)}{_FENCE}\n{span.text.rstrip(chr(10))}\n{_FENCE}\n"
    lines = span.text.splitlines(keepends=True)
    if Style.QUOTE not in span.styles:
        return "".join(_signed(line, span) for line in lines)
    return "".join(
        f"> {_signed(line, span)}" if fresh or index else _signed(line, span)
        for index, line in enumerate(lines)
    )


def _signed(line: str, span: Span) -> str:
    """One line in its signs, which must touch its words."""
    words = line.strip()
    if not words:
        return line
    before, after = line[: line.index(words)], line[line.index(words) + len(words) :]
    for sign, style in SIGNS.items():
        if style in span.styles and sign not in words:
            words = f"{sign}{words}{sign}"
    if span.link and span.link not in {words, f"{words}/", f"mailto:{words}"}:
        words = f"{words} ({span.link})"
    return before + words + after

"""mIRC's formatting codes: what they mean when read, and which to write between two runs of text.

Source: https://modern.ircdocs.horse/formatting.html. Codes toggle; a colour is followed by one or two digits, so a digit of
the text right behind it has to be kept apart. Reverse swaps the two colours, where there are any.
"""

import re
from dataclasses import dataclass, replace

from ..message import Span, Style, Text
from .irc_palette import DEFAULT, colour_of, number_of

BOLD, ITALIC, UNDERLINE, STRIKE, CODE, REVERSE, RESET = "\x02", "\x1d", "\x1f", "\x1e", "\x11", "\x16", "\x0f"
COLOUR, HEX_COLOUR = "\x03", "\x04"

STYLES = {
    BOLD: Style.BOLD,
    ITALIC: Style.ITALIC,
    UNDERLINE: Style.UNDERLINE,
    STRIKE: Style.STRIKE,
    CODE: Style.CODE,
}

_TOKEN = re.compile(
    r"\x03(?:(?P<fg>[0-9]{1,2})(?:,(?P<bg>[0-9]{1,2}))?)?"
    r"|\x04(?:(?P<hexfg>[0-9A-Fa-f]{6})(?:,(?P<hexbg>[0-9A-Fa-f]{6}))?)?"
    r"|(?P<code>[\x02\x0f\x11\x16\x1d\x1e\x1f])"
    r"|(?P<text>[^\x02\x03\x04\x0f\x11\x16\x1d\x1e\x1f]+)"
)
_CONTROLS = dict.fromkeys((*range(32), *range(127, 160))) | {9: " "}
_SEPARATOR = BOLD + BOLD
"""Means nothing, and keeps a colour's number from the digits after it."""


def clean(text: str) -> str:
    """``text`` without control characters (a tab becomes a blank) and without halves of surrogate pairs."""
    if text.isprintable():
        return text
    return text.translate(_CONTROLS).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


# --- reading -------------------------------------------------------------------------------------------------------------


def read(line: str) -> Text:
    """The spans of a line as it came from IRC. Never fails; what is no code and no printable text is dropped."""
    if line.isprintable():
        return (Span(line),) if line else ()
    spans: list[Span] = []
    look = Span("")
    reverse = False
    for token in _TOKEN.finditer(line):
        if token["text"] is not None:
            text = clean(token["text"])
            if text:
                spans.append(_shown(look, text, reverse))
        elif token["code"] == RESET:
            look, reverse = Span(""), False
        elif token["code"] == REVERSE:
            reverse = not reverse
        elif token["code"]:
            look = replace(look, styles=look.styles ^ {STYLES[token["code"]]})
        else:
            look = _coloured(look, token)
    return merged(tuple(spans))


def _shown(look: Span, text: str, reverse: bool) -> Span:
    if reverse:
        return replace(look, text=text, colour=look.background, background=look.colour)
    return replace(look, text=text)


def _coloured(look: Span, token: re.Match[str]) -> Span:
    """``look`` after a colour code: without digits both colours end, without a background the old one stays."""
    if token["hexfg"]:
        background = f"#{token['hexbg'].lower()}" if token["hexbg"] else look.background
        return replace(look, colour=f"#{token['hexfg'].lower()}", background=background)
    if token["fg"]:
        background = colour_of(int(token["bg"])) if token["bg"] else look.background
        return replace(look, colour=colour_of(int(token["fg"])), background=background)
    return replace(look, colour=None, background=None)


def merged(text: Text) -> Text:
    """``text`` with neighbours of one look made one span, and none empty."""
    spans: list[Span] = []
    for span in text:
        if spans and replace(span, text="") == replace(spans[-1], text=""):
            spans[-1] = replace(span, text=spans[-1].text + span.text)
        elif span.text:
            spans.append(span)
    return tuple(spans)


# --- writing -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Look:
    """How a run of text looks on IRC: codes that are on, and colours as numbers of the palette."""

    codes: frozenset[str] = frozenset()
    colour: int = DEFAULT
    background: int = DEFAULT


PLAIN = Look()


def look_of(span: Span) -> Look:
    """How ``span`` looks on IRC. A spoiler is black on black, which clients show when it is selected."""
    codes = frozenset(code for code, style in STYLES.items() if style in span.styles)
    if Style.SPOILER in span.styles:
        return Look(codes, 1, 1)
    if not span.colour and not span.background:
        return Look(codes) if codes else PLAIN
    colour = number_of(span.colour) if span.colour else DEFAULT
    return Look(codes, colour, number_of(span.background) if span.background else DEFAULT)


def change(before: Look, after: Look, following: str) -> str:
    """The codes that turn ``before`` into ``after``, where the text goes on with ``following`` (its first character counts)."""
    if before == after:
        return ""
    toggles = "".join(sorted(before.codes ^ after.codes))
    colours = ""
    if (before.colour, before.background) != (after.colour, after.background):
        colours = COLOUR
        if (after.colour, after.background) != (DEFAULT, DEFAULT):
            colours += f"{after.colour:02}"
            if before.background != after.background:
                colours += f",{after.background:02}"
        if not toggles and following[:1] and (following[0].isdigit() or following[0] == ","):
            toggles = _SEPARATOR
    return colours + toggles

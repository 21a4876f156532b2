"""Turns keys and values into what a person reads: plain text and its rich form side by side.

Pure. Catalogues may mark code with backticks and hold no other markup; every value is escaped before it meets a phrase.
"""

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TypeAlias

from haven.errors import HavenError
from haven.ids import RoomId, UserId
from haven.phrases import Phrases

from .addresses import user_link
from .homeserver_messages import Words

_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Shown:
    """A value that looks different in the two forms of a message; ``html`` is safe as it stands."""

    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Term:
    """A value that is itself a phrase, with gaps of its own."""

    key: str
    values: "Mapping[str, Value]" = field(default_factory=dict)


Value: TypeAlias = str | int | Shown | Term


class Style(Enum):
    """How a line stands in a message."""

    PLAIN = auto()
    HEAD = auto()
    ITEM = auto()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an answer: the key of a phrase and what fills its gaps."""

    key: str
    values: Mapping[str, Value] = field(default_factory=dict)
    style: Style = Style.PLAIN


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command answers. ``private``: the room where it is told because it names what not everybody may know of.

    ``language``: where it is another than the one that was spoken so far.
    """

    lines: tuple[Line, ...]
    private: RoomId | None = None
    language: str = ""


def line(key: str, /, **values: Value) -> Line:
    """A line of its own."""
    return Line(key, values)


def head(key: str, /, **values: Value) -> Line:
    """A line that stands over others."""
    return Line(key, values, Style.HEAD)


def item(key: str, /, **values: Value) -> Line:
    """A line of a list."""
    return Line(key, values, Style.ITEM)


def answer(*lines: Line) -> Answer:
    """An answer of these lines."""
    return Answer(lines)


def of_error(error: HavenError) -> Line:
    """The sentence of an error."""
    return Line(f"error.{error.key}", dict(error.values))


def escaped(text: str) -> str:
    """Text that means nothing but itself, as HTML and to the marks of the catalogues."""
    return html.escape(text).replace("`", "&#96;").replace("\n", "<br>")


def code(text: str) -> Shown:
    """Something to be typed as it stands."""
    return Shown(f"`{text}`", f"<code>{escaped(text)}</code>")


def link(name: str, url: str) -> Shown:
    """A name that leads somewhere."""
    return Shown(f"{name} ({url})", f'<a href="{html.escape(url)}">{escaped(name)}</a>')


def person(user: UserId) -> Shown:
    """Somebody, as clients know how to show them; nobody is notified by it."""
    return Shown(user, f'<a href="{html.escape(user_link(user))}">{escaped(user)}</a>')


def strong(name: str) -> Shown:
    """A name that stands out."""
    return Shown(name, f"<strong>{escaped(name)}</strong>")


@dataclass(frozen=True, slots=True)
class Wording:
    """Words in one language."""

    phrases: Phrases
    language: str

    def text(self, one: Line | Term) -> str:
        """A line as plain text."""
        values = {name: self._plain(value) for name, value in one.values.items()}
        return self.phrases.say(self.language, one.key, **values)

    def html(self, one: Line | Term) -> str:
        """A line as HTML."""
        values = {name: self._rich(value) for name, value in one.values.items()}
        return _CODE.sub(r"<code>\1</code>", self.phrases.say(self.language, one.key, **values))

    def words(self, lines: Iterable[Line], mentions: Sequence[UserId] = ()) -> Words:
        """A message of these lines."""
        told = tuple(lines)
        return Words("\n".join(self._texts(told)), "".join(self._blocks(told)), mentions)

    def _plain(self, value: Value) -> str | int:
        if isinstance(value, Term):
            return self.text(value)
        return value.text if isinstance(value, Shown) else value

    def _rich(self, value: Value) -> str | int:
        if isinstance(value, Term):
            return self.html(value)
        if isinstance(value, Shown):
            return value.html
        return escaped(value) if isinstance(value, str) else value

    def _texts(self, lines: Sequence[Line]) -> Iterator[str]:
        for place, one in enumerate(lines):
            said = self.text(one)
            if one.style is Style.HEAD and place:
                yield ""
            yield f"• {said}" if one.style is Style.ITEM else said

    def _blocks(self, lines: Sequence[Line]) -> Iterator[str]:
        in_list = False
        for one in lines:
            if (one.style is Style.ITEM) != in_list:
                yield "</ul>" if in_list else "<ul>"
                in_list = not in_list
            said = self.html(one)
            if one.style is Style.ITEM:
                yield f"<li>{said}</li>"
            else:
                yield f"<p><strong>{said}</strong></p>" if one.style is Style.HEAD else f"<p>{said}</p>"
        if in_list:
            yield "</ul>"


FIRST_PAGE = 25
"""How many items of a list stand in the answer itself."""

PAGE = 8_000
"""How many characters of plain text one message of the rest may have: rich form and escapes stay far below 64 KiB."""

PAGES = 10
"""How many messages the rest may take."""


def pages(told: Sequence[Line], wording: Wording) -> tuple[tuple[Line, ...], ...]:
    """An answer as it is sent: what stands in the room, then what goes into its thread."""
    items = [place for place, one in enumerate(told) if one.style is Style.ITEM]
    if len(items) <= FIRST_PAGE:
        return (tuple(told),)
    cut = items[FIRST_PAGE]
    rest = _filled(told[cut:], wording)
    shown, left = rest[:PAGES], sum(len(page) for page in rest[PAGES:])
    if left:
        shown[-1] = (*shown[-1], line("answer.left_out", n=left))
    more = line("answer.more_in_thread", n=len(items) - FIRST_PAGE)
    return ((*told[:cut], more), *shown)


def _filled(told: Sequence[Line], wording: Wording) -> list[tuple[Line, ...]]:
    filled: list[list[Line]] = [[]]
    size = 0
    for one in told:
        length = len(wording.text(one))
        if filled[-1] and size + length > PAGE:
            filled.append([])
            size = 0
        filled[-1].append(one)
        size += length
    return [tuple(page) for page in filled]

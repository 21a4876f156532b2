"""Reads the examples of docs/admins.md: who says what where, what they do, and what the bot says to it.

A block marked ``text`` is a piece of the story. ``[in PLACE]`` says where we are; ``NAME: ...`` is what somebody says, lines further in
belong to it; ``Haven: ...`` is what the bot says there and ``Haven, in PLACE: ...`` what it says elsewhere; ``* ...`` is what somebody does.
A word that ends in ``…`` stands for one that is another each time, and a time for any time.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BOT = "Haven"
_BLOCK = re.compile(r"^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PLACE = re.compile(r"\[in (.+)\]")
_SAID = re.compile(r"(?P<who>[A-Z]\w+)(?:, in (?P<place>[^:]+?))?(?:, answering (?P<to>\w+))?: ?(?P<text>.*)")
_DONE = re.compile(r"\* (?P<who>[A-Z]\w+) (?P<what>.+)")
_CHANGING = re.compile(r"(?P<word>[^\s“”()`]+…)|(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d)")


@dataclass(frozen=True, slots=True)
class Said:
    """Somebody says something. ``to``: whose last message it answers, "" for none."""

    who: str
    place: str
    text: str
    to: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """The bot says something."""

    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """Somebody does something in their client, in the words of the page."""

    who: str
    place: str
    what: str


Step = Said | Heard | Done


def script(page: Path) -> tuple[Step, ...]:
    """What happens on a page, from its first block to its last."""
    return tuple(step for block in _BLOCK.findall(page.read_text()) for step in _steps(block))


def _steps(block: str) -> Iterator[Step]:
    place = ""
    for first, *more in _paragraphs(block):
        if found := _PLACE.fullmatch(first):
            place = found[1]
        elif found := _DONE.fullmatch(first):
            yield Done(found["who"], place, found["what"])
        elif found := _SAID.fullmatch(first):
            text = "\n".join((found["text"], *more)).strip()
            where = found["place"] or place
            yield (
                Heard(where, text)
                if found["who"] == BOT
                else Said(found["who"], where, text, found["to"] or "")
            )
        else:
            raise AssertionError(f"nobody can tell what this line says: {first}")


def _paragraphs(block: str) -> Iterator[list[str]]:
    """Each line with those that belong to it, which stand further in."""
    held: list[str] = []
    for line in block.splitlines():
        if line.startswith("  "):
            held.append(line[2:])
        elif line.strip():
            if held:
                yield held
            held = [line]
    yield held


class Words:
    """What stands for what: a word ending in ``…`` is the same all through the page.

    ``names``: what names on the page really are; ``exact`` off: only first lines count, and any number for any other.
    """

    def __init__(self, names: Mapping[str, str], *, exact: bool = True) -> None:
        self.known: dict[str, str] = {}
        self.names, self.exact = names, exact

    def typed(self, text: str) -> str:
        """What somebody really types."""
        return re.sub(r"\S+…", lambda found: self.known.get(found[0], found[0]), self._named(text))

    def _named(self, text: str) -> str:
        for name, real in self.names.items():
            text = text.replace(name, real)
        return text

    def fits(self, expected: str, said: str) -> bool:
        """Whether the bot has said what the page tells; remembers what stood for words that change."""
        pattern, names = self._pattern(self._named(expected))
        if not self.exact:
            whole = self._remembered(re.search(pattern, said), names)
            first, names = self._pattern(self._named(expected).splitlines()[0])
            return whole or self._remembered(re.fullmatch(first, said.splitlines()[0]), names)
        return self._remembered(re.fullmatch(pattern, said), names)

    def _remembered(self, found: re.Match[str] | None, names: Sequence[str]) -> bool:
        if found is None:
            return False
        fresh = dict(zip(names, found.groups(), strict=True))
        if any(self.known.get(name, word) != word for name, word in fresh.items()):
            return False
        self.known |= fresh
        return True

    def _pattern(self, expected: str) -> tuple[str, list[str]]:
        """A regular expression for what is expected, and the words that its groups stand for."""
        parts, names, end = list[str](), list[str](), 0
        for found in _CHANGING.finditer(expected):
            parts.append(self._plain(expected[end : found.start()]))
            if found["word"]:
                names.append(found["word"])
            parts.append(r"([^\s“”()`]+)" if found["word"] else r"\d{4}-\d\d-\d\d \d\d:\d\d")
            end = found.end()
        return "".join((*parts, self._plain(expected[end:]))), names

    def _plain(self, text: str) -> str:
        """A regular expression for text; where it need not be exact, some numbers stand for any others."""
        parts = [text] if self.exact else re.split(r"\d+(?:, \d+)*", text)
        return r"\d+(?:, \d+)*".join(map(re.escape, parts))


def in_the_end(events: Iterable[tuple[str, Mapping[str, Any]]]) -> list[tuple[str, str, str]]:
    """Messages, by event and content, as they read after all edits: the event, what it answers or "", the text."""
    texts: dict[str, tuple[str, str]] = {}
    for event, content in events:
        relation = content.get("m.relates_to", {})
        edited = str(relation.get("event_id", ""))
        if "m.new_content" not in content:
            texts[event] = (
                str(relation.get("m.in_reply_to", {}).get("event_id", "")),
                str(content.get("body")),
            )
        elif edited in texts:
            texts[edited] = (texts[edited][0], str(content["m.new_content"]["body"]))
    return [(event, to, body) for event, (to, body) in texts.items()]


def shown(body: str) -> str:
    """A message as a client shows it: links by their names, and no empty lines."""
    text = re.sub(r" \(https://matrix\.to/\S+\)", "", body)
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())

"""Reads whom and which room somebody means: Matrix ids, aliases, links (matrix.to, matrix:) and mentions."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import islice
from urllib.parse import quote, unquote

from haven.ids import RoomId, UserId

_LINK = re.compile(
    r"^<?(?:https?://(?:www\.)?matrix\.to/#/|matrix:)(?P<path>[^?>\s]+)(?:\?[^>\s]*)?>?$", re.IGNORECASE
)
_MARKDOWN = re.compile(r"\[[^\[\]\n]{0,100}\]\((?P<target>https?://matrix\.to/#/[^)\s]{1,600})\)")
_SIGILS = {"u/": "@", "user/": "@", "r/": "#", "room/": "#", "roomid/": "!"}
"""What stands for the first letter of an id in a ``matrix:`` URI (spec: appendices, Matrix URI scheme)."""

_SERVER = r"(?:[0-9A-Za-z.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
_USER = re.compile(rf"@[^\s:\x00]*:{_SERVER}")
_ALIAS = re.compile(rf"#[^\s:\x00]+:{_SERVER}")
_ROOM = re.compile(r"!\S+")
ID_LIMIT = 255
"""Bytes of the longest id (spec: appendices, common identifier format)."""

MENTION_LIMIT = 20
"""How many mentions of one message are looked at."""


@dataclass(frozen=True, slots=True)
class Pill:
    """A mention in the text: from where to where it stands, and whom it means."""

    start: int
    end: int
    user: UserId


def linked(word: str) -> str:
    """The id or alias that a link speaks of; any other word as it is."""
    match = _LINK.match(word)
    if match is None:
        return word
    path = unquote(match["path"])
    for spelled, sigil in _SIGILS.items():
        if path.startswith(spelled):
            return sigil + path[len(spelled) :]
    return path.split("/")[0] if path.startswith("!") else path


def user_in(word: str) -> UserId | None:
    """The user that a word means, if it is an id or a link to one."""
    found = linked(word)
    fits = _USER.fullmatch(found) and len(found.encode(errors="replace")) <= ID_LIMIT
    return UserId(found) if fits else None


def room_in(word: str) -> RoomId | None:
    """The room that a word means by its id, bare or in a link."""
    found = linked(word)
    return RoomId(found) if _ROOM.fullmatch(found) else None


def alias_in(word: str) -> str:
    """The room alias that a word is, bare or in a link; "" where it is none."""
    found = linked(word)
    return found if _ALIAS.fullmatch(found) else ""


def servers_in(word: str) -> tuple[str, ...]:
    """The servers that a link gives to find its room by (spec: appendices, matrix.to navigation); none for other words."""
    _, _, query = word.strip("<>").partition("?")
    named = (unquote(part[len("via=") :]) for part in query.split("&") if part.startswith("via="))
    return tuple(server for server in named if re.fullmatch(_SERVER, server))


def room_link(room: RoomId, servers: tuple[str, ...], event: str = "") -> str:
    """A link that every client understands; ``servers`` help to find the room (version 12 ids name none)."""
    path = quote(room, safe="!:") + (f"/{quote(event, safe='$:')}" if event else "")
    via = "&".join(f"via={quote(server, safe=':')}" for server in servers)
    return f"https://matrix.to/#/{path}{'?' + via if via else ''}"


def user_link(user: UserId) -> str:
    """A link to a person."""
    return f"https://matrix.to/#/{quote(user, safe='@:')}"


def pills_in(body: str, rich: str) -> tuple[Pill, ...]:
    """Where people are mentioned in ``body``: as the rich form of the same message tells, or by links as Markdown writes them."""
    found = list(islice(_written_out(body), MENTION_LIMIT))
    taken = {pill.user for pill in found}
    place = 0
    for text, user in _mentions(rich):
        start = body.find(text, place) if text and user not in taken else -1
        if start >= 0:
            place = start + len(text)
            found.append(Pill(start, place, user))
    return tuple(found)


def _written_out(body: str) -> Iterator[Pill]:
    for match in _MARKDOWN.finditer(body):
        user = user_in(match["target"])
        if user is not None:
            yield Pill(match.start(), match.end(), user)


def _mentions(rich: str) -> Iterator[tuple[str, UserId]]:
    reader = _Mentions()
    reader.feed(rich)
    reader.close()
    yield from reader.found[:MENTION_LIMIT]


class _Mentions(HTMLParser):
    """Collects the texts and targets of links to people."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, UserId]] = []
        self._target: UserId | None = None
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See `html.parser`."""
        if tag == "a":
            self._target = user_in(dict(attrs).get("href") or "")
            self._text = []

    def handle_data(self, data: str) -> None:
        """See `html.parser`."""
        self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        """See `html.parser`."""
        if tag == "a" and self._target is not None:
            self.found.append(("".join(self._text), self._target))
            self._target = None

"""Who is meant: mentions put into words that had none, and made such as the other side understands."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from haven.ids import UserId

from ..message import Mention, Span, Style, Text, plain
from .names import LONGEST

Resolve = Callable[[Span, Mention], Span]
"""What becomes of a span that mentions somebody: its words and mention as the other side knows them (or no mention any more)."""

ROOM = "@room"
_CLOSED = frozenset({Style.CODE, Style.PRE})


def resolved(text: Text, resolve: Resolve) -> Text:
    """``text`` with each of its mentions resolved."""
    return tuple(resolve(span, span.mention) if span.mention is not None else span for span in text)


def marked(text: Text, words: str, mention: Mention) -> Text:
    """``text`` with ``mention`` on the first place where ``words`` stand by themselves; as it was where they stand nowhere."""
    for index, span in enumerate(text):
        place = _place(span.text, words) if _open(span) else None
        if place is not None:
            return (*text[:index], *_cut(span, place, len(words), mention), *text[index + 1 :])
    return text


def _open(span: Span) -> bool:
    """Whether a mention may stand in the span: what is a link, or code, is none."""
    return span.link is None and span.mention is None and not span.styles & _CLOSED


def _place(text: str, words: str) -> int | None:
    start = text.find(words) if words else -1
    while start >= 0:
        end = start + len(words)
        if not (_joins(text[start - 1 : start]) or _joins(text[end : end + 1])):
            return start
        start = text.find(words, start + 1)
    return None


def _joins(char: str) -> bool:
    return char.isalnum() or char == "_"


def _cut(span: Span, start: int, length: int, mention: Mention) -> Iterator[Span]:
    end = start + length
    before, words, after = span.text[:start], span.text[start:end], span.text[end:]
    if before:
        yield replace(span, text=before)
    yield replace(span, text=words, mention=mention)
    if after:
        yield replace(span, text=after)


def addressed(
    text: Text, members: Iterable[tuple[UserId, str]], may_be_called: Callable[[UserId], bool]
) -> Text:
    """``text`` with a mention on each name of ``members`` that it calls: at its beginning before a colon or comma (``Ada: hello``), or
    anywhere behind an ``@``. Names that two have, or of one letter, are nobody's.
    """
    words = plain(text)
    if "@" not in words and not any(sign in words[: LONGEST + 1] for sign in ":,"):
        return text
    called = [(user, name) for user, name in members if _calls(words, name) and may_be_called(user)]
    several = Counter(name for _, name in called)
    for user, name in sorted(called, key=lambda known: -len(known[1])):
        if several[name] > 1:
            continue
        if f"@{name}" in words:
            text = marked(text, f"@{name}", Mention(user=user))
        elif text[0].text.startswith(name) and _open(text[0]):
            text = (*_cut(text[0], 0, len(name), Mention(user=user)), *text[1:])
    return text


def _calls(words: str, name: str) -> bool:
    """Whether ``words`` call somebody of that name. Asked for every member of a room, of whom there may be thousands."""
    if words.startswith(name):
        return len(name) > 1 and words[len(name) : len(name) + 1] in (":", ",")
    return len(name) > 1 and "@" in words and f"@{name}" in words

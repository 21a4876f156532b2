"""A message said with less: what networks without replies, names of their own, edits or files get instead."""

from collections.abc import Iterator
from dataclasses import replace

from ..message import Attachment, Kind, Message, Span, Style, Text


def in_words(span: Span) -> str:
    """The words of ``span`` with its link behind them in the same line, unless they are the link."""
    words = span.text.rstrip("\n")
    if span.link is None or span.link in (words, f"{words}/", f"mailto:{words}"):
        return span.text
    shown = f"{words} ({span.link})" if words.strip() else span.link
    return shown + span.text[len(words) :]


def body_of(text: Text) -> str:
    """``text`` without formatting, for those who see no other: quotes marked with ``> ``, links behind their words."""
    pieces: list[str] = []
    for span in text:
        quoted = Style.QUOTE in span.styles
        for line in in_words(span).splitlines(keepends=True):
            at_start = not pieces or pieces[-1].endswith("\n")
            pieces.append(f"> {line}" if quoted and at_start else line)
    return "".join(pieces)


def quoting(message: Message) -> Message:
    """``message`` with what it answers quoted above it, and no reply any more. Nothing to quote: just without the reply."""
    reply = message.reply
    if reply is None or not reply.excerpt:
        return replace(message, reply=None)
    said = f"{reply.author}: {reply.excerpt}" if reply.author else reply.excerpt
    quote = Span(f"{' '.join(said.split())}\n", frozenset({Style.QUOTE}))
    return replace(message, text=(quote, *message.text), reply=None)


def named(message: Message, name: str) -> Message:
    """``message`` with ``name`` before its words: ``<Ada> hello``, and for actions ``* Ada waves``; below a quote, not above."""
    quote = tuple(
        span for span in message.text[:1] if Style.QUOTE in span.styles and span.text.endswith("\n")
    )
    words = message.text[len(quote) :]
    prefix = Span(f"* {name} " if message.kind is Kind.ACTION else f"<{name}> ")
    kind = Kind.TEXT if message.kind is Kind.ACTION else message.kind
    return replace(message, text=(*quote, prefix, *words), kind=kind)


def files(message: Message) -> Iterator[Span]:
    """A line for each file: its name, how long and how large it is, and where it is if that can be opened from outside."""
    for index, file in enumerate(message.attachments):
        place = f" {file.url}" if file.url.startswith(("http://", "https://")) else ""
        yield Span(("\n" if index else "") + f"📎 {file.name}{_measures(file)}{place}")


def _measures(file: Attachment) -> str:
    """`` (1:05, 2345 kB)``, the same in every language; as much of it as is known."""
    known = []
    if file.duration_ms is not None:
        seconds = round(file.duration_ms / 1000)
        known.append(f"{seconds // 60}:{seconds % 60:02}")
    if file.size is not None:
        thousands = -(-file.size // 1000)
        known.append(f"{thousands} kB" if thousands < 10_000 else f"{round(file.size / 1e6)} MB")
    return f" ({', '.join(known)})" if known else ""


def with_files(message: Message) -> Text:
    """The text of ``message``, and below it a line for each of its files; one that follows nothing but a name stands behind it."""
    follows = bool(message.text) and not message.text[-1].text.endswith((" ", "\n"))
    gap = (Span("\n"),) if follows and message.attachments else ()
    return (*message.text, *gap, *files(message))

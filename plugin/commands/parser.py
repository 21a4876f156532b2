"""Reads a command out of a line: what was asked, or what is wrong with it and the nearest right form.

Pure: nothing is looked up. The value of an option is one word or a quotation; once every argument has been given it runs on to
the next option, so that the last name on a line needs no marks.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from haven.errors import Invalid

from ..addresses import Pill
from .grammar import EVERYWHERE, HELP, PREFIX, SHORT, WHERE, Argument, Command, Grammar, Option, Takes
from .words import Word, cut

SHOWN = 40
"""How many characters of a word that is not understood are repeated to the person who wrote it."""


class NotUnderstood(Invalid):
    """A command that cannot be read. ``forms``: the commands whose usage shows how it should have been."""

    def __init__(self, key: str, forms: Iterable[Command] = (), **values: str | int) -> None:
        super().__init__(key, **values)
        self.forms = tuple(forms)


@dataclass(frozen=True, slots=True)
class Request:
    """A command as it was asked. ``where``: the community named by ``--in``; ``help``: only the manual is wanted."""

    command: Command
    arguments: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    where: str = ""
    help: bool = False

    def argument(self, name: str) -> str:
        """What was given for an argument; "" where it was left out."""
        return self.arguments.get(name, "")

    def option(self, name: str) -> str:
        """What was given for an option; "" where it was left out."""
        return next(iter(self.every(name)), "")

    def every(self, name: str) -> tuple[str, ...]:
        """All that was given for an option that can be repeated."""
        return self.options.get(name, ())

    def switched(self, name: str) -> bool:
        """Whether a switch was given."""
        return name in self.options


def addressed(body: str) -> str | None:
    """What follows the prefix, if the message begins with it."""
    first, *rest = body.split(maxsplit=1) or [""]
    if first.lower() not in {PREFIX, SHORT}:
        return None
    return rest[0] if rest else ""


def parse(line: str, grammar: Grammar, pills: Sequence[Pill] = ()) -> Request:
    """The command in ``line`` (without the prefix). Raises `NotUnderstood`, and nothing else, whatever the line is."""
    words = list(cut(line, pills))
    ahead = _leading(words)
    command, used = _command(words[ahead:], grammar)
    if command is None:
        return Request(_the_help(grammar))
    reading = _Reading(line, command, [*words[:ahead], *words[ahead + used :]])
    return reading.request()


def _the_help(grammar: Grammar) -> Command:
    return grammar.command(("help",)) or Command("help")


def _leading(words: Sequence[Word]) -> int:
    """How many words before the command belong to options that every command has."""
    place = 0
    while place < len(words) and words[place].option in {HELP.name, WHERE.name}:
        place += 2 if words[place].option == WHERE.name else 1
    return min(place, len(words))


def _command(words: Sequence[Word], grammar: Grammar) -> tuple[Command | None, int]:
    said = tuple(word.text.lower() for word in words[:2] if not word.quoted)
    for length in (2, 1):
        command = grammar.command(said[:length]) if len(said) >= length else None
        if command is not None:
            return command, length
    if not words:
        return None, 0
    raise _unknown(said or (words[0].text.lower(),), grammar)


def _unknown(said: tuple[str, ...], grammar: Grammar) -> NotUnderstood:
    below = grammar.below(said[0])
    asked = _short(" ".join(said))
    if below and (len(said) == 1 or said[1].startswith("-")):
        return NotUnderstood("command_incomplete", below, command=said[0])
    near = _nearest_below(said, below) if below else _nearest_commands(said, grammar)
    if len(near) == 1:
        return NotUnderstood("command_unknown_near", near, command=asked, nearest=near[0].name)
    if below:
        return NotUnderstood("command_unknown_below", below, command=asked)
    return NotUnderstood("command_unknown", near, command=_short(said[0]))


def _nearest_below(said: tuple[str, ...], commands: Sequence[Command]) -> Sequence[Command]:
    verbs = {command.words[1]: (command,) for command in commands}
    return verbs.get(_nearest(said[1], verbs), ())


def _nearest_commands(said: tuple[str, ...], grammar: Grammar) -> Sequence[Command]:
    """What was most likely meant: misspelled, written as one word, or with its words the wrong way round."""
    names: dict[str, tuple[Command, ...]] = {}
    for command in grammar.commands:
        names[command.words[0]] = grammar.below(command.words[0]) or (command,)
        for spelled in (command.name, "".join(command.words), " ".join(reversed(command.words))):
            names.setdefault(spelled, (command,))
    for attempt in (" ".join(said), said[0].replace("-", " "), said[0]):
        if found := _nearest(_short(attempt), names):
            return names[found]
    return ()


def _nearest(word: str, known: Iterable[str]) -> str:
    """The known word most like ``word``; "" where none is like it."""
    return next(iter(difflib.get_close_matches(word.lower()[:SHOWN], sorted(known), n=1, cutoff=0.65)), "")


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


@dataclass(slots=True)
class _Reading:
    """The words after a command, being read."""

    line: str
    command: Command
    words: Sequence[Word]
    place: int = 0
    arguments: dict[str, str] = field(default_factory=dict)
    options: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def request(self) -> Request:
        if any(word.option == HELP.name for word in self.words) and not self._takes_text():
            return Request(self.command, help=True)
        while self.place < len(self.words):
            word = self.words[self.place]
            option = self._known(word)
            if option is not None:
                self._take_option(option)
            elif word.certain or word.bound:
                raise self._unknown_option(word)
            else:
                self._take_word(word)
        if HELP.name in self.options:
            return Request(self.command, help=True)
        self._require_all()
        where = next(iter(self.options.pop(WHERE.name, ())), "")
        return Request(self.command, self.arguments, self.options, where)

    def _takes_text(self) -> bool:
        return any(argument.takes is Takes.TEXT for argument in self.command.arguments)

    def _refusal(self, key: str, **values: str | int) -> NotUnderstood:
        return NotUnderstood(key, (self.command,), **values)

    def _require_all(self) -> None:
        argument = self._open()
        if argument is not None and not argument.optional:
            raise self._refusal("argument_missing", argument=argument.name)

    def _open(self) -> Argument | None:
        """The argument that the next word is for."""
        return next((a for a in self.command.arguments if a.name not in self.arguments), None)

    def _known(self, word: Word) -> Option | None:
        return self.command.option(word.option) if word.option else None

    def _unknown_option(self, word: Word) -> NotUnderstood:
        name = _short(word.option)
        known = [option.name for option in (*self.command.options, *EVERYWHERE)]
        near = _nearest(name, known)
        if near:
            return self._refusal("option_unknown_near", option=name, nearest=near)
        return self._refusal("option_unknown", option=name)

    def _take_word(self, word: Word) -> None:
        argument = self._open()
        if argument is None:
            raise self._refusal("argument_extra", text=_short(word.text))
        if argument.takes is Takes.TEXT:
            value = self._text(word)
            if argument.final and not word.quoted:
                self._require_no_option(word)
        elif argument.takes is Takes.WORDS and not word.quoted:
            value = self._gathered()
        else:
            value = self._one()
        if value.lower() in argument.understood:
            self.arguments[argument.name] = value.lower()
        else:
            self.arguments[argument.name] = self._chosen(argument.name, value, argument.choices)

    def _one(self) -> str:
        word = self.words[self.place]
        if word.unclosed:
            raise self._refusal("quotation_open", text=_short(word.text))
        self.place += 1
        return word.text

    def _gathered(self) -> str:
        """The words from here to the next option."""
        taken = [self._one()]
        while self.place < len(self.words):
            word = self.words[self.place]
            if self._begins_option(word):
                break
            taken.append(self._one())
        return " ".join(taken)

    def _text(self, first: Word) -> str:
        """All that was written from ``first`` on, up to an option that the command knows."""
        rest = range(self.place, len(self.words))
        stop = next((n for n in rest if self._known(self.words[n]) is not None), len(self.words))
        whole = stop == self.place + 1 and first.quoted and not first.mention
        end = self.words[stop].start if stop < len(self.words) else len(self.line)
        self.place = stop
        return first.text if whole else self.line[first.start : end].strip()

    def _require_no_option(self, first: Word) -> None:
        """Refuse a text with something in it that is an option of no command we know, before it is said to everybody."""
        for word in self.words[self.words.index(first) : self.place]:
            if word.certain or word.bound:
                raise self._refusal("option_in_text", option=_short(word.option))

    def _take_option(self, option: Option) -> None:
        bound = self.words[self.place].bound
        self.place += 1
        if not option.value and not option.choices:
            if bound:
                raise self._refusal("option_takes_nothing", option=option.name)
            self.options[option.name] = ()
            return
        if option.name in self.options and not option.repeated:
            raise self._refusal("option_twice", option=option.name)
        value = self._chosen(f"--{option.name}", self._value(option), option.choices)
        self.options[option.name] = (*self.options.get(option.name, ()), value)

    def _value(self, option: Option) -> str:
        if self.place >= len(self.words) or self._begins_option(self.words[self.place]):
            raise self._refusal("option_value_missing", option=option.name)
        one = self.words[self.place].quoted or option.choices or self._open() is not None
        return self._one() if one else self._gathered()

    def _begins_option(self, word: Word) -> bool:
        return self._known(word) is not None or word.certain or word.bound

    def _chosen(self, name: str, value: str, choices: tuple[str, ...]) -> str:
        if not choices or value.lower() in choices:
            return value.lower() if choices else value
        near = _nearest(value, choices)
        values = {"name": name, "value": _short(value), "choices": ", ".join(choices)}
        if near:
            raise self._refusal("choice_unknown_near", **values, nearest=near)
        raise self._refusal("choice_unknown", **values)

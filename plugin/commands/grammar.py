"""What a command looks like: its words, arguments and options, as values from which usage lines are made.

The names are those of the contract; what they mean is told by the catalogues, under keys made of the command's words.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

PREFIX = "!community"
SHORT = "!c"


class Takes(Enum):
    """How much of what was written one argument takes."""

    WORD = auto()
    """One word, or several in quotation marks."""

    WORDS = auto()
    """All words up to the next option."""

    TEXT = auto()
    """Everything as it was written, lines included, up to an option that the command knows."""


@dataclass(frozen=True, slots=True)
class Argument:
    """Something a command is told by its place. ``choices``: the only values it may have, in lower case; ``understood``: values
    that are not offered, since the command only says what is wrong with them. ``final``: what is done with a text cannot be undone, so what
    looks like an option and is none is not taken for a part of it, unless the text stands in quotation marks.
    """

    name: str
    takes: Takes = Takes.WORD
    optional: bool = False
    choices: tuple[str, ...] = ()
    understood: tuple[str, ...] = ()
    final: bool = False

    @property
    def usage(self) -> str:
        """As it stands in a usage line."""
        return f"[{self.name}]" if self.optional else self.name


@dataclass(frozen=True, slots=True)
class Option:
    """Something a command is told by name. ``value``: what stands for its value, "" for a switch."""

    name: str
    value: str = ""
    repeated: bool = False
    choices: tuple[str, ...] = ()

    @property
    def usage(self) -> str:
        """As it stands in a usage line."""
        wanted = "|".join(self.choices) or self.value
        return f"[--{self.name}{' ' + wanted if wanted else ''}]{'...' if self.repeated else ''}"


HELP = Option("help")
WHERE = Option("in", "COMMUNITY")
EVERYWHERE = (HELP, WHERE)
"""The options of every command."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its words, what it is told by place, and what it is told by name."""

    name: str
    arguments: tuple[Argument, ...] = ()
    options: tuple[Option, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The words it begins with: one, or a noun and a verb."""
        return tuple(self.name.split())

    @property
    def key(self) -> str:
        """Its name in the catalogues."""
        return "_".join(self.words)

    @property
    def usage(self) -> str:
        """The form it is written in."""
        arguments = (argument.usage for argument in self.arguments)
        options = (option.usage for option in self.options)
        return " ".join((SHORT, *self.words, *arguments, *options))

    def option(self, name: str) -> Option | None:
        """The option of that name, if the command knows one."""
        return next((option for option in (*self.options, *EVERYWHERE) if option.name == name), None)


class Grammar:
    """All commands that are understood."""

    def __init__(self, commands: Iterable[Command]) -> None:
        self._commands = {command.words: command for command in commands}

    @property
    def commands(self) -> tuple[Command, ...]:
        """Every command, in the order they were told."""
        return tuple(self._commands.values())

    def command(self, words: tuple[str, ...]) -> Command | None:
        """The command of exactly these words."""
        return self._commands.get(words)

    def below(self, noun: str) -> tuple[Command, ...]:
        """The commands that need a second word after ``noun``."""
        return tuple(c for c in self._commands.values() if len(c.words) > 1 and c.words[0] == noun)

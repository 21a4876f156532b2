"""Seeded histories: who says what where, under which trouble, and when the bridge is killed. Pure; the same seed is the same history."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import count


class Side(StrEnum):
    """Where something is said."""

    MATRIX = "matrix"
    NETWORK = "network"


class Trouble(StrEnum):
    """What is wrong while a round is played, between whom."""

    NONE = "none"
    HOMESERVER_STUMBLES = "the way to the homeserver: late, 5xx, resets, answers lost, cut or slow"
    HOMESERVER_LIMITS = "the homeserver says 429"
    PUSHES_STUMBLE = "the way from the homeserver: late, resets, answers lost, transactions twice"
    DATABASE_STUMBLES = "the way to the database: late, and cut"
    EVERYTHING = "all of these at once"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing said: on which side of which link (counted from 0), by which of the two people there, and its text.

    On Matrix it may have several lines; each is unique in a history.
    """

    side: Side
    link: int
    speaker: int
    text: str


@dataclass(frozen=True, slots=True)
class Kill:
    """The bridge is killed when so many more things have passed one of the proxies; ``answered``: after, not before, the
    other side did what was asked of it.
    """

    passages: int
    answered: bool


@dataclass(frozen=True, slots=True)
class Round:
    """A stretch of a history: what is said under one trouble, and whether it ends in a kill."""

    trouble: Trouble
    lines: tuple[Line, ...]
    kill: Kill | None


def history(
    seed: int,
    name: str = "",
    *,
    rounds: int,
    links: int,
    lines: int,
    troubles: Sequence[Trouble] = (Trouble.NONE,),
    kills: bool = False,
) -> tuple[Round, ...]:
    """So many rounds with so many ``lines`` each, both sides together, spread over so many links.

    Each trouble comes about equally often; with ``kills`` every round has one. ``name`` stands in every text, so that two
    histories on the same links are not mixed up.
    """
    chance = random.Random(f"history {seed}")
    numbers = count(1)
    wrong = [troubles[number % len(troubles)] for number in range(rounds)]
    chance.shuffle(wrong)
    return tuple(
        Round(
            trouble,
            tuple(_line(chance, links, f"{name}{next(numbers)}") for _ in range(lines)),
            Kill(chance.randint(1, 2 * lines), chance.random() < 0.5) if kills else None,
        )
        for trouble in wrong
    )


def _line(chance: random.Random, links: int, number: str) -> Line:
    side = chance.choice(list(Side))
    parts = chance.choice((1, 1, 1, 2, 3)) if side is Side.MATRIX else 1
    words = ("message", *("more of it" for _ in range(parts - 1)))
    text = "\n".join(f"{word} {number}.{part}" for part, word in enumerate(words))
    return Line(side, chance.randrange(links), chance.randrange(2), text)

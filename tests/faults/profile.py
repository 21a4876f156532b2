"""How much is done: the short profile of every test run, and the long one of ``make faults``; and the seed."""

import os
import secrets
from dataclasses import dataclass
from functools import cache

USUAL = 20261122
"""The seed of the short profile, so that everybody's run is the same."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Numbers of things. ``lines`` are those of a round; ``away`` and ``night`` are the seconds for which the homeserver, or
    the bridge, is down.
    """

    name: str
    links: int
    kills: int
    storms: int
    lines: int
    doubts: int
    away: float
    night: float


SHORT = Profile("short", links=2, kills=4, storms=6, lines=16, doubts=2, away=3, night=10)
LONG = Profile("long", links=5, kills=100, storms=60, lines=24, doubts=200, away=60, night=600)


def profile() -> Profile:
    """As the environment says (FAULTS=long)."""
    return LONG if os.environ.get("FAULTS") == "long" else SHORT


@cache
def seed() -> int:
    """SEED of the environment; else the usual one in the short profile and a new one in the long."""
    given = os.environ.get("SEED")
    if given:
        return int(given)
    return USUAL if profile() is SHORT else secrets.randbelow(10**9)

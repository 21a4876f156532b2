"""How a benchmark runs: a throw-away directory in memory, an end to its patience, and where and when it was, printed with its tables."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from benchmarks.contestant import CannotMeasure
from benchmarks.table import Table, circumstances
from embedded.processes import ChildFailed

LONGEST = 900.0
"""Seconds after which a benchmark is stopped, whatever it is doing."""

_MEMORY = Path("/dev/shm")  # noqa: S108 - a directory of our own with a random name is made in it

Work = Callable[[Path, int], Awaitable[Sequence[Table]]]
"""Given a directory and how many rounds to do, gives the tables to print."""


def run(work: Work, description: str, rounds: int) -> None:
    """Runs a benchmark from the command line: `--rounds N`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=rounds, help=f"how often to measure (usual: {rounds})")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("there must be at least one round")
    with tempfile.TemporaryDirectory(
        prefix="haven-benchmark-", dir=_MEMORY if _MEMORY.is_dir() else None
    ) as place:
        try:
            tables = asyncio.run(_bounded(work, Path(place), options.rounds))
        except (CannotMeasure, ChildFailed) as failure:
            sys.exit(f"{failure}")
    print()
    for table in tables:
        print(table)
    print(circumstances())


async def _bounded(work: Work, directory: Path, rounds: int) -> Sequence[Table]:
    async with asyncio.timeout(LONGEST):
        return await work(directory, rounds)


def note(words: str) -> None:
    """Says on the side how far it is."""
    print(words, file=sys.stderr, flush=True)

"""Tables in Markdown, to read on a terminal and to copy into docs/performance.md, and a line that says where and when they were made."""

import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from embedded.places import Environment, python

Cell = str | int | float | None


def shown(cell: Cell) -> str:
    """A cell as text: numbers with as many digits as mean something, nothing as a dash."""
    match cell:
        case None:
            return "–"
        case float():
            return f"{cell:.0f}" if abs(cell) >= 100 else f"{cell:.1f}" if abs(cell) >= 10 else f"{cell:.2f}"
        case _:
            return str(cell)


@dataclass(frozen=True, slots=True)
class Table:
    """A table: what it shows, the names of its columns, its rows. The first column is words, the others are figures."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def __str__(self) -> str:
        """The table in Markdown, its columns in line."""
        cells = [list(self.columns), *([shown(cell) for cell in row] for row in self.rows)]
        widths = [max(len(row[place]) for row in cells) for place in range(len(self.columns))]
        lines = [_line(row, widths) for row in cells]
        rule = "|".join(
            f" {'-' * width} " if place == 0 else f" {'-' * (width - 1)}: "
            for place, width in enumerate(widths)
        )
        return "\n".join([f"**{self.title}**", "", lines[0], f"|{rule}|", *lines[1:], ""])


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(row, widths, strict=True)
    return (
        "| " + " | ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]) + " |"
    )


def ratio(value: float, floor: float) -> str:
    """How many times the floor a value is."""
    return f"{value / floor:.2f} x" if floor else "–"


def circumstances() -> str:
    """Where and when: date, cores and memory, versions, and how busy the machine was (its load of the last minute)."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = [
        f"Python {platform.python_version()}",
        f"Synapse {_installed('servers', 'matrix-synapse')} (SQLite, in memory)",
        f"maubot {_installed('servers', 'maubot')}",
        f"heisenbridge {_installed('benchmarks', 'heisenbridge')}",
    ]
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, {memory:.0f} GiB, {', '.join(versions)}; "
        f"load {os.getloadavg()[0]:.1f}"
    )


def _installed(environment: Environment, package: str) -> str:
    """The version of a package in another virtual environment, "–" where there is none."""
    if not python(environment).exists():
        return "–"
    words = f"import importlib.metadata as m; print(m.version({package!r}))"
    done = subprocess.run([python(environment), "-c", words], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "?"

"""Tells the story on a terminal: scenes, what people say and do, and what the servers confirmed."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field


class NotSo(Exception):
    """A step of the story did not happen as told: the demo has failed."""


@dataclass(slots=True)
class Teller:
    """Prints the story as it happens; colours only where a terminal shows them."""

    colours: bool = field(default_factory=sys.stdout.isatty)
    scenes: int = 0
    verified: int = 0

    def _painted(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colours else text

    def line(self, text: str = "") -> None:
        """One line as it is."""
        print(text, flush=True)

    def scene(self, title: str) -> None:
        """A new scene begins."""
        self.scenes += 1
        self.line()
        self.line(self._painted(f"{self.scenes}. {title}", "1"))

    def does(self, who: str, what: str) -> None:
        """Somebody does something."""
        self.line(f"   {who} {what}")

    def says(self, who: str, where: str, text: str) -> None:
        """Somebody says something somewhere; long texts on lines of their own."""
        first, *rest = text.splitlines() or [""]
        self.line(f"   {self._painted(who, '36')} in {where}: {first}")
        for more in rest:
            self.line(f"      {more}")

    def verify(self, what: str, holds: bool, instead: object = "") -> None:
        """States what the servers confirmed. Raises NotSo when they did not; `instead` is what they said."""
        if not holds:
            self.line(self._painted(f"   ✗ {what}", "31"))
            raise NotSo(f"{what} (instead: {instead})" if instead else what)
        self.verified += 1
        self.line(self._painted(f"   ✓ {what}", "32"))

    def table(self, rows: Iterable[tuple[str, ...]]) -> None:
        """Rows in columns."""
        known = [tuple(row) for row in rows]
        widths = [max(len(row[place]) for row in known) for place in range(len(known[0]))]
        for row in known:
            self.line(
                "   " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            )

"""Reads spans of time as people write them, ``30m``, ``2h``, ``7d``, ``2w``, and writes moments for files."""

import re
from datetime import UTC, datetime, timedelta

from haven.errors import Invalid

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY
"""In milliseconds, as all spans here."""

_UNITS = {"m": MINUTE, "h": HOUR, "d": DAY, "w": WEEK}
_WRITTEN = re.compile(r"([0-9]{1,6})\s*([mhdw])")


def duration(text: str, longest: int = 365 * DAY) -> int:
    """A span of time in milliseconds. Raises `Invalid` where it is none, or longer than ``longest``."""
    match = _WRITTEN.fullmatch(text.strip().lower())
    span = int(match[1]) * _UNITS[match[2]] if match else 0
    if not 0 < span <= longest:
        raise Invalid("duration_unknown", text=text[:100], days=longest // DAY)
    return span


def moment_of(at: int) -> str:
    """A time in ms since the epoch as ISO 8601 has it; "?" for one that cannot be."""
    try:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)).isoformat(timespec="seconds")
    except OverflowError:
        return "?"
